"""The website and the command line on the real API, a real Postgres and a real storage; only the workers are absent."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import typer
from axe_playwright_python.sync_playwright import Axe
from click.testing import Result
from fastapi import FastAPI
from playwright.sync_api import Page, expect, sync_playwright
from psycopg_pool import ConnectionPool
from typer.testing import CliRunner

from frontend.app import mount
from frontend.cli import register
from server.benchmarks.service import Registered
from server.curation.seed import seed
from server.db.pool import transaction
from server.jobs import RecordingQueue
from tests.unit.frontend.serving import Server, free_port

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium: apt-get install chromium")
Run = Callable[..., Result]


@pytest.fixture
def site(app: FastAPI, pool: ConnectionPool, blocks: Registered) -> Iterator[str]:
    """The address of the real API with the real site, the paper's results and a small Blocks."""
    with transaction(pool) as conn:
        seed(conn)
    port = free_port()
    server = Server(mount(app, api_url=f"http://127.0.0.1:{port}"), port=port)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def page(site: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


@pytest.fixture
def run(site: str, tmp_path: Path) -> Run:
    commands = typer.Typer()
    register(commands)
    environment = {"GSI_URL": site, "XDG_CONFIG_HOME": str(tmp_path / "config"), "GSI_TOKEN": "", "COLUMNS": "200"}

    def invoke(*arguments: str) -> Result:
        done = CliRunner().invoke(commands, list(arguments), env=environment)
        assert done.exit_code == 0, done.output
        return done

    return invoke


def a_zip() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as made:
        made.writestr("blocks-tabletop/tabletop-00_move.png", b"pixels")
    return kept.getvalue()


def text(site: str, path: str) -> str:
    answer = httpx.get(site + path, headers={"Accept": "text/html"}, trust_env=False)
    assert answer.status_code == 200, path
    return answer.text


def test_the_papers_results_stand_on_boards_of_their_own(site: str) -> None:
    main = text(site, "/?subset=gsi-real")
    for model in ("Nano Banana", "GPT-img", "BAGEL + GSI-Syn", "OmniGen2", "Emu3.5"):
        assert model in main
    assert "43.52" in main
    assert "33.06" not in text(site, "/?board=blocks")
    assert "63.59" in text(site, "/?board=omnispatial")
    assert "85.29" in text(site, "/?board=sat-real")


def test_the_plain_page_shows_every_board_of_the_service(site: str) -> None:
    plain = text(site, "/plain")
    for title in ("GSI-Bench", "Blocks", "OmniSpatial", "SAT-Real"):
        assert title in plain


def test_errors_of_the_api_stay_problem_documents_beside_the_site(site: str) -> None:
    answer = httpx.get(f"{site}/api/v1/nothing", trust_env=False)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["remedy"]


@pytest.mark.browser
@needs_chromium
def test_a_team_submits_in_the_browser_and_withdraws(site: str, page: Page, queue: RecordingQueue) -> None:
    page.goto(f"{site}/submit")
    page.wait_for_selector("html.adopted")
    page.locator("#team").fill("Browser Lab")
    page.locator("#model").fill("My editor")
    page.locator("#archive").set_input_files({"name": "e.zip", "mimeType": "application/zip", "buffer": a_zip()})
    page.get_by_role("button", name="Upload and score").click()
    page.wait_for_url("**/submission?id=*")
    expect(page.locator("#state")).to_have_text("Archive received")
    assert len(queue.validated) == 1
    page.goto(f"{site}/submissions")
    expect(page.get_by_role("link", name="My editor")).to_be_visible()
    page.get_by_role("link", name="My editor").click()
    page.wait_for_selector("html.adopted")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator("#state")).to_have_text("Withdrawn")


@pytest.mark.browser
@needs_chromium
def test_the_real_boards_have_no_serious_fault_of_accessibility(site: str, page: Page) -> None:
    for board in ("gsi-bench", "blocks", "omnispatial", "sat-real"):
        page.goto(f"{site}/?board={board}")
        page.wait_for_selector("html.adopted")
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_the_command_line_submits_lists_and_withdraws(site: str, run: Run, tmp_path: Path) -> None:
    archive = tmp_path / "edits.zip"
    archive.write_bytes(a_zip())
    run("submit", str(archive), "--model", "By hand", "--team", "Terminal Lab", "--no-check")
    listed = run("submissions").output
    assert "By hand" in listed
    name = listed.split()[-1]
    assert "Archive received" in run("status", name).output
    assert "Withdrawn" in run("withdraw", name, "--yes").output


def test_a_curated_baseline_appears_on_the_board_and_leaves_it(site: str, run: Run) -> None:
    run("login", "--maintainer")
    subsets = ("gsi-real", "gsi-syn-tabletop", "gsi-syn-room")
    scores = [
        part
        for subset in subsets
        for dimension in ("ic", "sa", "ac", "el", "avg")
        for part in ("--score", f"{subset}.{dimension}=66.5")
    ]
    source = ("--source-url", "https://example.org/table", "--access-date", "2026-11-01")
    run("baseline", "add", "--model", "Closed one", "--vendor", "Vendor", *source, *scores)
    board = text(site, "/")
    assert "Closed one" in board
    assert "Entered by a maintainer from a named source" in board
    name = next(line.split()[-1] for line in run("baseline", "list").output.splitlines() if "Closed one" in line)
    run("baseline", "edit", name, "--size", "7B", "--score", "gsi-real.ic=none")
    run("baseline", "retire", name, "--reason", "Replaced by a newer version")
    assert "Closed one" not in text(site, "/")
    log = run("audit").output
    assert log.index("retire") < log.index("edit") < log.index("add")
