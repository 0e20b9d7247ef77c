"""A Docker engine for tests: started by whoever needs it first, stopped by whoever leaves last, in any process.

It needs root and namespaces, and neither systemd, iptables, a bridge nor a registry. Images stay in a cache folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_START_SECONDS = 20
_STOP_SECONDS = 30


class NoEngineError(Exception):
    """This machine cannot run containers; the message says why."""


def cache_folder() -> Path:
    """Where engine and images are kept from one run to the next."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gsi" / "engine"


@contextmanager
def running_engine(folder: Path) -> Iterator[str]:
    """The address of an engine whose data lie in ``folder``. Raises NoEngineError where none can run."""
    if os.geteuid() != 0:
        raise NoEngineError("not root, and DOCKER_HOST names no engine")
    if shutil.which("dockerd") is None:
        raise NoEngineError("dockerd is not installed (Debian: apt-get install --no-install-recommends docker.io)")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    host = f"unix://{folder / 'docker.sock'}"
    with (folder / "users.lock").open("w") as users:
        with locked(folder / "turn.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not answers(host):
                _start(folder, host)
        try:
            yield host
        finally:
            with locked(folder / "turn.lock"), suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while anybody else uses it
                _stop(folder)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Nobody else is in here, in no process of this machine."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def answers(host: str) -> bool:
    """Whether an engine answers at ``host``, an address of a unix socket."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(5)
        try:
            door.connect(host.removeprefix("unix://"))
            door.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 OK" in door.recv(64)
        except OSError:
            return False


def _start(folder: Path, host: str) -> None:
    _stop(folder)  # one that hangs, or died and left its files
    log = folder / "dockerd.log"
    with log.open("wb") as out:
        # setsid: the engine may outlive this process while others still use it.
        subprocess.run(
            ["setsid", "--fork", *_command(folder, host)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True
        )
    deadline = time.monotonic() + _START_SECONDS
    while not answers(host):
        if time.monotonic() > deadline or _gave_up(log):
            raise NoEngineError(f"dockerd did not start: {log.read_text(errors='replace')[-1500:]}")
        time.sleep(0.05)


def _command(folder: Path, host: str) -> list[str]:
    return [
        "dockerd", "--host", host, "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"),
        "--pidfile", str(folder / "pid"), "--iptables=false", "--ip-masq=false", "--ip-forward=false", "--bridge=none",
        "--default-ulimit", "nofile=1024:1024",
    ]  # fmt: skip


def _gave_up(log: Path) -> bool:
    return "failed to start daemon" in log.read_text(errors="replace")


def _stop(folder: Path) -> None:
    pid = _pid_of(folder / "pid")
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while _pid_of(folder / "pid") == pid and time.monotonic() < deadline:
            time.sleep(0.05)
        if _pid_of(folder / "pid") == pid:
            os.kill(pid, signal.SIGKILL)
    (folder / "pid").unlink(missing_ok=True)


def _pid_of(file: Path) -> int | None:
    """The engine's process by its pid file; None when there is none that runs."""
    try:
        pid = int(file.read_text())
        name, state = Path(f"/proc/{pid}/stat").read_text().split("(")[1].split(")")
    except (OSError, ValueError, IndexError):
        return None
    return pid if name == "dockerd" and state.split()[0] != "Z" else None
