"""The whole service as an operator starts it and a team uses it: `gsi up`, the public REST API, real workers."""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from frontend.client import Client
from frontend.resources import Submission
from infra.embedded.state import StackState, is_locked, read_state
from infra.prepare import BLOCKS_DATA

ROOT = Path(__file__).parents[2]
SETTLED = {"scored", "published", "rejected", "failed", "withdrawn"}
pytestmark = pytest.mark.timeout(400)


def gsi(*arguments: str, **options: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=options.get("timeout", 120),
        env=clean_environment(),
    )


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("GSI_", "DATABASE_"))}


def wait_for(what: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


class Stack:
    """One running `gsi up` on a data directory of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.process: subprocess.Popen[bytes] | None = None
        self.open_clients: list[Client] = []

    def start(self) -> None:
        log = (self.data_dir.parent / "up.log").open("ab")
        argv = [sys.executable, "-m", "infra.cli", "up", "--data-dir", str(self.data_dir), "--workers", "2"]
        self.process = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log, env=clean_environment())
        log.close()
        wait_for(lambda: read_state(self.data_dir), seconds=120)

    @property
    def state(self) -> StackState:
        state = read_state(self.data_dir)
        assert state is not None
        return state

    def client(self, team: str) -> Client:
        with Client(url=self.state.url) as anyone:
            token = anyone.login(team=team).token
        client = Client(url=self.state.url, token=token)
        self.open_clients.append(client)
        return client

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process | None:
        """The process of one of the embedded databases, by its program's name; None while it does not run."""
        return next((child for child in self.children() if _command(child).split(" ")[0].endswith(name)), None)

    def worker(self) -> psutil.Process | None:
        """The Celery worker's main process, with a pool below it."""
        for child in self.children():
            if _command(child).endswith("--without-mingle") and len(child.children()) >= 2:
                return child
        return None


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("service") / "data")
    running.start()
    try:
        yield running
    finally:
        assert running.process is not None
        for client in running.open_clients:
            client.close()
        running.process.send_signal(signal.SIGTERM)
        try:
            running.process.wait(60)
        except subprocess.TimeoutExpired:
            running.process.kill()


def submitted(client: Client, archive: Path, *, model: str) -> Submission:
    made = client.create(benchmark="blocks", model=model)
    return client.upload(made.id, archive)


def settled(client: Client, submission: Submission, *, seconds: float = 240) -> Submission:
    wait_for(lambda: client.submission(submission.id).state in SETTLED, seconds=seconds)
    return client.submission(submission.id)


def test_a_submission_is_scored_although_its_worker_is_killed_in_the_middle(stack: Stack) -> None:
    client = stack.client("Survivors")
    made = submitted(client, BLOCKS_DATA / "submissions" / "perfect.zip", model="Perfect editor")
    wait_for(lambda: any(run.done > 3 for run in client.submission(made.id).runs), seconds=120)
    worker = stack.worker()
    assert worker is not None
    worker.kill()
    found = settled(client, made)
    assert found.state == "scored"
    assert max(run.attempt for run in found.runs) > 1
    assert found.results is not None
    for subset in ("blocks-tabletop", "blocks-room"):
        scores = found.results[subset]["all"]
        assert scores["n"] == 36
        assert scores["missing"] == 0
        assert (scores["ic"] or 0) >= 97
        assert (scores["avg"] or 0) >= 90
    client.act(made.id, verb="publish")
    board = client.leaderboard("blocks")
    assert [(row.rank, row.model, row.provenance) for row in board.rows] == [(1, "Perfect editor", "scored")]


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


HOSTILE = {
    "a path outside": {"../../etc/passwd": b"x"},
    "a bomb": {"blocks-tabletop/tabletop-01_edit_0.png": bytes(90 * 2**20)},
    "a text file renamed": {"blocks-tabletop/tabletop-01_edit_0.png": b"these are words, not pixels"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_is_rejected_with_what_to_fix(stack: Stack, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "hostile.zip"
    archive.write_bytes(zipped(HOSTILE[name]))
    client = stack.client("Mischief")
    found = settled(client, submitted(client, archive, model=name), seconds=60)
    assert found.state == "rejected"
    errors = [defect for defect in found.defects if defect.severity == "error"]
    assert errors
    assert all(defect.message and defect.remedy for defect in errors)
    assert any(defect.file for defect in errors)


def test_the_command_line_submits_checks_and_reads_the_board(stack: Stack, tmp_path: Path) -> None:
    archive = tmp_path / "words.zip"
    archive.write_bytes(zipped(HOSTILE["a text file renamed"]))
    url = ["--url", stack.state.url]
    refused = gsi("check", str(archive), *url)
    assert refused.returncode == 65
    assert "tabletop-01_edit_0.png" in refused.stdout + refused.stderr
    accepted = gsi("check", str(BLOCKS_DATA / "submissions" / "nothing.zip"), *url)
    assert accepted.returncode == 0
    board = gsi("leaderboard", "--benchmark", "gsi-bench", *url)
    assert "BAGEL" in board.stdout


def test_a_second_up_says_that_one_is_running(stack: Stack) -> None:
    second = gsi("up", "--data-dir", str(stack.data_dir))
    assert second.returncode == 1
    assert stack.state.url in second.stderr


def test_the_website_and_the_api_answer_at_one_address(stack: Stack) -> None:
    for path in ("/", "/submit", "/plain", "/api/docs", "/api/v1/ready"):
        assert httpx.get(stack.state.url + path, timeout=20).status_code == 200, path


def test_nothing_hidden_is_in_what_a_job_leaves_behind(stack: Stack) -> None:
    logs = "".join(path.read_text(errors="replace") for path in (stack.data_dir / "logs").iterdir())
    for secret in (stack.data_dir / "secret", stack.data_dir / "redis" / "password"):
        assert secret.read_text() not in logs
    assert "new_bbox_3d" not in logs


@pytest.mark.parametrize("program", ["postgres", "redis-server"])
def test_a_database_that_is_killed_comes_back_with_its_data(stack: Stack, program: str) -> None:
    client = stack.client("Survivors")
    before = [(one.id, one.state) for one in client.submissions()]
    killed = stack.part(program)
    assert killed is not None
    killed.kill()
    wait_for(lambda: (found := stack.part(program)) is not None and found.pid != killed.pid, seconds=60)
    wait_for(lambda: _ready(stack.state.url), seconds=60)
    assert [(one.id, one.state) for one in stack.client("Survivors").submissions()] == before


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/ready", timeout=20).status_code == 200
    except httpx.HTTPError:
        return False


def test_after_a_supervisor_killed_outright_the_next_up_finds_the_data(stack: Stack) -> None:
    before = [(one.id, one.state) for one in stack.client("Survivors").submissions()]
    assert stack.process is not None
    stack.process.kill()
    stack.process.wait(30)
    stack.start()
    assert [(one.id, one.state) for one in stack.client("Survivors").submissions()] == before


def test_down_ends_everything_and_a_restart_finds_the_data(stack: Stack) -> None:
    client = stack.client("Survivors")
    before = [(one.id, one.state) for one in client.submissions()]
    assert before
    family = stack.children()
    done = gsi("down", "--data-dir", str(stack.data_dir))
    assert done.returncode == 0, done.stderr
    assert stack.process is not None
    stack.process.wait(30)
    assert not is_locked(stack.data_dir)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    stack.start()
    again = stack.client("Survivors")
    assert [(one.id, one.state) for one in again.submissions()] == before
