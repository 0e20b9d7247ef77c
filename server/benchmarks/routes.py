"""Benchmarks over HTTP: what there is, and the public part to download. Nothing here knows the hidden key."""

from __future__ import annotations

import hashlib
import json
from itertools import groupby
from typing import Annotated, Any

from fastapi import Path, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel

from server.benchmarks import service, store
from server.benchmarks.files import inside, unpacked
from server.benchmarks.model import Benchmark, Kind, Subset
from server.errors import NotFoundError
from server.http.conditional import has_already
from server.http.dependencies import ServicesOf, UnitOf
from server.http.routing import ApiRouter

router = ApiRouter(prefix="/benchmarks", tags=["benchmarks"])

BenchmarkId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
_A_DAY = "public, max-age=86400"


class DimensionOut(BaseModel):
    """One column of a board."""

    id: str
    label: str
    title: str
    unit: str
    better: str = "high"


class SubsetOut(BaseModel):
    """A part of a benchmark."""

    id: str
    title: str
    samples: int | None


class BenchmarkOut(BaseModel):
    """A benchmark; ``version`` is the sha256 of its present content.

    ``protocols``: every profile that has a board; ``protocol``, the first, ranks. ``missing_instruments``: what it is
    scored with and this service does not have; while there are any it takes no submissions.
    """

    id: str
    title: str
    description: str
    kind: Kind
    protocol: str
    protocols: list[str]
    version: str | None
    accepts_submissions: bool
    missing_instruments: list[str]
    ranked_by: str
    dimensions: list[DimensionOut]
    subsets: list[SubsetOut]
    operations: list[str]
    source_url: str | None


class BenchmarksOut(BaseModel):
    """All benchmarks in the order of the site."""

    benchmarks: list[BenchmarkOut]


def _out(benchmark: Benchmark, subsets: list[Subset]) -> BenchmarkOut:
    return BenchmarkOut(
        id=benchmark.id,
        title=benchmark.title,
        description=benchmark.description,
        kind=benchmark.kind,
        protocol=benchmark.protocol,
        protocols=benchmark.protocols,
        version=benchmark.current_version,
        accepts_submissions=benchmark.accepts_submissions,
        missing_instruments=benchmark.missing_instruments,
        ranked_by=benchmark.ranked_by,
        dimensions=[DimensionOut(**dimension) for dimension in benchmark.dimensions],
        subsets=[SubsetOut(id=one.id, title=one.title, samples=one.samples) for one in subsets],
        operations=benchmark.operations,
        source_url=benchmark.source_url,
    )


@router.get("")
def list_benchmarks(unit: UnitOf) -> BenchmarksOut:
    """All benchmarks."""
    subsets = {
        name: list(group) for name, group in groupby(store.list_subsets(unit.conn), key=lambda one: one.benchmark_id)
    }
    return BenchmarksOut(benchmarks=[_out(one, subsets.get(one.id, [])) for one in store.list_benchmarks(unit.conn)])


@router.get("/{benchmark_id}")
def get_benchmark(benchmark_id: BenchmarkId, unit: UnitOf) -> BenchmarkOut:
    """One benchmark."""
    return _out(service.get(unit.conn, benchmark_id), store.subsets_of(unit.conn, benchmark_id))


@router.get("/{benchmark_id}/manifest", response_model=None)
def get_manifest(benchmark_id: BenchmarkId, request: Request, unit: UnitOf) -> Response | dict[str, Any]:
    """The public manifest: samples with instruction, original image and camera."""
    version = service.current_version(unit.conn, benchmark_id)
    etag = f'"{version.version}"'
    headers = {"etag": etag, "cache-control": "public, no-cache"}
    if has_already(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(json.dumps(version.manifest), media_type="application/json", headers=headers)


@router.get("/{benchmark_id}/inputs.zip", response_class=StreamingResponse)
def get_inputs(benchmark_id: BenchmarkId, unit: UnitOf, services: ServicesOf) -> StreamingResponse:
    """The public part as one zip: manifest and original images."""
    version = service.current_version(unit.conn, benchmark_id)
    name = f"{benchmark_id}-{version.version[:12]}.zip"
    return StreamingResponse(
        services.storage.read(version.public_key),
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="{name}"', "etag": f'"{version.version}"'},
    )


@router.get("/{benchmark_id}/originals/{name:path}", response_class=FileResponse)
def get_original(
    benchmark_id: BenchmarkId, name: str, request: Request, unit: UnitOf, services: ServicesOf
) -> Response:
    """One original image, by the last part of its path in the manifest."""
    version = service.current_version(unit.conn, benchmark_id)
    folder = unpacked(
        services.storage,
        key=version.public_key,
        version=version.version,
        part="public",
        work_dir=services.settings.work_dir,
    )
    file = inside(folder / "originals", name)
    if file is None:
        raise NotFoundError(f"There is no original {name!r}.")
    etag = f'"{hashlib.sha256(f"{version.version}/{name}".encode()).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": _A_DAY}
    if has_already(request, etag):
        return Response(status_code=304, headers=headers)
    return FileResponse(file, headers=headers)
