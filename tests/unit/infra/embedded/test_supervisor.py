import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.process import StartError
from infra.embedded.supervisor import Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(log_dir=tmp_path, env=dict(os.environ))
    yield made
    made.stop()


def tend_until(supervisor: Supervisor, name: str, *, other_than: int) -> int:
    deadline = time.monotonic() + 10
    while supervisor.pids().get(name, other_than) == other_than:
        assert time.monotonic() < deadline
        supervisor.tend()
        time.sleep(0.05)
    return supervisor.pids()[name]


def test_a_child_that_is_killed_is_started_again(supervisor: Supervisor) -> None:
    supervisor.add("worker", SLEEPER)
    first = supervisor.pids()["worker"]
    os.kill(first, signal.SIGKILL)
    assert tend_until(supervisor, "worker", other_than=first) != first


def test_a_child_that_dies_at_once_is_not_started_again_at_once(supervisor: Supervisor) -> None:
    supervisor.add("broken", [sys.executable, "-c", "raise SystemExit(3)"])
    time.sleep(0.3)
    supervisor.tend()
    supervisor.tend()
    assert supervisor.pids() == {}


def test_a_child_deaf_to_the_polite_signal_is_killed_after_its_grace(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.add("deaf", STUBBORN, grace=0.3)
    pid = supervisor.pids()["deaf"]
    while "deaf" not in (tmp_path / "deaf.log").read_text():
        time.sleep(0.02)
    supervisor.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_a_child_prints_is_in_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.add("talker", [sys.executable, "-c", "print('hello')"])
    deadline = time.monotonic() + 10
    while (tmp_path / "talker.log").read_text() != "hello\n":
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Database:
    """A part that dies on demand and refuses its first starts."""

    def __init__(self, *, refusals: int = 0) -> None:
        self.pid: int | None = None
        self.refusals = refusals
        self.tries = 0

    def start(self) -> str:
        self.tries += 1
        if self.tries <= self.refusals:
            raise StartError("not yet")
        self.pid = 4711
        return "there"


def test_a_watched_part_that_died_is_started_again(supervisor: Supervisor) -> None:
    database = Database()
    supervisor.watch("database", database)
    supervisor.tend()
    assert database.pid == 4711
    supervisor.tend()
    assert database.tries == 1


def test_a_watched_part_that_does_not_start_is_tried_again_later(supervisor: Supervisor) -> None:
    database = Database(refusals=1)
    supervisor.watch("database", database)
    supervisor.tend()
    supervisor.tend()
    assert (database.pid, database.tries) == (None, 1)
    deadline = time.monotonic() + 10
    while database.pid is None:
        assert time.monotonic() < deadline
        supervisor.tend()
        time.sleep(0.05)
    assert database.tries == 2
