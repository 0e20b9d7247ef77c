"""What every runner promises, shown on small programs that stand in for the scorer."""

import os
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scorer.contract import ProgressLine
from server.scoring.process_runner import ProcessRunner
from server.scoring.runner import Job, JobKind, Outcome, OutcomeKind

Launch = Callable[..., Outcome]


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    def run(
        program: str,
        *,
        timeout: float = 20,
        memory: int = 2**31,
        beat: Callable[[ProgressLine | None], bool] = lambda _: True,
    ) -> Outcome:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(program))
        for name in ("input", "output"):
            (tmp_path / name).mkdir(exist_ok=True)
        runner = ProcessRunner(command=[sys.executable, str(script)], beat_seconds=0.05)
        job = Job(
            kind=JobKind.SCORE,
            input_dir=tmp_path / "input",
            output_dir=tmp_path / "output",
            timeout=timeout,
            memory_bytes=memory,
        )
        return runner.run(job, beat)

    return run


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
def test_exit_statuses_are_told_apart(launch: Launch, status: int, kind: OutcomeKind) -> None:
    outcome = launch(f"raise SystemExit({status})")
    assert (outcome.kind, outcome.exit_code) == (kind, status)


def test_a_job_that_sleeps_forever_is_timed_out(launch: Launch) -> None:
    assert launch("import time; time.sleep(60)", timeout=0.3).kind is OutcomeKind.TIMED_OUT


def test_a_memory_hog_is_out_of_memory(launch: Launch) -> None:
    outcome = launch("x = bytearray(3 * 2**30)", memory=2**30)
    assert outcome.kind is OutcomeKind.OUT_OF_MEMORY


def test_a_job_killed_by_a_signal_is_killed(launch: Launch) -> None:
    assert launch("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").kind is OutcomeKind.KILLED


def test_a_program_that_is_not_there_could_not_start(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    runner = ProcessRunner(command=[str(tmp_path / "nothing")])
    job = Job(kind=JobKind.GATE, input_dir=tmp_path, output_dir=tmp_path / "output", timeout=5, memory_bytes=2**30)
    assert runner.run(job, lambda _: True).kind is OutcomeKind.COULD_NOT_START


def test_the_job_sees_nothing_of_the_workers_environment(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSI_SECRET_KEY", "hush")
    monkeypatch.setenv("DATABASE_URL", "postgresql://hush@db/gsi")
    outcome = launch("import os; print(sorted(os.environ))")
    assert "PYTHONPATH" in outcome.tail
    assert "GSI_" not in outcome.tail
    assert "DATABASE_URL" not in outcome.tail


def test_progress_reaches_the_beat_and_a_false_beat_stops_the_job(launch: Launch) -> None:
    seen: list[ProgressLine] = []

    def beat(progress: ProgressLine | None) -> bool:
        if progress is not None:
            seen.append(progress)
        return progress is None

    outcome = launch(
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
    assert outcome.kind is OutcomeKind.CANCELLED
    assert [(line.stage, line.done, line.total) for line in seen] == [("measure", 3, 9)]


def test_nothing_that_the_job_started_stays(launch: Launch, tmp_path: Path) -> None:
    launch(
        """
        import os, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open("child", "w").write(str(child.pid))
        """
    )
    child = int((tmp_path / "output" / "child").read_text())
    deadline = time.monotonic() + 5
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(child)


def test_what_the_job_prints_is_kept_to_its_end(launch: Launch) -> None:
    outcome = launch("print('x' * 100_000); print('the end')")
    assert outcome.tail.endswith("the end\n")
    assert len(outcome.tail) <= 4096


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
