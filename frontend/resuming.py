"""What `gsi submit` remembers on disk, so that it goes on where it was stopped, whatever stopped it.

One small file for each archive and submission, named by what identifies them: the service, the file (path, size, time
of its last change) and what is said of the submission. A changed file is another one.
"""

import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

_KEPT_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A file as it is now: a change of its content changes one of these."""

    path: str
    size: int
    changed_ns: int

    @classmethod
    def of(cls, archive: Path) -> Self:
        """Of a file on disk; raises OSError."""
        found = archive.stat()
        return cls(path=str(archive.resolve()), size=found.st_size, changed_ns=found.st_mtime_ns)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a submission has come. `key` is the Idempotency-Key of its announcement; empty ids: not yet known."""

    key: str
    submission: str = ""
    upload: str = ""


def folder_of(environment: Mapping[str, str]) -> Path:
    """Where it is kept: $XDG_STATE_HOME/gsi/uploads or ~/.local/state/gsi/uploads."""
    base = environment.get("XDG_STATE_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "state") / "gsi" / "uploads"


class Memory:
    """The memory of one submission of one file to one service. What cannot be read counts as nothing."""

    def __init__(self, folder: Path, *, url: str, identity: Identity, wish: Mapping[str, str]) -> None:
        what = json.dumps([url, asdict(identity), dict(wish)], sort_keys=True)
        self._file = folder / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
        self._told = {"url": url, "file": identity.path}
        self.progress = self._read() or Progress(key=str(uuid.uuid4()))

    def _read(self) -> Progress | None:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            return Progress(**{name: str(found[name]) for name in ("key", "submission", "upload")})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, **changes: str) -> None:
        """Remember a change before anything follows from it; on disk when this returns."""
        self.progress = replace(self.progress, **changes)
        self._write({**self._told, **asdict(self.progress)})

    def begin_anew(self) -> None:
        """What was remembered is of no use any more."""
        self.progress = Progress(key=str(uuid.uuid4()))
        self.note()

    def forget(self) -> None:
        """It is done; memories of archives that nobody came back for go too."""
        self._file.unlink(missing_ok=True)
        oldest = time.time() - _KEPT_DAYS * 24 * 3600
        for other in self._file.parent.glob("*.json"):
            if other.stat().st_mtime < oldest:
                other.unlink(missing_ok=True)

    def _write(self, members: Mapping[str, Any]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._file.with_suffix(f".{os.getpid()}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            json.dump(members, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._file)
