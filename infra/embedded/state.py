"""What a running stack leaves in its data directory for others to find: a lock and `state.json`."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.embedded.process import StartError

DEFAULT_HOME = Path(".gsi")
"""Data directories live here unless the caller says otherwise: `.gsi/data` for `up`, `.gsi/demo` for `demo`."""

_LOCK_TRIES = 5


class AlreadyRunningError(RuntimeError):
    """Another process holds this data directory; ``state`` says where it serves (None while it starts)."""

    def __init__(self, data_dir: Path, state: StackState | None) -> None:
        where = f"at {state.url} (process {state.pid})" if state else "and is still starting"
        super().__init__(f"A service is already running {where} with the data in {data_dir}. Stop it with: gsi down")
        self.state = state


@dataclass(frozen=True)
class StackState:
    """A running stack: where it serves, the supervisor's process id, when it started (ISO 8601, UTC)."""

    url: str
    pid: int
    started_at: str

    def write(self, data_dir: Path) -> None:
        """Publish this state, atomically."""
        temporary = data_dir / "state.json.new"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.replace(data_dir / "state.json")


def read_state(data_dir: Path) -> StackState | None:
    """The state of the stack that runs on ``data_dir`` now; None when none does or it is still starting."""
    try:
        state = StackState(**json.loads((data_dir / "state.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return state if is_locked(data_dir) else None


def remove_state(data_dir: Path) -> None:
    """Take the published state back."""
    (data_dir / "state.json").unlink(missing_ok=True)


def is_locked(data_dir: Path) -> bool:
    """Whether a live process holds ``data_dir``. What another user hides from us counts as not held."""
    try:
        file = (data_dir / "lock").open("rb")
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder_of(data_dir: Path) -> int | None:
    """The process that holds ``data_dir``, from its first moment on; None when none does."""
    if not is_locked(data_dir):
        return None
    try:
        return int((data_dir / "lock").read_text())
    except (OSError, ValueError):  # taken this very moment
        return None


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold ``data_dir`` alone while the block runs; the kernel lets go when the process dies, however it dies.

    Raises AlreadyRunningError when another process holds it, StartError when it cannot be made or written.
    """
    make_private(data_dir)
    with _usable(data_dir):
        opened = (data_dir / "lock").open("a+b", buffering=0)
    with opened as file:
        if not _lock(file.fileno()):
            raise AlreadyRunningError(data_dir, read_state(data_dir))
        remove_state(data_dir)  # of a process that was killed
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        yield


def make_private(data_dir: Path) -> None:
    """Make a data directory that others may pass through, as `nobody` must to reach its database, but not look into.

    Raises StartError when it cannot be made.
    """
    with _usable(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
        for name in ("logs", "storage", "work"):
            (data_dir / name).mkdir(exist_ok=True, mode=0o700)


@contextmanager
def _usable(data_dir: Path) -> Iterator[None]:
    """The system's refusals become StartError, for an operator to read."""
    try:
        yield
    except OSError as error:
        raise StartError(
            f"{data_dir} cannot be the data directory: {error.filename or data_dir}: {error.strerror}. "
            "Name another with --data-dir."
        ) from error


def _lock(file: int) -> bool:
    """Take the lock; whoever only looks whether it is held holds it for a moment himself, hence the second tries."""
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def secret_of(data_dir: Path) -> str:
    """The secret of this data directory, made on first use and readable by its owner alone. Raises StartError."""
    file = data_dir / "secret"
    with _usable(data_dir):
        if not file.exists():
            descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(secrets.token_urlsafe(48))
        return file.read_text()


def known_data_dirs() -> list[Path]:
    """The data directories that this machine's user is likely to have here, most usual first."""
    if not DEFAULT_HOME.is_dir():
        return []
    return sorted(path for path in DEFAULT_HOME.iterdir() if path.is_dir())
