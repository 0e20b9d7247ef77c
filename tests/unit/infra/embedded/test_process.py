import os
import subprocess
import time
from pathlib import Path

import pytest

from infra.embedded.process import StartError, spawn, wait_for_predecessor


def sleeper(folder: Path, *, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", str(seconds)], cwd=folder)


def test_a_process_that_still_works_in_the_folder_is_waited_for(tmp_path: Path) -> None:
    with sleeper(tmp_path, seconds=0.6) as predecessor:
        began = time.monotonic()
        wait_for_predecessor("sleep", pid_file=tmp_path / "pid", folder=tmp_path, timeout=20)
        assert predecessor.poll() is not None or time.monotonic() - began > 0.5


def test_one_that_does_not_end_is_named(tmp_path: Path) -> None:
    with sleeper(tmp_path, seconds=30) as predecessor:
        with pytest.raises(StartError, match=f"Process {predecessor.pid} still works"):
            wait_for_predecessor("sleep", pid_file=tmp_path / "pid", folder=tmp_path, timeout=0.1)
        predecessor.kill()


def test_other_programs_in_the_folder_are_nobodys_business(tmp_path: Path) -> None:
    with sleeper(tmp_path, seconds=30) as shell:
        wait_for_predecessor("postgres", pid_file=tmp_path / "pid", folder=tmp_path, timeout=0.1)
        shell.kill()


def test_a_pid_file_whose_number_was_given_out_again_is_removed(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n/data\n")
    wait_for_predecessor("postgres", pid_file=tmp_path / "pid", folder=tmp_path, timeout=0.1)
    assert not (tmp_path / "pid").exists()


def test_a_pid_file_of_a_dead_process_stays_for_the_programs_own_check(tmp_path: Path) -> None:
    dead = sleeper(tmp_path, seconds=0)
    dead.wait()
    (tmp_path / "pid").write_text(f"{dead.pid}\n")
    wait_for_predecessor("postgres", pid_file=tmp_path / "pid", folder=tmp_path, timeout=0.1)
    assert (tmp_path / "pid").exists()


def test_a_log_is_added_to_unless_it_is_to_begin_afresh(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "part.log"
    for word, afresh in (("old", False), ("older", True), ("new", False)):
        spawn(["echo", word], log=log, afresh=afresh).wait()
    assert log.read_text() == "older\nnew\n"
