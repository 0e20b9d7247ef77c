"""What others may not know is in no answer, page, event or line of a log of a whole running service."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from frontend.client import Client
from infra.prepare import BLOCKS_DATA
from tests.acceptance.test_service import SETTLED, Stack, wait_for

MODEL = "Unannounced-Canary-7781"
WORDS = "A sentence of the canary 7782 for readers."
MEMBER = "canary-of-a-file-7783.png"
MOST_NUMBERS = 400
PAPER = Path(__file__).parents[2] / "server" / "curation" / "data" / "paper_results.json"
PAGES = ("/", "/?board=blocks", "/submit", "/submissions", "/about", "/plain", "/account")
pytestmark = pytest.mark.timeout(400)


class Secrets(NamedTuple):
    """By whom they may be seen: ``truth`` by maintainers, ``team`` by its team, ``nobody`` is for no eye at all."""

    truth: set[str]
    team: set[str]
    nobody: set[str]


class Place(NamedTuple):
    """A stack with one unpublished result and one rejected archive of a team."""

    stack: Stack
    owner: Client
    scored: str
    rejected: str
    secrets: Secrets


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("canaries")
    stack = Stack(folder / "data")
    stack.start()
    try:
        owner = stack.client("Canary Owners")
        scored = _submit(owner, _archive(folder / "good.zip", "perfect"))
        rejected = _submit(owner, _archive(folder / "bad.zip", MEMBER))
        hook = owner.add_webhook("http://127.0.0.1:9/canary-hook-7784")
        for name in (scored, rejected):
            wait_for(lambda name=name: owner.submission(name).state in SETTLED, seconds=240)
        assert owner.submission(scored).state == "scored"
        assert owner.submission(rejected).state == "rejected"
        secrets = Secrets(
            truth=_numbers(_truth()) | {"gt_image", "new_bbox_3d", "new_rotation_matrix"},
            team={MODEL, WORDS, MEMBER, "canary-hook-7784", *_results(owner, scored)},
            nobody={hook.secret},
        )
        yield Place(stack, owner, scored, rejected, secrets)
    finally:
        assert stack.process is not None
        for client in stack.open_clients:
            client.close()
        stack.process.terminate()
        stack.process.wait(60)


def _submit(owner: Client, archive: Path) -> str:
    made = owner.create(benchmark="blocks", model=MODEL, description=WORDS)
    owner.upload(made.id, archive)
    return made.id


def _archive(path: Path, what: str) -> Path:
    """Two right images of each subset; or one that no sample has."""
    with zipfile.ZipFile(path, "w") as made, zipfile.ZipFile(BLOCKS_DATA / "submissions" / "perfect.zip") as perfect:
        if what == MEMBER:
            made.writestr(f"blocks-room/{MEMBER}", b"no picture")
        else:
            for subset in ("blocks-tabletop", "blocks-room"):
                for name in [one for one in perfect.namelist() if one.startswith(subset) and one[-1] != "/"][:2]:
                    made.writestr(name, perfect.read(name))
    return path


def _truth() -> str:
    with zipfile.ZipFile(BLOCKS_DATA / "blocks-hidden.zip") as hidden:
        return hidden.read("truth.json").decode()


def _numbers(text: str) -> set[str]:
    """Numbers that are not met by chance: eight digits behind the point at least."""
    found = sorted(set(re.findall(r"\d\.\d{8,}", text)))
    return set(found[:: max(1, len(found) // MOST_NUMBERS)])


def _results(owner: Client, submission: str) -> set[str]:
    """The numbers of an unpublished result as its team sees them, but those that everybody reads in the paper."""
    told = json.dumps(owner.submission(submission).results)
    published = PAPER.read_text()
    found = {number for number in re.findall(r"\d+\.\d\d", told) if number not in published}
    assert found
    return found


def _found(secrets: set[str], text: str) -> set[str]:
    """Which of them stand in a text, numbers as whole numbers."""
    return {one for one in secrets if one in text and re.search(rf"(?<![\d.]){re.escape(one)}(?!\d)", text) is not None}


def _addresses(place: Place) -> list[str]:
    """Every address of the API that is read, with what there is filled in."""
    document = httpx.get(f"{place.stack.state.url}/api/v1/openapi.json", trust_env=False).json()
    found = []
    for path, methods in document["paths"].items():
        if "get" in methods and not path.endswith("/stream"):
            for submission in (place.scored, place.rejected):
                found.append(
                    path.replace("{submission_id}", submission)
                    .replace("{benchmark_id}", "blocks")
                    .replace("{subset}", "blocks-room")
                )
    return sorted({re.sub(r"\{[^}]*\}", "00000000-0000-4000-8000-000000000000", path) for path in found})


def _told(answer: httpx.Response) -> str:
    """All that an answer says: headers, body, and what is in a zip."""
    head = str(answer.headers)
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return head + " ".join(archive.namelist()) + archive.read("benchmark.json").decode()
    return head + answer.content.decode("utf-8", errors="replace")


@contextmanager
def _reader(place: Place, team: str) -> Iterator[httpx.Client]:
    """A browser's client of the site: nobody, or somebody who is signed in for a team."""
    url = place.stack.state.url
    with httpx.Client(base_url=url, headers={"origin": url}, trust_env=False, timeout=60) as http:
        if team:
            assert http.post("/api/v1/development/sign-in", json={"team": team}).is_success
        yield http


@pytest.mark.parametrize("team", ["", "Other Readers"])
def test_no_answer_or_page_tells_others_what_is_a_teams_or_hidden(team: str, place: Place) -> None:
    secret = place.secrets.truth | place.secrets.team | place.secrets.nobody
    pages = [*PAGES, f"/submission?id={place.scored}", f"/submission?id={place.rejected}"]
    with _reader(place, team) as http:
        for path in [*_addresses(place), *pages]:
            told = _told(http.get(path, headers={"accept": "text/html" if path in pages else "*/*"}))
            assert not _found(secret, told), path


@pytest.mark.parametrize("team", ["", "Other Readers"])
def test_no_refusal_tells_more_than_that_there_is_no_such_thing(team: str, place: Place) -> None:
    secret = place.secrets.truth | place.secrets.team | place.secrets.nobody
    with _reader(place, team) as http:
        for submission in (place.scored, place.rejected):
            for verb in ("publish", "unpublish", "withdraw", "retry", "hide", "disqualify"):
                body = {"reason": "canary"} if verb in ("hide", "disqualify") else None
                answer = http.post(f"/api/v1/submissions/{submission}/{verb}", json=body)
                assert answer.status_code in (401, 403, 404), answer.text
                assert not _found(secret, _told(answer)), verb
    assert place.owner.submission(place.scored).state == "scored"


def test_not_even_the_team_is_told_what_is_hidden(place: Place) -> None:
    with _reader(place, "Canary Owners") as http:
        for path in [*_addresses(place), f"/submission?id={place.scored}", f"/submission?id={place.rejected}"]:
            told = _told(http.get(path))
            assert not _found(place.secrets.truth | place.secrets.nobody, told), path
        seen = http.get(f"/submission?id={place.rejected}").text
    assert MEMBER in seen, "its own files are named to it"


def test_no_line_of_any_log_tells_what_is_hidden_a_teams_files_or_scores(place: Place) -> None:
    secret = place.secrets.truth | place.secrets.team | place.secrets.nobody
    files = [*(place.stack.data_dir / "logs").rglob("*.log"), place.stack.data_dir.parent / "up.log"]
    assert len(files) >= 4
    for file in files:
        text = file.read_text(errors="replace")
        assert not _found(secret, text), file.name
