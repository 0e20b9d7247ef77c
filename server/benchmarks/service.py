"""Use-cases of benchmarks: look one up, register a content."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import NamedTuple

from psycopg import Connection
from pydantic import ValidationError

from scorer.contract import BenchmarkManifest, Truth
from server.benchmarks import store
from server.benchmarks.model import OPERATIONS, SCORED_DIMENSIONS, Benchmark, Subset, Version
from server.errors import InvalidError, NotFoundError
from server.storage.port import Storage, benchmark_key, put_file

_POSITION = 10


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


def register(conn: Connection, storage: Storage, *, public_zip: Path, hidden_zip: Path) -> Registered:
    """Make a content of a scored benchmark the current one; safe to repeat.

    Both archives are checked first: every file the manifest and the truth name is there, both name the same samples.
    Raises InvalidError that says what is wrong.
    """
    manifest = _checked_manifest(public_zip, hidden_zip)
    version = _content_hash(public_zip, hidden_zip)
    keys = {part: benchmark_key(manifest.benchmark, version, part) for part in ("public", "hidden")}
    for part, file in (("public", public_zip), ("hidden", hidden_zip)):
        if not storage.exists(keys[part]):
            put_file(storage, keys[part], file)
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
    changed = store.add_version(
        conn,
        Version(
            benchmark_id=manifest.benchmark,
            version=version,
            manifest=manifest.model_dump(mode="json"),
            public_key=keys["public"],
            hidden_key=keys["hidden"],
            detector=manifest.detector,
            judge=manifest.judge,
        ),
    )
    return Registered(manifest.benchmark, version, changed)


def _checked_manifest(public_zip: Path, hidden_zip: Path) -> BenchmarkManifest:
    try:
        with zipfile.ZipFile(public_zip) as public, zipfile.ZipFile(hidden_zip) as hidden:
            manifest = BenchmarkManifest.model_validate_json(public.read("benchmark.json"))
            truth = Truth.model_validate_json(hidden.read("truth.json"))
            wanted = {sample.original for sample in manifest.samples} - set(public.namelist())
            wanted |= {s.gt_image for s in truth.samples.values() if s.gt_image is not None} - set(hidden.namelist())
    except (OSError, zipfile.BadZipFile, KeyError, ValidationError) as error:
        raise InvalidError(f"The benchmark cannot be read: {error}", remedy="Correct the archives.") from error
    if wanted:
        raise InvalidError(f"Files are missing: {sorted(wanted)[:5]}", remedy="Add them to the archives.")
    if {sample.id for sample in manifest.samples} != set(truth.samples):
        raise InvalidError("The manifest and the truth do not name the same samples.", remedy="Make both anew.")
    return manifest


def _content_hash(*files: Path) -> str:
    whole = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()
