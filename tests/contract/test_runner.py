"""What every runner promises, shown on small programs that stand in for the scorer."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from scorer.contract import ProgressLine
from server.scoring.gpus import Gpus
from server.scoring.runner import JobKind, OutcomeKind
from tests.contract.adapters import Adapter, Promise
from tests.contract.conftest import Stage
from tests.unit.scorer.judges.misbehaving import GOOD, performing, says

ROOT = Path(__file__).parents[2]
ASKING = JobKind.JUDGE
"""A kind of job whose scorer may ask a judge."""


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0, OutcomeKind.OK),
        (65, OutcomeKind.PARTICIPANT),
        (70, OutcomeKind.DEFECT),
        (75, OutcomeKind.RETRY),
        (1, OutcomeKind.DEFECT),
    ],
)
def test_exit_statuses_are_told_apart(launch: Stage, status: int, kind: OutcomeKind) -> None:
    outcome = launch(f"raise SystemExit({status})").outcome
    assert (outcome.kind, outcome.exit_code) == (kind, status)


def test_a_job_that_sleeps_forever_is_timed_out(launch: Stage) -> None:
    assert launch("import time; time.sleep(60)", timeout=0.5).kind is OutcomeKind.TIMED_OUT


def test_a_job_that_ignores_every_request_to_end_is_timed_out(launch: Stage) -> None:
    program = """
        import signal, time
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(60)
    """
    assert launch(program, timeout=0.5).kind is OutcomeKind.TIMED_OUT


def test_a_memory_hog_is_out_of_memory(launch: Stage) -> None:
    program = "x = [bytearray(b'x') * 2**24 for _ in range(200)]"
    assert launch(program, memory_bytes=2**29).kind is OutcomeKind.OUT_OF_MEMORY


def test_a_job_that_crashes_is_killed(launch: Stage) -> None:
    assert launch("import ctypes; ctypes.string_at(0)").kind is OutcomeKind.KILLED


def test_a_program_that_is_not_there_could_not_start(adapter: Adapter, launch: Stage) -> None:
    outcome = adapter.make(["/nothing"]).run(launch.job(), lambda _: True)
    assert outcome.kind is OutcomeKind.COULD_NOT_START
    assert "/nothing" in outcome.tail


def test_the_job_sees_nothing_of_the_workers_environment(launch: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSI_SECRET_KEY", "hush")
    monkeypatch.setenv("DATABASE_URL", "postgresql://hush@db/gsi")
    ran = launch("import os; print(sorted(os.environ))", environment={"GSI_JUDGE_API_KEY": "the judge's"})
    assert "GSI_JUDGE_API_KEY" in ran.said
    assert "SECRET" not in ran.said
    assert "DATABASE_URL" not in ran.said


def test_the_input_is_read_and_the_output_written_whoever_the_worker_is(launch: Stage) -> None:
    program = """
        import pathlib
        there = pathlib.Path(__file__).parent
        pathlib.Path("copy").write_text((there / "deep/er/file").read_text())
        pathlib.Path("folder").mkdir()
        pathlib.Path("folder/more").write_text("more")
    """
    ran = launch(program, files={"deep/er/file": b"from the worker"})
    assert ran.kind is OutcomeKind.OK, ran.said
    assert (ran.wrote("copy"), ran.wrote("folder/more")) == ("from the worker", "more")


def test_a_path_that_was_granted_is_there_and_can_only_be_read(launch: Stage, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "file").write_text("numbers")
    program = f"""
        print(open("{weights}/file").read())
        try:
            open("{weights}/other", "w")
        except OSError:
            print("refused")
    """
    ran = launch(program, read_only=(weights,))
    assert "numbers" in ran.said
    if launch.adapter.promises(Promise.NO_WRITING_ELSEWHERE):
        assert "refused" in ran.said
        assert not (weights / "other").exists()


def test_a_granted_path_that_the_jobs_user_may_not_read_is_told_before_it_starts(launch: Stage, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    ran = launch("print('ran')", read_only=(closed,))
    if launch.adapter.name == "process" or os.geteuid() != 0:  # the worker itself
        assert ran.kind is OutcomeKind.OK
    else:
        assert ran.kind is OutcomeKind.COULD_NOT_START
        assert f"{closed} may not be read" in ran.said


def test_progress_reaches_the_beat_and_a_false_beat_stops_the_job(launch: Stage) -> None:
    seen: list[ProgressLine] = []

    def beat(progress: ProgressLine | None) -> bool:
        if progress is not None:
            seen.append(progress)
        return progress is None

    ran = launch(
        """
        import time
        with open("progress.jsonl", "a", buffering=1) as lines:
            lines.write("not json\\n")
            lines.write('{"stage": "measure", "done": 3, "total": 9}\\n')
            lines.write('{"stage": "measure", "done": 4')
            lines.flush()
            time.sleep(60)
        """,
        beat=beat,
    )
    assert ran.kind is OutcomeKind.CANCELLED
    assert [(line.stage, line.done, line.total) for line in seen] == [("measure", 3, 9)]


def test_a_beat_that_raises_leaves_nothing_running(launch: Stage) -> None:
    alive = launch.work_dir / "job-1/output/alive"

    def beat(_: ProgressLine | None) -> bool:
        if alive.exists():
            raise LookupError("the database is away")
        return True

    with pytest.raises(LookupError, match="the database is away"):
        launch(_ALIVE.format(setsid="pass", wait="time.sleep(60)"), beat=beat)
    assert _stays_as_it_is(alive)


_ALIVE = """
    import os, time
    if os.fork() == 0:
        {setsid}
        with open("alive", "a", buffering=1) as file:
            for _ in range(80):
                file.write("x\\n")
                time.sleep(0.05)
        os._exit(0)
    while not os.path.exists("alive"):
        time.sleep(0.01)
    {wait}
