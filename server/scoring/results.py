"""What a scorer left behind, believed only after it has been checked."""

from __future__ import annotations

import math
from collections.abc import Set
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from scorer.chunks import Chunk, Measured
from scorer.contract import Defect, Report, Result, RunManifest, Score, Verdict
from server.scoring import outputs
from server.scoring.model import NewScore, Run
from server.storage.port import Stored

_MOST_BYTES = 64 * 1024 * 1024
_DIMENSIONS = ("ic", "sa", "ac", "el", "avg")
_SLACK = 1e-6
Model = TypeVar("Model", bound=BaseModel)


class UntrustworthyResultError(Exception):
    """The result is missing, too large, not of the contract, or speaks of another run. The message is for operators."""


def read_verdict(file: Path, *, archive_sha256: str) -> Verdict:
    """The gate's verdict on that very archive. Raises UntrustworthyResultError."""
    verdict = _read(Verdict, file)
    if verdict.archive_sha256 != archive_sha256:
        raise UntrustworthyResultError("the verdict speaks of another archive")
    return verdict


def another_archive(stored: Stored, *, declared: str) -> Verdict:
    """The verdict on an archive that is not the one its team announced; it need not be opened."""
    defect = Defect(
        code="archive-differs",
        severity="error",
        message=f"The archive that arrived has the SHA-256 {stored.sha256}; {declared} was announced.",
        remedy="The file changed while it was sent, or the announcement was wrong: submit it again.",
    )
    return Verdict(
        accepted=False,
        defects=[defect],
        images={},
        archive_sha256=stored.sha256,
        archive_bytes=stored.size,
        bundle_version="received",
    )


def read_chunk(content: bytes, *, manifest: RunManifest, archive_sha256: str, unmeasured: Set[str]) -> Chunk:
    """Samples of that very run and archive, none of them measured before. Raises UntrustworthyResultError."""
    chunk = _understood(Chunk, content, name="a chunk")
    alike = {"threads": manifest.threads}
    if chunk.manifest.model_copy(update=alike) != manifest or chunk.archive_sha256 != archive_sha256:
        raise UntrustworthyResultError("a chunk speaks of another run or archive")
    ids = [sample.id for sample in chunk.samples]
    if len(set(ids)) != len(ids) or not set(ids) <= unmeasured:
        raise UntrustworthyResultError("a chunk holds samples that are not of this subset, or were measured before")
    return chunk


def read_measured(file: Path, *, n: int) -> Measured:
    """The end of the measuring of ``n`` samples. Raises UntrustworthyResultError."""
    found = _read(Measured, file)
    if found.n != n:
        raise UntrustworthyResultError(f"{found.n} samples were measured, not {n}")
    return found


def read_report(file: Path, *, run: Run, n: int) -> Report:
    """The report of that very run over ``n`` samples. Raises UntrustworthyResultError."""
    report = _read(Report, file)
    told = report.manifest
    wanted = (str(run.submission_id), run.subset, run.protocol, run.benchmark_version)
    if (told.submission, told.subset, told.protocol, told.benchmark_version) != wanted:
        raise UntrustworthyResultError("the report speaks of another run")
    for protocol, result in report.results.items():
        _check(result, n=n, protocol=protocol)
    return report


def _check(result: Result, *, n: int, protocol: str) -> None:
    if result.scores.overall.n != n or len(result.samples) != n:
        raise UntrustworthyResultError(f"under {protocol} the report covers {result.scores.overall.n} samples, not {n}")
    for name, score in _all_scores(result).items():
        mean = (score.ic + score.sa + score.ac + score.el) / 4
        if not math.isclose(score.avg, mean, abs_tol=_SLACK):
            raise UntrustworthyResultError(f"the average of {name} is not the mean of its dimensions ({protocol})")


def scores_of(report: Report) -> list[NewScore]:
    """Every number of a report as rows, for each protocol: overall as operation `all`, then each operation."""
    return [
        NewScore(
            protocol=protocol,
            operation=operation,
            dimension=name,
            value=getattr(score, name),
            n=score.n,
            missing=score.missing,
        )
        for protocol, result in report.results.items()
        for operation, score in _all_scores(result).items()
        for name in _DIMENSIONS
    ]


def _all_scores(result: Result) -> dict[str, Score]:
    return {"all": result.scores.overall, **{str(name): score for name, score in result.scores.operations.items()}}


def _read(model: type[Model], file: Path) -> Model:
    try:
        content = outputs.read(file.parent, file.name, most_bytes=_MOST_BYTES)
    except outputs.OutputError as error:
        raise UntrustworthyResultError(str(error)) from error
    return _understood(model, content, name=file.name)


def _understood(model: type[Model], content: bytes, *, name: str) -> Model:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UntrustworthyResultError(f"{name} is not of the contract: {where}: {first['msg']}") from error
