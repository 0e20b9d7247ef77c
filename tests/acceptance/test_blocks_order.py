"""The shipped sample submissions are scored from their pixels and land in the order any person would expect."""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from scorer import environment, inputs, protocol
from scorer.bundle import check
from scorer.contract import BenchmarkManifest, Operation, Score
from scorer.instruments import InstrumentSettings
from scorer.registry import instruments_of

DATA = Path(__file__).parents[2] / "infra" / "blocks" / "data"
SUBMISSIONS = ("perfect", "noisy", "wrong-object", "nothing")
OPERATIONS: tuple[Operation, ...] = ("move", "rotate", "scale", "remove", "view", "place")


def run_folders(folder: Path, submission: str) -> list[Path]:
    """One run's input folder for each subset."""
    with zipfile.ZipFile(DATA / "blocks-public.zip") as public:
        public.extractall(folder)
    with zipfile.ZipFile(DATA / "blocks-hidden.zip") as hidden:
        hidden.extractall(folder / "truth")
    (folder / "submission.zip").symlink_to(DATA / "submissions" / f"{submission}.zip")
    benchmark = json.loads((folder / "benchmark.json").read_text())
    return [_with_manifest(folder, benchmark, subset["id"]) for subset in benchmark["subsets"]]


def _with_manifest(folder: Path, benchmark: dict[str, Any], subset: str) -> Path:
    manifest = {
        "submission": folder.name,
        "benchmark": benchmark["benchmark"],
        "benchmark_version": "shipped",
        "subset": subset,
        **{name: benchmark[name] for name in ("protocol", "beside", "detector", "judge", "perceptual")},
    }
    run = folder / f"run-{subset}"
    run.mkdir()
    for name in ("benchmark.json", "originals", "truth", "submission.zip"):
        (run / name).symlink_to(folder / name)
    (run / "manifest.json").write_text(json.dumps(manifest))
    return run


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[Operation, list[Score]]]:
    """By submission and operation, the scores of the subsets: all 4 x 72 samples, in well under a minute a core."""
    environment.prepare(threads=1, seed=0)
    found: dict[str, dict[Operation, list[Score]]] = {}
    for name in SUBMISSIONS:
        by_operation: dict[Operation, list[Score]] = defaultdict(list)
        for run in run_folders(tmp_path_factory.mktemp(name), name):
            loaded = inputs.load(run)
            instruments = instruments_of(loaded.manifest, InstrumentSettings())
            report = protocol.score(inputs=loaded, instruments=instruments)
            for operation, score in report.ranked.scores.operations.items():
                by_operation[operation].append(score)
        found[name] = by_operation
    return found


def mean(scores: list[Score], dimension: str = "avg") -> float:
    return sum(getattr(score, dimension) * score.n for score in scores) / sum(score.n for score in scores)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_perfect_is_well_above_noisy_and_noisy_above_the_rest(scores, operation):
    perfect, noisy, wrong, nothing = (mean(scores[name][operation]) for name in SUBMISSIONS)
    assert perfect > noisy + 10
    assert noisy > max(wrong, nothing) + 40
    assert mean(scores["perfect"][operation], "sa") > mean(scores["noisy"][operation], "sa") + 10


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_perfect_editor_is_near_the_ceiling(scores, operation):
    found = scores["perfect"][operation]
    assert mean(found, "ic") >= 99
    assert mean(found, "sa") >= 95
    assert mean(found, "ac") >= 90
    assert mean(found, "el") >= 97


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("submission", ["wrong-object", "nothing"])
def test_doing_nothing_or_the_wrong_thing_is_on_the_floor(scores, submission, operation):
    assert mean(scores[submission][operation]) <= 2


@pytest.mark.parametrize("submission", SUBMISSIONS)
def test_every_shipped_submission_passes_the_gate_without_a_word(submission):
    with zipfile.ZipFile(DATA / "blocks-public.zip") as public:
        manifest = BenchmarkManifest.model_validate_json(public.read("benchmark.json"))
    verdict = check(archive=DATA / "submissions" / f"{submission}.zip", manifest=manifest)
    assert verdict.accepted
    assert verdict.defects == []
    assert len(verdict.images) == len(manifest.samples)
