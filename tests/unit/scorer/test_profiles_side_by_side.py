from __future__ import annotations

import json
from pathlib import Path

import pytest

from scorer import inputs, protocol
from scorer.contract import Report, Result
from scorer.judges.port import Judgement
from scorer.measures.msssim import MsSsim
from scorer.measuring import Instruments
from scorer.registry import detector_named
from tests.unit.scorer import folders
from tests.unit.scorer.blocks.drawing import draw

FAIR, OFFICIAL = "gsi-fair-1", "gsi-official-1"


class SevereJudge:
    """Gives every edit the same score."""

    name = "blocks-judge-1"
    hermetic = False

    def __init__(self, score: float | None) -> None:
        self.score = score

    def provenance(self) -> dict[str, str]:
        return {}

    def judge_all(self, questions):
        for question in questions:
            yield Judgement(self.score, f"judged {question.key}")


def reported(folder: Path, names: list[str], *, score: float | None) -> Report:
    """A submission of these true edits under both profiles."""
    edits = {name: folders.EDITS[name] for name in ("move", "scale")}
    files = {f"{folders.SUBSET}/scene-00_edit_{n}.png": folders.encoded(draw(edits[n].after, seed=2)) for n in names}
    folders.write_run(folder, submission=folders.zipped(files), edits=edits)
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"beside": [OFFICIAL]}))
    instruments = Instruments(detector_named("blocks-detector-1"), SevereJudge(score), MsSsim())
    return protocol.score(inputs=inputs.load(folder), instruments=instruments)


def scores(result: Result, operation: str) -> tuple[float, float, float, float]:
    found = next(sample for sample in result.samples if sample.operation == operation)
    return found.ic, found.sa, found.ac, found.el


@pytest.mark.parametrize("score", [0.0, None])
def test_an_appearance_of_zero_takes_the_other_three_along_in_the_official_profile_alone(tmp_path, score):
    report = reported(tmp_path, ["scale"], score=score)
    assert scores(report.results[OFFICIAL], "scale") == (0, 0, 0, 0)
    ic, sa, ac, el = scores(report.results[FAIR], "scale")
    assert (ic, ac) == (100, 0)
    assert min(sa, el) > 80


def test_a_missing_sample_counts_as_zero_in_the_fair_profile_and_not_at_all_in_the_official_one(tmp_path):
    report = reported(tmp_path, ["scale"], score=9.0)
    fair, official = (report.results[name] for name in (FAIR, OFFICIAL))
    assert fair.missing == official.missing == ["scene-00_edit_move"]
    assert fair.scores.overall.ic == 50
    assert official.scores.overall.ic == 100
    assert official.scores.overall.ac == 90
    assert fair.deviations
    assert official.deviations == []
