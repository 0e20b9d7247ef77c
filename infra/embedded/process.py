"""Starting and stopping one child process that must never outlive us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil


class StartError(RuntimeError):
    """A part could not be started; the message says which, why and where its log lies."""


def tied_to_parent(argv: Sequence[str], stop_signal: signal.Signals) -> list[str]:
    """``argv`` wrapped so that the kernel sends ``stop_signal`` when the starting thread's process dies.

    Without util-linux's ``setpriv`` the command is returned as it is: a clean stop still works, only the death of the
    parent by SIGKILL would then leave the child.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return list(argv)
    return [setpriv, "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--", *argv]


def spawn(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    afresh: bool = False,
) -> subprocess.Popen[bytes]:
    """Start ``argv`` in a session of its own, without standard input, with ``pass_fds`` open.

    Its output is appended to ``log``; ``afresh`` empties that first.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb" if afresh else "ab") as out:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
            pass_fds=pass_fds,
        )


def wait_until_ready(
    process: subprocess.Popen[bytes], ready: Callable[[], bool], *, name: str, log: Path, timeout: float
) -> None:
    """Poll ``ready`` until it holds.

    Raises StartError when the process ends first or ``timeout`` seconds pass; the process is stopped in that case.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        if process.poll() is not None:
            raise StartError(f"{name} ended at once (exit status {process.returncode}).\n{tail(log)}")
        if time.monotonic() > deadline:
            stop(process, signal.SIGKILL, timeout=5)
            raise StartError(f"{name} was not ready after {timeout:.0f} s.\n{tail(log)}")
        time.sleep(0.03)


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, *, timeout: float) -> None:
    """Ask with ``stop_signal``; after ``timeout`` seconds kill the child's whole process group."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
            process.wait(10)


def kill_group(pid: int) -> None:
    """SIGKILL to the process group that ``pid`` leads; nothing happens when it is gone."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_for_predecessor(program: str, *, pid_file: Path, folder: Path, timeout: float) -> None:
    """Wait until no process of ``program`` works in ``folder`` any more.

    A parent killed outright leaves children that take a moment to end, and a server killed outright leaves helpers that
    still write; two generations must not share a folder. A pid file that names a process which works elsewhere is of
    one that is long dead (the number was given out again) and is removed; any other stays, for the program's own check.

    Raises StartError when ``timeout`` seconds were not enough.
    """
    deadline = time.monotonic() + timeout
    while (at_work := _working(program, folder)) is not None:
        if time.monotonic() > deadline:
            raise StartError(f"Process {at_work} still works in {folder}. End it first.")
        time.sleep(0.05)
    pid = _pid_in(pid_file)
    if pid is not None and psutil.pid_exists(pid):
        pid_file.unlink(missing_ok=True)


def _working(program: str, folder: Path) -> int | None:
    """A live process of that name and working directory. Those of other users, which hide theirs, are not ours."""
    for process in psutil.process_iter():
        try:
            if process.name() == program and process.cwd() == str(folder):
                return process.pid
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return None


def _pid_in(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, named, for an operator to read."""
    if not log.exists():
        return f"(no log at {log})"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        text = file.read().decode(errors="replace")
    return f"last lines of {log}:\n" + "\n".join(text.splitlines()[-lines:])
