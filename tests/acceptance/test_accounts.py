"""Accounts in a real browser, on the real API and site, with users of a real OpenID Connect provider."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from psycopg_pool import ConnectionPool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from frontend.app import mount
from server.app import create_app
from server.jobs import RecordingQueue
from server.providers import OidcProvider
from server.settings import Settings
from server.storage.local import LocalStorage
from tests.identity_provider import PASSWORD
from tests.signing_in import oidc, provider_running
from tests.unit.frontend.serving import Server, free_port

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium"),
]


SEEN: list[tuple[str, str]] = []


class Witness:
    """Pure ASGI: of every request to make a team, where it came from and the cookies that it brought."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/teams"):
            headers = Headers(scope=scope)
            SEEN.append((headers.get("origin", ""), headers.get("cookie", "")))
        await self._app(scope, receive, send)


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[str, str]]:
    """The site's address, and the provider that sends browsers back there."""
    url = f"http://127.0.0.1:{free_port()}"
    with provider_running(f"{url}/api/v1/sign-in/real/callback") as issuer:
        yield url, issuer


@pytest.fixture
def site(
    door: tuple[str, str], settings: Settings, queue: RecordingQueue, storage: LocalStorage, pool: ConnectionPool
) -> Iterator[str]:
    """The address of the real site; users sign in at the real provider."""
    url, issuer = door
    known = {"public_url": url, "oidc_providers": (OidcProvider(**oidc(issuer)),), "development_login": False}
    app = create_app(settings.model_copy(update=known), queue=queue, storage=storage, pool=pool)
    app.add_middleware(Witness)
    server = Server(mount(app, api_url=url), port=int(url.rpartition(":")[2]))
    server.start()
    yield url
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield made
        made.close()


def adopted(page: Page) -> Page:
    page.wait_for_selector("html.adopted", timeout=90_000)
    return page


def signed_in(context: BrowserContext, address: str, *, user: str) -> Page:
    """Sign in as a person would, at whatever page offers it."""
    page = context.new_page()
    page.goto(address)
    adopted(page).get_by_role("button", name="Sign in with Real").click()
    page.locator("input[name=login]").fill(user)
    page.locator("button[type=submit][name=answer], main button[type=submit], form button[type=submit]").last.click()
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form button[type=submit]").last.click()
    page.locator("#accept").click()
    page.wait_for_url(re.compile(re.escape(address.split("#")[0].split("?")[0])))
    return adopted(page)


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def test_from_the_first_sign_in_to_a_second_member_and_a_token_of_the_command_line(browser: Browser, site: str) -> None:
    desk = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    ada = signed_in(desk, f"{site}/account", user="ada")
    expect(ada.get_by_text("Ada Lovelace")).to_be_visible()
    assert ada.evaluate("document.cookie") == ""

    ada.get_by_label("Name", exact=True).first.fill("Analytical Engines")
    ada.get_by_role("button", name="Make the team").click()
    expect(ada.get_by_role("heading", name="Team Analytical Engines")).to_be_visible()
    ada.get_by_role("button", name="Make an invitation").click()
    link = ada.locator("#once-value")
    expect(link).to_contain_text("#invitation=")
    invitation = str(link.text_content())
    ada.get_by_label("Name", exact=True).last.fill("Laptop")
    ada.get_by_role("button", name="Make the token").click()
    expect(ada.locator("#once-value")).to_contain_text("gsi_")
    token = str(ada.locator("#once-value").text_content())
    assert ada.evaluate("sessionStorage.length + Object.keys(localStorage).length") == 0
    me = httpx.get(f"{site}/api/v1/me", headers={"authorization": f"Bearer {token}"}, trust_env=False).json()
    assert (me["team"]["name"], me["scopes"]) == ("Analytical Engines", ["read", "submit"])
    assert faults(ada) == []

    hand = browser.new_context(viewport=PHONE, color_scheme="dark")  # type: ignore[arg-type]
    bert = signed_in(hand, invitation, user="bert")
    expect(bert.locator("#invitation-text")).to_have_text(
        "Ada Lovelace invites you to join the team Analytical Engines as member."
    )
    assert "#" not in bert.url
    bert.get_by_role("button", name="Join the team").click()
    expect(bert.get_by_role("heading", name="Team Analytical Engines")).to_be_visible()
    expect(bert.get_by_role("button", name="Make an invitation")).to_have_count(0)
    assert faults(bert) == []
    assert bert.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    ada.reload()
    adopted(ada).on("dialog", lambda dialog: dialog.accept())
    ada.get_by_role("button", name="Leave").click()
    expect(ada.locator("#act-error")).to_contain_text("This is the team's last owner.")
    ada.get_by_role("button", name="Revoke Laptop").click()
    expect(ada.get_by_text("gsi_")).to_have_count(0)
    ada.get_by_role("button", name="Sign out", exact=True).click()
    expect(ada.get_by_role("button", name="Sign in with Real")).to_be_visible()
    assert [each["name"] for each in desk.cookies(site) if "session" in each["name"]] == []


def test_another_sites_page_changes_nothing_with_a_readers_session(browser: Browser, site: str) -> None:
    """Another port of this machine is another origin and yet the same site: its requests carry the session."""
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = signed_in(context, f"{site}/account", user="dora")
    SEEN.clear()
    with evil_page() as elsewhere:
        page.goto(elsewhere)
        page.evaluate(
            """(address) => fetch(address, {
                method: "POST", mode: "no-cors", credentials: "include", body: '{"name": "Taken over"}',
            })""",
            f"{site}/api/v1/teams",
        )
    ((origin, cookie),) = SEEN
    assert origin == elsewhere.rstrip("/")
    assert "gsi_session" in cookie
    page.goto(f"{site}/account")
    expect(adopted(page).get_by_text("in no team yet")).to_be_visible()


@contextmanager
def evil_page() -> Iterator[str]:
    app = FastAPI()
    app.get("/", response_class=HTMLResponse)(lambda: "<h1>Win a prize</h1>")
    server = Server(app, port=free_port())
    server.start()
    yield server.url
    server.stop()


def test_a_sign_in_that_comes_to_nothing_says_why(browser: Browser, site: str) -> None:
    page = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
    page.goto(f"{site}/api/v1/sign-in/real/callback?state=forged&code=forged")
    expect(adopted(page).get_by_role("alert").first).to_contain_text("That sign-in was over")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
