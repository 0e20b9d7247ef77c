"""`gsi benchmark add`: check everything, pack, register. Nothing is written before everything was found sound."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg

from infra.benchmarks.editions import DATASETS, Edition
from infra.benchmarks.findings import Findings
from infra.benchmarks.official import count_files, read_official
from infra.benchmarks.own import is_own, read_own
from infra.benchmarks.packing import Parts, pack
from infra.benchmarks.place import Place
from infra.benchmarks.progress import Progress
from scorer.contract import BenchmarkManifest
from server.benchmarks import service, store
from server.benchmarks.service import Content, Registered
from server.db.pool import transaction
from server.errors import ConflictError, GsiError

_ENDING = "_dataset"
_LOCK = 0x6753_4943  # any number that only we use


class UsageError(Exception):
    """The folders cannot be what they are said to be; the message says why."""


@dataclass(frozen=True)
class Wish:
    """What to add: official data set folders by name under an edition, or one folder of our own format."""

    official: Mapping[str, Path]
    own: Path | None


class Sound(NamedTuple):
    """A benchmark whose every file was checked, and its archives."""

    manifest: BenchmarkManifest
    parts: Parts


def wish_of(arguments: Sequence[str]) -> Wish:
    """What the folders on the command line are: FOLDER or NAME=FOLDER. Raises UsageError."""
    official: dict[str, Path] = {}
    for argument in arguments:
        name, folder = _named(argument)
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder.")
        if not name and is_own(folder):
            if len(arguments) > 1:
                raise UsageError(f"{folder} is a whole benchmark in the service's own format: give it alone.")
            return Wish({}, folder)
        name = name or _recognised(folder)
        if name in official:
            raise UsageError(f"The data set {name} is given twice: {official[name]} and {folder}.")
        official[name] = folder
    return Wish({name: official[name] for name in DATASETS if name in official}, None)


def _named(argument: str) -> tuple[str, Path]:
    """NAME=FOLDER, where NAME is that of a data set; anything else is a folder's path."""
    name, equals, folder = argument.partition("=")
    if not equals or Path(argument).is_dir():
        return "", Path(argument)
    if name not in DATASETS:
        raise UsageError(f"{name} is no data set of GSI-Bench; they are {', '.join(DATASETS)}.")
    return name, Path(folder)


def _recognised(folder: Path) -> str:
    for name in (folder.name, folder.resolve().name):
        if name.removesuffix(_ENDING) in DATASETS:
            return name.removesuffix(_ENDING)
    raise UsageError(
        f"{folder} has neither a benchmark.json nor archives *public.zip and *hidden.zip, and its name is that of no "
        f"data set. Say which it is: NAME=FOLDER, where NAME is one of {', '.join(DATASETS)}."
    )


@contextmanager
def checked(wish: Wish, edition: Edition, *, found: Findings, progress: Progress) -> Iterator[Sound]:
    """Everything read and packed, in a folder that vanishes with the block. Raises RefusedError, OSError."""
    with tempfile.TemporaryDirectory(prefix="gsi-benchmark-") as name:
        if wish.own is not None:
            with progress.step("checking", total=None) as advance:
                manifest, parts = read_own(wish.own, Path(name), found=found, advance=advance)
        else:
            manifest, parts = _official(wish.official, edition, Path(name), found, progress)
        yield Sound(manifest, parts)


def _official(
    folders: Mapping[str, Path], edition: Edition, into: Path, found: Findings, progress: Progress
) -> tuple[BenchmarkManifest, Parts]:
    with progress.step("checking", total=count_files(folders)) as advance:
        draft = read_official(folders, edition, found=found, advance=advance)
    with progress.step("packing", total=len(draft.public) + len(draft.hidden)) as advance:
        return draft.manifest, pack(draft, into, advance=advance)


def enter(place: Place, sound: Sound, *, missing: Sequence[str], actor: str) -> Registered:
    """Put the archives into storage and the benchmark into the database: both or neither, however the block ends.

    The database is held for a moment at the end, not while the archives travel.
    Raises ConflictError when another one is being registered, or the id is that of published results.
    """
    content = service.read_content(public_zip=sound.parts.public_zip, hidden_zip=sound.parts.hidden_zip)
    in_storage = service.stored(place.storage, content, keep=lambda: _may_be_entered(place, content))
    with _alone(place), in_storage, transaction(place.pool) as conn:
        return service.enter(conn, content, missing=missing, actor=actor)


def _may_be_entered(place: Place, content: Content) -> bool:
    """Whether the database knows a content after all; a commit whose answer was lost may have been carried out."""
    try:
        with transaction(place.pool) as conn:
            return store.get_version(conn, content.manifest.benchmark, content.version) is not None
    except (GsiError, psycopg.Error):
        return True


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """One registration at a time: two of the same content would clean up behind each other."""
    with place.pool.connection() as conn:
        conn.autocommit = True
        row = conn.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if row is None or not row[0]:
            raise ConflictError("Another benchmark is being registered.", remedy="Try again when that is over.")
        try:
            yield
        finally:
            conn.execute("select pg_advisory_unlock(%s)", (_LOCK,))
            conn.autocommit = False
