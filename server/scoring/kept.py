"""What the originals of a benchmark decide, kept for all runs: only the worker writes it.

A job that sees no submission makes it; what comes out is moved here under the names that hashes give. Runs get links to
the files of their own subset, so that none can change, or see, what others are measured with.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from scorer.contract import RunManifest
from scorer.kept import NAME, Needed, forget_oldest
from server.scoring import outputs
from server.scoring.results import UntrustworthyResultError
from server.scoring.tools import LOG

_NAME = re.compile(NAME)
_MOST_BYTES = 64 * 1024 * 1024
DEFAULT_BYTES = 16 << 30


@dataclass(frozen=True)
class KeptFolder:
    """The kept files of one subset of one benchmark. ``most_bytes``: of all files of the folder."""

    folder: Path
    most_bytes: int
    manifest: RunManifest

    def is_complete(self) -> bool:
        """Whether every file that the subset leads to is there. Marks them as used."""
        needed = self._needed()
        if needed is None:
            return False
        try:
            for name in needed.files:
                os.utime(self.folder / name)
        except OSError:
            return False
        return True

    def lend(self, target: Path) -> None:
        """Put the subset's files into a folder, without copying where the file system allows; what is gone is not."""
        target.mkdir(mode=0o700)
        needed = self._needed()
        for name in [] if needed is None else needed.files:
            with suppress(FileNotFoundError):
                try:
                    os.link(self.folder / name, target / name)
                except FileNotFoundError:
                    raise
                except OSError:
                    shutil.copyfile(self.folder / name, target / name)

    def take(self, output: Path) -> None:
        """Move what the job made into the folder. Raises UntrustworthyResultError for what is no such output."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            content = outputs.read(output, "needed.json", most_bytes=_MOST_BYTES)
            Needed.model_validate_json(content)
            for name in outputs.names(output, "originals"):
                if _NAME.fullmatch(name):
                    self._move(output, name)
        except (outputs.OutputError, ValidationError) as error:
            raise UntrustworthyResultError(f"the originals were not prepared: {error}") from error
        partial = self._list.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(content)
        partial.replace(self._list)
        forget_oldest(self.folder, most_bytes=self.most_bytes)

    def _move(self, output: Path, name: str) -> None:
        """Into place whole: a file system of its own is crossed beside the place."""
        beside = self.folder / f"{name}.{os.getpid()}.partial"
        with outputs.opened(output, f"originals/{name}") as source, beside.open("wb") as target:
            shutil.copyfileobj(source, target)
        beside.replace(self.folder / name)

    @property
    def _list(self) -> Path:
        """Which files they are: by all that can change that, and by the version that said so."""
        told = self.manifest.model_dump(mode="json", include={"benchmark_version", "subset", "perceptual", "detector"})
        said = [*sorted(told.items()), *self.manifest.protocols, version("gsi-bench")]
        return self.folder / f"{hashlib.sha256(repr(said).encode()).hexdigest()}.json"

    def _needed(self) -> Needed | None:
        try:
            return Needed.model_validate_json(self._list.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            LOG.warning("the list %s cannot be read; it is made again", self._list.name)
            return None