"""


def test_nothing_that_the_job_started_stays(launch: Stage) -> None:
    ran = launch(_ALIVE.format(setsid="pass", wait="pass"))
    assert ran.kind is OutcomeKind.OK
    assert _stays_as_it_is(ran.output / "alive")


def test_what_the_job_started_and_let_go_of_stays_at_most_under_a_bare_process(launch: Stage) -> None:
    ran = launch(_ALIVE.format(setsid="os.setsid()", wait="pass"))
    assert _stays_as_it_is(ran.output / "alive") is launch.adapter.promises(Promise.NOTHING_OUTLIVES_IT)


def test_a_job_ends_with_its_worker(launch: Stage) -> None:
    if launch.adapter.name == "container":
        pytest.skip("the next worker ends it: tests/contract/test_containers.py")
    job, name = launch.job(), type(launch.adapter.make([])).__name__
    script = job.input_dir / "program.py"
    script.write_text(textwrap.dedent(_ALIVE.format(setsid="pass", wait="time.sleep(60)")))
    entry = [launch.adapter.python, f"{launch.adapter.inside(job.input_dir)}/program.py"]
    program = f"""
        from pathlib import Path
        from server.scoring.{launch.adapter.name}_runner import {name}
        from server.scoring.runner import Job, JobKind

        folders = {{"input_dir": Path("{job.input_dir}"), "output_dir": Path("{job.output_dir}")}}
        job = Job(kind=JobKind.GATE, timeout=60, memory_bytes=2**31, **folders)
        {name}(command={entry}).run(job, lambda _: True)
    """
    worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, env={"PATH": os.defpath})
    try:
        while not (job.output_dir / "alive").exists():
            assert worker.poll() is None
            time.sleep(0.02)
    finally:
        worker.kill()
        worker.wait()
    time.sleep(0.2)
    child_stays = launch.adapter.name == "process"  # of a bare process only the scorer itself dies with the worker
    assert _stays_as_it_is(job.output_dir / "alive") is not child_stays


def test_what_the_job_prints_is_kept_to_its_end(launch: Stage) -> None:
    ran = launch("print('x' * 100_000); print('the end')")
    assert ran.said.endswith("the end\n")
    assert len(ran.said) <= 4096


def test_the_judge_is_reached_through_the_socket_and_nothing_else_is(launch: Stage) -> None:
    program = """
        import socket, sys
        asked = sys.argv[sys.argv.index("--socket") + 1]
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(asked)
            body = b"{}"
            door.sendall(b"POST /v1/x HTTP/1.1\\r\\nhost: judge\\r\\nauthorization: Bearer K\\r\\n")
            door.sendall(b"content-length: 2\\r\\nconnection: close\\r\\n\\r\\n" + body)
            print(door.makefile("rb").read()[:200])
    """
    with performing(says(GOOD)) as stage:
        ran = launch(program, kind=ASKING, endpoint=stage.url, environment={"GSI_JUDGE_API_KEY": "K"})
        assert "200 OK" in ran.said
        assert stage.headers[0]["authorization"] == "Bearer K"
    assert not list(launch.work_dir.rglob("judge.sock"))


def test_a_judge_that_is_not_there_is_no_answer(launch: Stage) -> None:
    program = """
        import socket, sys
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(sys.argv[sys.argv.index("--socket") + 1])
            try:
                print(door.recv(10))
            except ConnectionError:
                print(b"")
    """
    assert "b''" in launch(program, kind=ASKING, endpoint="http://127.0.0.1:9/v1").said


def test_a_gpu_that_nobody_named_keeps_a_job_from_starting(launch: Stage) -> None:
    ran = launch("print('ran')", gpu=True)
    assert ran.kind is OutcomeKind.COULD_NOT_START
    assert "GSI_GPUS" in ran.said


def test_a_gpu_is_one_jobs_at_a_time_and_waiting_for_it_can_be_ended(launch: Stage, tmp_path: Path) -> None:
    gpus = Gpus(["7"], folder=tmp_path / "gpus")
    beats: list[None] = []

    def beat(_: ProgressLine | None) -> bool:
        beats.append(None)
        return len(beats) < 3

    with Gpus(["7"], folder=tmp_path / "gpus").one(lambda: False) as mine:
        assert mine == "7"
        ran = launch("print('ran')", gpu=True, runner={"gpus": gpus}, beat=beat)
        assert ran.kind is OutcomeKind.CANCELLED
        assert "ran" not in ran.said


def test_two_jobs_at_once_do_not_see_each_other(launch: Stage) -> None:
    program = """
        import os, time
        open("here", "w").write("x")
        time.sleep(0.6)
        print(sorted(os.listdir(".")))
    """
    with _running(launch, program):
        assert "['here']" in launch(program).said


@contextmanager
def _running(launch: Stage, program: str) -> Iterator[None]:
    thread = Thread(target=launch, args=(program,))
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _stays_as_it_is(file: Path) -> bool:
    before = file.stat().st_size
    time.sleep(0.3)
    return file.stat().st_size == before
