"""Use-cases of benchmarks: look one up, register a content."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from psycopg import Connection
from pydantic import BaseModel, ValidationError

from scorer.contract import BenchmarkManifest, Truth
from server.benchmarks import store
from server.benchmarks.model import OPERATIONS, SCORED_DIMENSIONS, Benchmark, Subset, Version
from server.db import audit
from server.errors import ConflictError, InvalidError, NotFoundError
from server.storage.port import Storage, benchmark_key, put_file

_POSITION = 10

Model = TypeVar("Model", bound=BaseModel)


class Registered(NamedTuple):
    """A benchmark's content: its id, the sha256 that names it, and whether it has just become the current one."""

    benchmark: str
    version: str
    changed: bool


def get(conn: Connection, benchmark_id: str) -> Benchmark:
    """One benchmark. Raises NotFoundError."""
    found = store.get_benchmark(conn, benchmark_id)
    if found is None:
        raise NotFoundError(f"There is no benchmark {benchmark_id!r}.", remedy="See /api/v1/benchmarks for all.")
    return found


def current_version(conn: Connection, benchmark_id: str) -> Version:
    """The current content of a scored benchmark. Raises NotFoundError when it has none."""
    benchmark = get(conn, benchmark_id)
    version = store.get_version(conn, benchmark_id, benchmark.current_version or "")
    if version is None:
        raise NotFoundError(
            f"{benchmark.title} shows published results; it has no files here.", remedy="See its source for the data."
        )
    return version


class Content(NamedTuple):
    """What a benchmark consists of, checked: its manifest, and the archives of its public and its hidden part."""

    manifest: BenchmarkManifest
    version: str
    files: dict[str, Path]

    @property
    def keys(self) -> dict[str, str]:
        """Where the parts lie in storage, by ``public`` and ``hidden``."""
        return {part: benchmark_key(self.manifest.benchmark, self.version, part) for part in self.files}


def read_content(*, public_zip: Path, hidden_zip: Path) -> Content:
    """A benchmark's content from its two archives; ``version`` is the sha256 over both.

    Every file the manifest and the truth name is there, both name the same samples.
    Raises InvalidError that says what is wrong.
    """
    manifest = _checked_manifest(public_zip, hidden_zip)
    version = _content_hash(public_zip, hidden_zip)
    return Content(manifest, version, {"public": public_zip, "hidden": hidden_zip})


def register(
    conn: Connection,
    storage: Storage,
    *,
    public_zip: Path,
    hidden_zip: Path,
    missing: Sequence[str] = (),
    actor: str = "service",
) -> Registered:
    """Make a content of a scored benchmark the current one; safe to repeat. For contents that store in a moment.

    Raises InvalidError that says what is wrong, ConflictError when its id is that of published results.
    """
    content = read_content(public_zip=public_zip, hidden_zip=hidden_zip)
    with stored(storage, content):
        return enter(conn, content, missing=missing, actor=actor)


@contextmanager
def stored(storage: Storage, content: Content, *, keep: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """The archives in storage; what was put there now goes when the block raises, unless ``keep`` is true then."""
    put: list[str] = []
    try:
        for part, key in content.keys.items():
            if not storage.exists(key):
                put.append(key)
                put_file(storage, key, content.files[part])
        yield
    except BaseException:
        if put and not keep():
            for key in put:
                storage.delete(key)
        raise


def enter(conn: Connection, content: Content, *, missing: Sequence[str], actor: str) -> Registered:
    """Write a stored content down as the current one of its benchmark, and into the audit log where that is new.

    ``missing``: what it is scored with and this installation does not have. Raises ConflictError when the id is that of
    published results.
    """
    manifest = content.manifest
    before = store.get_benchmark(conn, manifest.benchmark)
    if before is not None and before.kind != "scored":
        raise ConflictError(
            f"{manifest.benchmark} is the board of published results; numbers made here never stand among them.",
            remedy="Give the benchmark another id.",
        )
    store.put_benchmark(
        conn,
        id=manifest.benchmark,
        title=manifest.title,
        description=manifest.description,
        kind="scored",
        protocol=manifest.protocol,
        dimensions=SCORED_DIMENSIONS,
        ranked_by="avg",
        operations=[one for one in OPERATIONS if any(sample.operation == one for sample in manifest.samples)],
        source_url=None,
        position=_POSITION,
    )
    store.put_subsets(
        conn,
        manifest.benchmark,
        [Subset(benchmark_id=manifest.benchmark, id=s.id, title=s.title, samples=s.samples) for s in manifest.subsets],
    )
    version = Version(
        benchmark_id=manifest.benchmark,
        version=content.version,
        manifest=manifest.model_dump(mode="json"),
        public_key=content.keys["public"],
        hidden_key=content.keys["hidden"],
        detector=manifest.detector,
        judge=manifest.judge,
    )
    changed = store.add_version(conn, version)
    judged = store.set_missing_instruments(conn, manifest.benchmark, missing)
    if changed or judged:
        detail = {"version": content.version, "samples": len(manifest.samples), "missing_instruments": list(missing)}
        audit.record(conn, actor=actor, action="benchmark.add", subject=manifest.benchmark, detail=detail)
    return Registered(manifest.benchmark, content.version, changed)


def note_missing(conn: Connection, benchmark_id: str, missing: Sequence[str], *, actor: str) -> bool:
    """Write down which instruments are not installed here, for the audit log too; False when that was known."""
    if not store.set_missing_instruments(conn, benchmark_id, missing):
        return False
    detail = {"missing_instruments": list(missing)}
    audit.record(conn, actor=actor, action="benchmark.refresh", subject=benchmark_id, detail=detail)
    return True


def _checked_manifest(public_zip: Path, hidden_zip: Path) -> BenchmarkManifest:
    try:
        with zipfile.ZipFile(public_zip) as public, zipfile.ZipFile(hidden_zip) as hidden:
            manifest = _parsed(public, "benchmark.json", BenchmarkManifest)
            truth = _parsed(hidden, "truth.json", Truth)
            wanted = {sample.original for sample in manifest.samples} - set(public.namelist())
            wanted |= {s.gt_image for s in truth.samples.values() if s.gt_image is not None} - set(hidden.namelist())
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise InvalidError(f"The benchmark cannot be read: {error}", remedy="Correct the archives.") from error
    if wanted:
        raise InvalidError(f"Files are missing: {sorted(wanted)[:5]}", remedy="Add them to the archives.")
    if {sample.id for sample in manifest.samples} != set(truth.samples):
        raise InvalidError("The manifest and the truth do not name the same samples.", remedy="Make both anew.")
    return manifest


def _parsed(archive: zipfile.ZipFile, name: str, model: type[Model]) -> Model:
    """A file of the contract; what is wrong is told by place and kind, for the values may be hidden ones."""
    try:
        return model.model_validate_json(archive.read(name))
    except ValidationError as error:
        wrong = [
            f"{'.'.join(str(part) for part in one['loc']) or 'content'}: {one['msg']}"
            for one in error.errors(include_input=False, include_url=False, include_context=False)[:5]
        ]
        raise InvalidError(f"{name} is not valid: {'; '.join(wrong)}", remedy="Correct the archives.") from None


def _content_hash(*files: Path) -> str:
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()
