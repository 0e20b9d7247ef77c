import json
import re
import socket
from html.parser import HTMLParser

import httpx
import pytest

from tests.unit.frontend.fake_api import BENCHMARKS, DEFECTS, NOW, Service

PAGES = ["/", "/submit", "/submissions", "/account", "/sign-in", "/about"]


class Text(HTMLParser):
    """The text of a page as a reader without scripts sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipping += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._skipping -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.parts.append(data)


def text_of(html: str) -> str:
    reader = Text()
    reader.feed(html)
    return " ".join(" ".join(reader.parts).split())


def get(site: str, path: str, *, cookies: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(site + path, cookies=cookies, headers={"Accept": "text/html"}, trust_env=False)


def submitted(site: str, *, team: str = "Lab", model: str = "Editor") -> str:
    """The id of a fresh submission with an archive."""
    with httpx.Client(base_url=f"{site}/api/v1", trust_env=False) as http:
        token = http.post("/development/login", json={"team": team}).json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        name = str(http.post("/submissions", json={"benchmark": "blocks", "model": model}).json()["id"])
        http.put(f"/submissions/{name}/archive", content=b"zip")
        return name


LAB = {"gsi_session": "token-of-Lab"}
STALE = {"gsi_session": "stale"}


def test_every_page_is_readable_without_scripts_and_has_a_title_of_its_own(site: str) -> None:
    titles = set()
    for path in PAGES:
        answer = get(site, path)
        assert answer.status_code == 200
        assert len(text_of(answer.text)) > 200
        titles.add(re.search(r"<title>(.*?)</title>", answer.text)[1])  # type: ignore[index]
    assert len(titles) == len(PAGES)


def test_the_board_is_in_the_first_answer_in_order_of_rank(site: str) -> None:
    text = text_of(get(site, "/?subset=gsi-real").text)
    order = [text.index(model) for model in ("Emu3.5", "Qwen", "BAGEL + GSI-Syn", "GPT-img", "Ultra")]
    assert order == sorted(order)
    assert "43.52" in text


def test_the_mean_of_all_subsets_stands_beside_the_average_of_each(site: str) -> None:
    page = get(site, "/?q=BAGEL+%2B").text
    shown = re.findall(r'<span class="value">([\d.]+)</span>', page.partition("<tbody>")[2].partition("</tbody>")[0])
    assert shown == ["42.51", "36.28", "48.74", "45.41", "35.93", "45.41", "43.31"]


def test_a_board_can_be_sorted_by_one_subsets_average(site: str) -> None:
    page = get(site, "/?sort=avg.gsi-real").text
    assert 'aria-sort="descending"><a id="sort-avg.gsi-real"' in page
    assert re.findall(r"<strong><bdi>([^<]+)</bdi></strong>\s*<span class=\"under\">", page)[:2] == ["Emu3.5", "Qwen"]


def test_filters_come_from_the_address_and_go_to_the_service(site: str, service: Service) -> None:
    text = text_of(get(site, "/?board=blocks&subset=blocks-room&operation=move").text)
    assert ("blocks", "blocks-room", "move") in service.board_queries
    assert "Nobody has published on this board yet" in text


def test_a_board_has_a_view_for_each_of_its_protocols(site: str, service: Service) -> None:
    name = submitted(site)
    service.submissions[name]["state"] = "published"
    fair = get(site, "/?board=blocks").text
    official = get(site, "/?board=blocks&protocol=gsi-official-1").text
    assert "89.19" in text_of(fair)
    assert "43.75" not in text_of(fair)
    assert "43.75" in text_of(official)
    assert re.search(r'id="protocol-gsi-fair-1"[^>]*aria-current="true"', fair)
    assert re.search(r'id="protocol-gsi-official-1"[^>]*aria-current="true"', official)
    assert "leaderboard.csv?protocol=gsi-official-1" in official
    assert "protocol-" not in get(site, "/").text


def test_a_benchmark_that_cannot_be_scored_here_yet_says_why_it_is_closed(site: str, monkeypatch) -> None:
    closed = {**BENCHMARKS["blocks"], "accepts_submissions": False, "missing_instruments": ["detector deep-eye"]}
    monkeypatch.setitem(BENCHMARKS, "blocks", closed)
    page = get(site, "/?board=blocks").text
    assert "Submissions open when this service has what it is measured with: detector deep-eye." in text_of(page)
    assert "Submit to Blocks" not in page


def test_an_embargo_and_a_maintainers_act_say_what_they_mean(site: str, service: Service) -> None:
    name = submitted(site)
    told = {
        "embargoed": {"embargo_until": "2027-01-31T00:00:00Z"},
        "delisted": {"moderation_reason": "Two entries for one model <b>"},
        "disqualified": {"moderation_reason": "Trained on the test set"},
    }
    words = {"embargoed": "2027-01-31 00:00:00 UTC", "delisted": "for one model <b>", "disqualified": "on the test set"}
    for state, more in told.items():
        service.submissions[name] |= {"state": state, **more}
        page = text_of(get(site, f"/submission?id={name}", cookies=LAB).text)
        assert words[state] in page
        assert "Withdraw" in page


def test_a_team_sees_its_place_in_the_queue_and_when_it_may_be_ready(site: str, service: Service) -> None:
    name = submitted(site)
    page = text_of(get(site, f"/submission?id={name}", cookies=LAB).text)
    assert "3 before it in the queue" in page
    assert "17 of 80 samples" in page
    assert "ready in about 95 s, 90%: 1 h 5 min" in page
    service.submissions[name]["state"] = "scored"
    assert "before it" not in text_of(get(site, f"/submission?id={name}", cookies=LAB).text)


def test_a_result_shows_what_the_other_protocol_makes_of_it(site: str) -> None:
    name = submitted(site)
    for _ in range(10):
        page = get(site, f"/submission?id={name}", cookies=LAB).text
    found = text_of(page)
    assert "Under gsi-official-1" in found
    assert found.index("89.19") < found.index("43.75")


def test_a_search_without_hits_offers_the_way_back(site: str) -> None:
    text = text_of(get(site, "/?q=nobody-is-called-so").text)
    assert "No entry passes these filters" in text
    assert "0 of 10 entries shown" in text


def test_an_unknown_board_and_an_unknown_page_are_pages_with_404(site: str) -> None:
    for path, words in (("/?board=nothing", "There is no such board"), ("/nothing", "There is no such page")):
        answer = get(site, path)
        assert answer.status_code == 404
        assert words in text_of(answer.text)


def test_a_program_that_asks_for_an_unknown_path_gets_no_page(site: str) -> None:
    answer = httpx.get(f"{site}/nothing", headers={"Accept": "application/json"}, trust_env=False)
    assert answer.status_code == 404
    assert "<html" not in answer.text


def test_what_a_team_writes_is_never_markup(site: str) -> None:
    evil = "<img src=x onerror=alert(1)>${alert(1)}{{this}}"
    name = submitted(site, model=evil)
    page = get(site, f"/submission?id={name}", cookies=LAB).text
    assert "<img src=x" not in page
    assert evil in text_of(page)


def test_a_search_that_looks_like_markup_stays_text(site: str) -> None:
    page = get(site, "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert(1)" not in page


def test_a_private_submission_is_shown_to_its_team_only(site: str) -> None:
    name = submitted(site)
    assert get(site, f"/submission?id={name}").status_code == 404
    assert get(site, f"/submission?id={name}", cookies=LAB).status_code == 200


def test_a_submission_moves_from_check_to_result(site: str) -> None:
    name = submitted(site)
    pages = [text_of(get(site, f"/submission?id={name}", cookies=LAB).text) for _ in range(4)]
    assert "Checking the archive" in pages[0]
    assert "17 of 40" in pages[2]
    assert "Your result is ready" in pages[3]
    assert "81.26" in pages[3]
    assert "1 missing" in pages[3]


def test_defects_name_the_file_the_code_and_what_to_do(site: str, service: Service) -> None:
    service.refused = True
    name = submitted(site)
    get(site, f"/submission?id={name}", cookies=LAB)
    text = text_of(get(site, f"/submission?id={name}", cookies=LAB).text)
    for defect in DEFECTS:
        for member in ("file", "code", "message", "remedy"):
            assert defect[member] in text


def test_another_teams_published_submission_has_no_buttons(site: str, service: Service) -> None:
    name = submitted(site)
    service.submissions[name]["state"] = "published"
    page = get(site, f"/submission?id={name}", cookies={"gsi_session": "token-of-Other"}).text
    assert "data-act=" not in page.partition("<gradio-app")[0].partition('id="first-paint"')[2]


def test_a_stale_token_shows_the_login_and_not_an_error(site: str) -> None:
    answer = get(site, "/submissions", cookies=STALE)
    assert answer.status_code == 200
    assert "Name your team" in text_of(answer.text)


def test_gradios_own_upload_route_is_closed(site: str) -> None:
    answer = httpx.post(f"{site}/gradio_api/upload", files={"files": b"x"}, trust_env=False)
    assert answer.status_code == 404


def test_pages_are_private_to_the_reader_and_assets_are_kept(site: str) -> None:
    page = get(site, "/")
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    asset = re.search(r'src="\./(assets/index-[^"]+\.js)"', page.text)
    assert asset
    script = httpx.get(f"{site}/{asset[1]}", trust_env=False)
    assert "immutable" in script.headers["cache-control"]


def test_no_page_names_a_script_a_style_or_a_font_elsewhere(site: str) -> None:
    for path in PAGES:
        html = get(site, path).text
        assert re.findall(r'(?:src|(?<=<link)[^>]*href)="(https?:[^"]+)"', html) == []
        assert "og:image" not in html


def test_the_api_passes_the_site_untouched(site: str) -> None:
    answer = httpx.get(f"{site}/api/v1/benchmarks/gsi-bench/leaderboard.csv", trust_env=False)
    assert answer.text.startswith("rank,model")
    assert "content-security-policy" not in answer.headers


def test_unknown_addresses_and_methods_of_the_api_are_answered_by_the_api(site: str) -> None:
    with httpx.Client(base_url=site, trust_env=False) as http:
        assert http.get("/api/v1/nothing").status_code == 404
        assert http.delete("/api/v1/benchmarks").status_code == 405
        assert http.get("/api/v1/nothing", headers={"Accept": "text/html"}).json() == {"detail": "Not Found"}


def test_the_plain_page_has_every_board_and_no_script(site: str) -> None:
    page = get(site, "/plain").text
    assert "<script" not in page
    for words in ("GSI-Bench", "Blocks", "OmniSpatial", "Emu3.5", "Mean of all subsets", "No entries yet"):
        assert words in page


@pytest.mark.parametrize("path", PAGES)
def test_the_skip_link_leads_to_the_content_of_this_page(site: str, path: str) -> None:
    page = get(site, path).text
    assert f'href="{path}#content"' in page
    assert page.count('id="content"') == 1


@pytest.mark.parametrize("token", ["%0Axyzzy", "%C3%A9xyzzy", "xyzzy%FF", "two%20xyzzy"])
def test_a_malformed_token_in_the_cookie_counts_as_logged_out(site: str, token: str) -> None:
    for path in ("/submissions", "/submission?id=nothing"):
        answer = get(site, path, cookies={"gsi_session": token})
        assert answer.status_code == (200 if path == "/submissions" else 404)
        assert "xyzzy" not in answer.text
    assert "Name your team" in text_of(get(site, "/submissions", cookies={"gsi_session": token}).text)


def test_an_address_that_is_no_text_is_still_answered_with_a_page(site: str) -> None:
    with socket.create_connection((site.split("/")[2].split(":")[0], int(site.rsplit(":", 1)[1])), timeout=10) as line:
        line.sendall(b"GET /?q=\xff HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n")
        first = line.makefile("rb").readline()
    assert first.split()[1] in (b"200", b"400")


def test_a_stale_token_does_not_hide_a_published_submission_and_is_dropped(site: str, service: Service) -> None:
    name = submitted(site, model="Public editor")
    service.submissions[name]["state"] = "published"
    answer = get(site, f"/submission?id={name}", cookies=STALE)
    assert answer.status_code == 200
    assert "Public editor" in text_of(answer.text)
    assert 'data-act="unpublish"' not in answer.text
    dropped = answer.headers.get_list("set-cookie")
    assert [each.split(";")[0] for each in dropped] == ['__Host-gsi_session=""', 'gsi_session=""']
    assert all("Max-Age=0" in each and "Path=/" in each for each in dropped)


def test_a_stale_token_at_a_private_submission_says_to_log_in_again(site: str) -> None:
    answer = get(site, f"/submission?id={submitted(site)}", cookies=STALE)
    assert answer.status_code == 404
    assert "Your session is over" in text_of(answer.text)
    assert "set-cookie" in answer.headers


def test_a_token_that_is_known_is_kept(site: str) -> None:
    name = submitted(site)
    for path in ("/submissions", f"/submission?id={name}", "/submission?id=nothing"):
        assert "set-cookie" not in get(site, path, cookies=LAB).headers
    assert "set-cookie" in get(site, "/submissions", cookies=STALE).headers


def test_a_withdrawn_submissions_run_is_cancelled_and_not_failed(site: str, service: Service) -> None:
    name = submitted(site)
    run = {"subset": "blocks-room", "state": "failed", "attempt": 1, "stage": "measure", "done": 17, "total": 40}
    error = {"code": "cancelled", "title": "The attempt failed."}
    service.submissions[name] |= {"state": "withdrawn", "runs": [{**run, "error": error}]}
    text = text_of(get(site, f"/submission?id={name}", cookies=LAB).text)
    assert "Cancelled" in text
    assert "The attempt failed" not in text


@pytest.mark.parametrize("links", [{}, {"retry": "/api/v1/submissions/x/retry"}])
def test_a_failed_submission_can_be_tried_again_by_whom_the_service_lets(site: str, service: Service, links) -> None:
    name = submitted(site)
    service.submissions[name] |= {"state": "failed", "links": links}
    page = get(site, f"/submission?id={name}", cookies=LAB).text
    assert ('data-act="retry"' in page) == bool(links)


ADDRESSES = [*PAGES, "/plain", "/theme.css", "/robots.txt"]


def test_head_is_get_without_the_body(site: str) -> None:
    with httpx.Client(base_url=site, trust_env=False) as http:
        for path in [*ADDRESSES, "/nothing"]:
            got, head = http.get(path), http.head(path)
            assert head.status_code == got.status_code, path
            assert head.content == b""
            assert head.headers["content-type"] == got.headers["content-type"]
            assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "PATCH", "BREW"])
def test_other_methods_are_refused_with_the_ones_that_are_taken(site: str, method: str) -> None:
    with httpx.Client(base_url=site, trust_env=False) as http:
        for path in ADDRESSES:
            answer = http.request(method, path, headers={"Cookie": "gsi_session=xyzzy"})
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS"), path
            assert "xyzzy" not in answer.text
        api = http.request("DELETE" if method in ("POST", "BREW") else method, "/api/v1/submissions")
        assert (api.status_code, api.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")


def test_options_tells_what_an_address_takes(site: str) -> None:
    with httpx.Client(base_url=site, trust_env=False) as http:
        for path in [*ADDRESSES, "/api/v1/baselines/x"]:
            taken = "OPTIONS, PATCH" if path.startswith("/api/") else "GET, HEAD, OPTIONS"
            answer = http.options(path)
            assert (answer.status_code, answer.headers["allow"], answer.content) == (204, taken, b"")
        assert http.options("/nothing").status_code == 404
        assert http.options("/api/v1/nothing").status_code == 404


GRADIOS_OWN = [
    "/openapi.json", "/docs", "/config", "/gradio_api/info", "/gradio_api/startup-events", "/monitoring", "/login",
    "/gradio_api/queue/status", "/gradio_api/file=/etc/passwd", "/manifest.json", "/api", "/assets/nothing.js",
]  # fmt: skip


@pytest.mark.parametrize("path", [*GRADIOS_OWN, "/nope"])
def test_what_the_site_does_not_have_is_a_page_to_browsers_and_a_problem_to_programs(site: str, path: str) -> None:
    page = get(site, path)
    assert page.status_code == 404
    assert "There is no such page" in text_of(page.text)
    problem = httpx.get(site + path, headers={"Accept": "application/json"}, trust_env=False)
    assert problem.status_code == 404
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "no_such_page"
    assert page.headers["vary"] == problem.headers["vary"] == "Accept"


def test_a_page_that_tells_of_an_error_is_a_problem_to_programs(site: str) -> None:
    answer = httpx.get(f"{site}/?board=nothing", headers={"Accept": "application/json"}, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_board")


CALL = {"data": "", "component_id": 1, "fn_name": "live_page", "session_hash": "s"}


@pytest.mark.parametrize(
    "body",
    [
        "{", "[]", '"text"', "{}", "[" * 9000, " " * 20_000, json.dumps({**CALL, "component_id": 999}),
        json.dumps({**CALL, "component_id": True}), json.dumps({**CALL, "fn_name": "__init__"}),
        json.dumps({**CALL, "data": {"path": "/etc/passwd"}}), json.dumps({**CALL, "session_hash": None}),
    ],
)  # fmt: skip
def test_a_call_that_no_page_makes_is_refused_and_breaks_nothing(site: str, body: str) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    answer = httpx.post(f"{site}/gradio_api/component_server/", content=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) in ((422, "malformed_call"), (404, "no_such_page"))


def test_an_address_with_a_slash_too_many_leads_to_the_page(site: str) -> None:
    answer = httpx.get(f"{site}/submission/?id=a%26b", headers={"Host": "evil.example"}, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/submission?id=a%26b")


def test_no_header_of_a_request_comes_back_in_a_page(site: str) -> None:
    names = ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Gradio-Server", "Forwarded", "Referer")
    for path in [*PAGES, "/plain", "/nothing", "/submit/", "/plain/"]:
        answer = httpx.get(site + path, headers=dict.fromkeys(names, "xyzzy.example"), trust_env=False)
        assert "xyzzy" not in answer.text
        assert "xyzzy" not in str(answer.headers)
        assert ".invalid" not in answer.text


def test_every_name_is_set_apart_so_that_right_to_left_text_moves_nothing_around_it(
    site: str, service: Service
) -> None:
    names = {"model": "עורך (v2)", "team": "צוות 7", "organization": "מכון 3"}
    name = submitted(site)
    service.submissions[name] |= {**names, "state": "published"}
    service.tokens["token-of-rtl"] = names["team"]
    for path in ("/?board=blocks", "/plain", "/submissions", f"/submission?id={name}"):
        body = get(site, path, cookies={"gsi_session": "token-of-rtl"}).text.partition("<body")[2]
        shown = [each for each in names.values() if each in body]
        assert names["model"] in shown, path
        for each in shown:
            assert body.count(each) == body.count(f"<bdi>{each}</bdi>"), (path, each)


def test_the_page_to_sign_in_at_offers_every_provider_and_says_why_a_sign_in_failed(
    site: str, service: Service
) -> None:
    service.providers = [{"id": "uni", "title": "University <b>"}]
    page = get(site, "/sign-in?problem=sign-in-denied&next=/submit").text
    assert "Sign in with University &lt;b&gt;" in page
    assert 'data-provider="uni"' in page
    assert 'data-next="/submit"' in page
    assert "The provider did not let you in" in text_of(page)
    assert "did not work" in text_of(get(site, "/sign-in?problem=%3Cscript%3E").text)


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)"])
def test_signing_in_leads_to_no_other_site(site: str, target: str) -> None:
    page = httpx.get(f"{site}/sign-in", params={"next": target}, headers={"Accept": "text/html"}, trust_env=False).text
    assert 'data-next="/account"' in page


def test_the_account_shows_where_a_team_is_told_and_what_did_not_arrive(site: str, service: Service) -> None:
    submitted(site)
    service.targets += [
        {
            "id": "t-1",
            "kind": "webhook",
            "address": "https://example.org/<hook>",
            "confirmed_at": "2026-11-23T10:00:00Z",
        },
        {"id": "t-2", "kind": "email", "address": "lab@example.org", "confirmed_at": None},
    ]
    told = {"id": "d-1", "address": "https://example.org/<hook>", "what": "submission.scored", "state": "dead"}
    service.deliveries.append({**told, "attempts": 8, "last_error": "it answered 503", "created_at": NOW})
    found = text_of(get(site, "/account", cookies=LAB).text)
    for part in ("https://example.org/<hook>", "lab@example.org", "waits for its code", "it answered 503", "Try again"):
        assert part in found


def test_the_account_shows_team_members_invitations_and_tokens_without_their_secrets(site: str) -> None:
    submitted(site)
    found = text_of(get(site, "/account", cookies=LAB).text)
    for words in ("acting for Lab", "User of Lab (you)", "Open invitations", "gsi_AbCdEfGh…", "Make a token"):
        assert words in found


def test_whoever_is_in_no_team_is_shown_the_way_into_one(site: str, service: Service) -> None:
    service.tokens["token-of-nobody"] = "nobody"
    nobody = {"gsi_session": "token-of-nobody"}
    assert "You are in no team yet" in text_of(get(site, "/submissions", cookies=nobody).text)
    assert "You act for no team" in text_of(get(site, "/submit", cookies=nobody).text)
    account = text_of(get(site, "/account", cookies=nobody).text)
    assert "Join by a code" in account
    assert "Make a token" not in account


def test_no_page_holds_the_session_where_a_script_could_find_it(site: str) -> None:
    submitted(site)
    for path in PAGES:
        assert LAB["gsi_session"] not in get(site, path, cookies=LAB).text
