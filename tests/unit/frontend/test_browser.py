"""The site in a real Chromium over the fake service."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.unit.frontend.fake_api import Service
from tests.unit.frontend.test_site import LAB, submitted

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
PAGES = ["/", "/?board=blocks", "/submit", "/submissions", "/account", "/sign-in", "/about"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    yield made
    made.close()


def opened(context: BrowserContext, address: str) -> Page:
    """A page whose live part has taken over."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html.adopted", timeout=20_000)
    return page


def log_in(context: BrowserContext, site: str) -> None:
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in LAB.items()])  # type: ignore[misc]


def serious(page: Page) -> list[tuple[str, str]]:
    """The serious and critical findings of axe."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        (each["id"], node["html"][:160])
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def test_no_page_has_a_serious_fault_of_accessibility_in_light_or_dark(browser: Browser, site: str) -> None:
    name = submitted(site)
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport=DESK, color_scheme=scheme)  # type: ignore[arg-type]
        log_in(context, site)
        for path in [*PAGES, f"/submission?id={name}"]:
            page = opened(context, site + path)
            assert serious(page) == [], (path, scheme)
            page.close()
        context.close()


def test_a_team_sees_what_is_left_and_sets_an_embargo(context: BrowserContext, site: str, service: Service) -> None:
    name = submitted(site)
    service.submissions[name]["state"] = "scored"
    log_in(context, site)
    expect(opened(context, f"{site}/submit").locator("#quota")).to_contain_text("3 of 5 today, 160 of 200 in all")
    page = opened(context, f"{site}/submission?id={name}")
    page.fill("#embargo-day", "2027-01-31")
    page.click("text=Set embargo")
    expect(page.locator(".notice.good")).to_contain_text("2027-01-31 00:00:00 UTC")
    assert service.submissions[name]["embargo_until"] == "2027-01-31T00:00:00Z"
    page.click("text=Publish now")
    expect(page.locator("#state")).to_contain_text("Published")


def test_the_plain_tables_can_be_read_in_the_dark(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport=DESK, color_scheme="dark")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{site}/plain")
    assert serious(page) == []
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"
    context.close()


def test_no_page_is_wider_than_a_phone(browser: Browser, site: str, service: Service) -> None:
    name = submitted(site)
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    log_in(context, site)
    for path in [*PAGES, f"/submission?id={name}"]:
        page = opened(context, site + path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.close()
    context.close()


def test_no_long_name_or_link_runs_out_of_a_phone(browser: Browser, site: str, service: Service) -> None:
    name = submitted(site)
    long = {"model": "m" * 80, "organization": "o" * 80, "url": "https://example.org/" + "u" * 250}
    service.submissions[name] |= {**long, "state": "published"}
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    log_in(context, site)
    for path in ("/?board=blocks", "/submissions", f"/submission?id={name}"):
        page = opened(context, site + path)
        ends = page.locator("bdi").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
        assert ends, path
        assert max(ends) <= PHONE["width"], path
        page.close()
    context.close()


def test_on_a_phone_the_model_stays_while_the_scores_scroll(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = opened(context, site)
    model = page.locator("tbody th.model").first
    before = model.bounding_box()
    page.locator(".table-box").evaluate("box => box.scrollLeft = 150")
    after = model.bounding_box()
    assert before
    assert after
    assert abs(before["x"] - after["x"]) < 1
    assert page.locator(".table-box").evaluate("box => box.scrollLeft") > 100
    context.close()


def test_nothing_moves_when_the_live_part_takes_over(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => {"
        " const at = () => [...document.querySelectorAll('h1, .boards, table, tbody tr:last-child, .site-foot')]"
        "  .map(e => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height].map(Math.round) });"
        " window.painted = at(); window.at = at; })"
    )
    page.goto(site)
    page.wait_for_selector("html.adopted")
    page.wait_for_timeout(300)
    assert page.evaluate("window.at()") == page.evaluate("window.painted")


def test_the_page_talks_to_its_own_server_only_and_reports_no_error(context: BrowserContext, site: str) -> None:
    page = context.new_page()
    hosts, errors = set(), []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2] if "://" in request.url else "inline"))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(site)
    page.wait_for_selector("html.adopted")
    page.locator("#sort-ic").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("IC")
    assert hosts <= {site.removeprefix("http://"), "inline"}
    assert errors == []


def test_sorting_says_so_and_keeps_the_rank_of_each_model(context: BrowserContext, site: str) -> None:
    page = opened(context, f"{site}/?subset=gsi-real")
    page.locator("#sort-sa").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    first = page.locator("tbody tr").first
    expect(first.locator("strong")).to_have_text("Qwen")
    expect(first.locator(".rank")).to_have_text("2")
    page.locator("#sort-sa").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("tbody tr").first.locator("strong")).to_have_text("Ultra")


def test_every_view_is_in_the_address_and_back_brings_the_last_one(context: BrowserContext, site: str) -> None:
    page = opened(context, site)
    page.locator("#subset-gsi-real").click()
    expect(page.locator("#subset-gsi-real")).to_have_attribute("aria-current", "true")
    assert page.url == f"{site}/?subset=gsi-real"
    page.locator("#filter-access").select_option("closed")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert page.url == f"{site}/?subset=gsi-real&access=closed"
    page.go_back()
    expect(page.locator("tbody tr")).to_have_count(10)
    expect(page.locator("#filter-access")).to_have_value("")
    shared = opened(context, f"{site}/?subset=gsi-real&access=closed")
    expect(shared.locator("tbody tr")).to_have_count(2)


def test_changing_the_board_changes_the_title_and_drops_the_other_boards_filters(
    context: BrowserContext, site: str
) -> None:
    page = opened(context, f"{site}/?subset=gsi-real")
    page.locator("#board-omnispatial").click()
    expect(page).to_have_title("OmniSpatial leaderboard · GSI-Bench")
    assert page.url == f"{site}/?board=omnispatial"


def test_search_filters_while_typing_and_keeps_the_cursor(context: BrowserContext, site: str) -> None:
    page = opened(context, site)
    page.locator("#filter-search").press_sequentially("bagel", delay=40)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("#filter-search")).to_be_focused()
    expect(page.locator("#filter-search")).to_have_value("bagel")


def test_the_table_can_be_sorted_with_the_keyboard_alone(context: BrowserContext, site: str) -> None:
    page = opened(context, site)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "sort-ic":
            break
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort]")).to_have_text("IC")
    assert page.evaluate("document.activeElement.id") == "sort-ic"


def test_without_scripts_the_board_is_there_and_its_filters_work(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    expect(page.locator("tbody tr")).to_have_count(10)
    page.locator("#subset-gsi-real").click()
    assert page.url == f"{site}/?subset=gsi-real"
    page.locator("#filter-search").fill("qwen")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    context.close()


def test_the_chosen_light_is_remembered(context: BrowserContext, site: str) -> None:
    page = opened(context, site)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.get_by_role("button", name="Switch between light and dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 20, 26)"


def a_zip() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as made:
        made.writestr(zipfile.ZipInfo("blocks-tabletop/tabletop-01_edit_1.png"), b"pixels" * 1000)  # of no date
    return kept.getvalue()


def fill(page: Page, *, name: str = "edits.zip", content: bytes = b"") -> None:
    page.locator("#team").fill("Lab")
    page.locator("#model").fill("My editor")
    page.locator("#archive").set_input_files(
        {"name": name, "mimeType": "application/zip", "buffer": content or a_zip()}
    )


def test_a_zip_goes_from_the_form_to_a_published_result(context: BrowserContext, site: str, service: Service) -> None:
    page = opened(context, f"{site}/submit")
    fill(page)
    page.get_by_role("button", name="Upload and score").click()
    page.wait_for_url("**/submission?id=*")
    assert [*service.uploads.values()] == [a_zip()]
    expect(page.get_by_text("Your result is ready")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Publish on the leaderboard").click()
    page.get_by_role("link", name="See it on the leaderboard").click()
    expect(page.locator("tbody tr")).to_contain_text("My editor")


def begun(page: Page, content: bytes) -> None:
    """Press the button with a file of a fixed age, which a second choice of it has again."""
    page.locator("#model").fill("My editor")
    page.locator("#archive").set_input_files({"name": "e.zip", "mimeType": "application/zip", "buffer": content})
    page.evaluate(
        "const input = document.querySelector('#archive'), kept = new DataTransfer();"
        "kept.items.add(new File([input.files[0]], 'e.zip', { type: 'application/zip', lastModified: 1 }));"
        "input.files = kept.files;"
    )
    page.get_by_role("button", name="Upload and score").click()


LARGE = bytes(range(256)) * 64


def test_an_upload_goes_on_after_the_page_was_loaded_anew(context: BrowserContext, site: str, service: Service) -> None:
    page = opened(context, f"{site}/submit")
    page.locator("#team").fill("Lab")
    service.failing_parts += [(404, "upload-gone", "Broken for the test")] * 2
    page.route("**/api/v1/parts/*/9", lambda route: route.abort())
    begun(page, LARGE)
    expect(page.locator("#submit-error")).to_contain_text("Broken for the test")
    service.failing_parts.clear()
    begun(page, LARGE)
    expect(page.locator("#upload-text")).to_contain_text("of 17 kB sent")
    page.wait_for_function("() => document.querySelector('#upload-bar').value > 60")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.unroute_all(behavior="ignoreErrors")
    page.wait_for_selector("html.adopted")
    expect(page.locator("#interrupted")).to_contain_text("e.zip")
    expect(page.locator("#model")).to_have_value("My editor")
    (upload,) = service.in_parts.values()
    finished = {str(number) for number in upload["contents"]}
    service.part_requests.clear()
    assert len(finished) > 4
    begun(page, LARGE)
    page.wait_for_url("**/submission?id=*")
    assert [*service.uploads.values()] == [LARGE]
    assert not {number for number, _ in service.part_requests} & finished
    assert page.evaluate("localStorage.getItem('gsi-upload')") is None


def test_an_interrupted_upload_can_be_discarded(context: BrowserContext, site: str, service: Service) -> None:
    page = opened(context, f"{site}/submit")
    page.locator("#team").fill("Lab")
    service.failing_parts += [(404, "upload-gone", "Broken for the test")] * 2
    begun(page, LARGE)
    expect(page.locator("#submit-error")).to_contain_text("Broken for the test")
    page.reload()
    page.wait_for_selector("html.adopted")
    page.get_by_role("button", name="Discard it").click()
    expect(page.locator("#interrupted")).to_be_hidden()
    page.wait_for_function("() => localStorage.getItem('gsi-upload') === null")
    page.wait_for_timeout(300)
    assert [each["state"] for each in service.submissions.values()] == ["withdrawn"]


def test_signing_out_forgets_an_interrupted_upload(context: BrowserContext, site: str, service: Service) -> None:
    page = opened(context, f"{site}/submit")
    page.locator("#team").fill("Lab")
    service.failing_parts += [(404, "upload-gone", "Broken for the test")] * 2
    begun(page, LARGE)
    expect(page.locator("#submit-error")).to_contain_text("Broken for the test")
    page.reload()
    page.wait_for_selector("html.adopted")
    expect(page.locator("#interrupted")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#team-field")).to_be_visible()
    assert page.evaluate("localStorage.getItem('gsi-upload')") is None


def test_a_passing_fault_of_a_part_is_not_noticed(context: BrowserContext, site: str, service: Service) -> None:
    page = opened(context, f"{site}/submit")
    page.locator("#team").fill("Lab")
    service.failing_parts += [(503, "storage-unavailable", "Down"), (403, "url-expired", "Old")]
    begun(page, LARGE)
    page.wait_for_url("**/submission?id=*")
    assert [*service.uploads.values()] == [LARGE]


def test_where_a_page_may_not_hash_the_zip_goes_as_one(context: BrowserContext, site: str, service: Service) -> None:
    context.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page = opened(context, f"{site}/submit")
    page.locator("#team").fill("Lab")
    begun(page, LARGE)
    page.wait_for_url("**/submission?id=*")
    assert [*service.uploads.values()] == [LARGE]
    assert service.part_requests == []


def test_the_form_says_what_is_missing_before_anything_is_sent(
    context: BrowserContext, site: str, service: Service
) -> None:
    page = opened(context, f"{site}/submit")
    button, told = page.get_by_role("button", name="Upload and score"), page.locator("#submit-error")
    button.click()
    expect(told).to_have_text("Give your team's name.")
    fill(page, name="edits.rar")
    button.click()
    expect(told).to_contain_text("This is not a zip")
    assert service.submissions == {}


def test_a_refusal_of_the_service_is_shown_with_its_remedy(
    context: BrowserContext, site: str, service: Service
) -> None:
    page = opened(context, f"{site}/submit")
    page.route(
        "**/api/v1/submissions",
        lambda route: route.fulfill(
            status=429,
            content_type="application/problem+json",
            json={"code": "quota", "title": "Too many submissions today", "remedy": "Try again tomorrow."},
        ),
    )
    fill(page)
    page.get_by_role("button", name="Upload and score").click()
    expect(page.locator("#submit-error")).to_contain_text("Too many submissions today")
    expect(page.locator("#submit-error")).to_contain_text("Try again tomorrow.")
    expect(page.get_by_role("button", name="Upload and score")).to_be_enabled()


def test_withdrawing_asks_and_then_shows_it(context: BrowserContext, site: str) -> None:
    name = submitted(site)
    log_in(context, site)
    page = opened(context, f"{site}/submission?id={name}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#state")).to_have_text("Withdrawn")
    expect(page.get_by_role("button", name="Withdraw")).to_have_count(0)
