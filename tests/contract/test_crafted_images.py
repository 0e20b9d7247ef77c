"""Pictures made to crash a decoder, given to the real gate and the real scorer where they run."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import Any

import pytest

from scorer import chunks
from scorer.contract import BenchmarkManifest
from server.scoring.results import read_verdict
from server.scoring.runner import JobKind, OutcomeKind, Runner
from tests.contract.conftest import Stage
from tests.contract.crafted import CRAFTED, SIDE, encoded
from tests.unit.scorer import folders

BROKEN = ("png-broken-stream", "jpeg-overfull-huffman-table", "webp-overfull-codes")
"""One of each format that no decoder may make a picture of."""
_BOUNDS = {"memory_bytes": 2**31, "timeout": 120}


def benchmark() -> dict[str, Any]:
    """One sample for each crafted file, and one for an honest one."""
    content = folders.benchmark()
    one = content["samples"][0]
    names = [*CRAFTED, "honest"]
    content["samples"] = [{**one, "id": f"s-{name}", "width": SIDE, "height": SIDE} for name in names]
    content["subsets"][0]["samples"] = len(names)
    return BenchmarkManifest.model_validate(content).model_dump(mode="json", by_alias=True)


def test_the_gate_tells_every_one_of_them_and_ends_well(launch: Stage, scorer: Runner) -> None:
    job = launch.job(kind=JobKind.GATE, **_BOUNDS)
    archive = job.input_dir / "submission.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for name, content in {**CRAFTED, "honest": encoded("PNG")}.items():
            made.writestr(f"{folders.SUBSET}/s-{name}.png", content)
    (job.input_dir / "benchmark.json").write_text(json.dumps(benchmark()))
    outcome = scorer.run(job, lambda _: True)
    assert outcome.kind is OutcomeKind.OK, outcome.tail
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    verdict = read_verdict(job.output_dir / "verdict.json", archive_sha256=sha256)
    assert not verdict.accepted
    assert "s-honest" in verdict.images
    assert not {f"s-{name}" for name in BROKEN} & set(verdict.images)
    assert len(verdict.images) < len(CRAFTED) / 2


def test_the_scorer_counts_them_as_unreadable_and_goes_on(launch: Stage, scorer: Runner) -> None:
    if launch.adapter.name == "process":
        pytest.skip("the same scorer, in the same process as in tests/unit/scorer")
    edits = {name: folders.EDITS[name] for name in ("move", "place", "rotate", "remove")}
    files = {name: CRAFTED[bad] for name, bad in zip(edits, BROKEN, strict=False)}
    honest = list(edits)[-1]
    files[honest] = folders.encoded(folders.draw(edits[honest].after, seed=2))
    job = launch.job(kind=JobKind.MEASURE, **{**_BOUNDS, "memory_bytes": 2**33})
    submission = folders.zipped({f"{folders.SUBSET}/scene-00_edit_{name}.png": file for name, file in files.items()})
    folders.write_run(job.input_dir, submission=submission, edits=edits)
    outcome = scorer.run(job, lambda _: True)
    assert outcome.kind is OutcomeKind.OK, outcome.tail
    measured = [sample for chunk in chunks.read(job.output_dir / chunks.FOLDER) for sample in chunk.samples]
    statuses = {one.id.removeprefix("scene-00_edit_"): one.under["gsi-fair-1"].status for one in measured}
    assert statuses == {name: "scored" if name == honest else "unreadable" for name in edits}
