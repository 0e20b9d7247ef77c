from __future__ import annotations

import pytest

from scorer.contract import BenchmarkManifest
from scorer.instruments import InstrumentSettings
from scorer.registry import missing_instruments


def manifest(**changes):
    """A benchmark of one sample, scored as Blocks is but for ``changes``."""
    sample = {
        "id": "a_edit_0",
        "subset": "s",
        "scene": "a",
        "operation": "remove",
        "instruction": "Remove it",
        "target": "it",
        "original": "a.png",
        "width": 64,
        "height": 64,
        "camera": {"intrinsics": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
    }
    fields = {
        "schema": "gsi-benchmark/1",
        "benchmark": "b",
        "title": "B",
        "protocol": "gsi-fair-1",
        "beside": ["gsi-official-1"],
        "detector": "blocks-detector-1",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
        "subsets": [{"id": "s", "title": "S", "samples": 1}],
        "samples": [sample],
    }
    return BenchmarkManifest.model_validate({**fields, **changes})


def test_nothing_is_missing_for_what_is_installed():
    assert missing_instruments(manifest(), InstrumentSettings()) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"detector": "none-1"}, "detector none-1"),
        ({"judge": "none-1"}, "judge none-1"),
        ({"perceptual": "none-1"}, "perceptual distance none-1"),
        ({"protocol": "none-1"}, "profile none-1"),
        ({"beside": ["none-1"]}, "profile none-1"),
    ],
)
def test_what_is_not_installed_is_named(changes, told):
    assert missing_instruments(manifest(**changes), InstrumentSettings()) == [told]


def test_an_instrument_that_is_known_and_not_set_up_is_missing(tmp_path):
    named = manifest(judge="language-judge-1", perceptual="lpips-alex-0.1")
    settings = InstrumentSettings(weights=str(tmp_path))
    assert missing_instruments(named, settings) == ["judge language-judge-1", "perceptual distance lpips-alex-0.1"]


def test_looking_whether_a_judge_can_be_had_keeps_no_judgements(tmp_path):
    served = {"adapter": "endpoint", "url": "http://127.0.0.1:1/v1", "model": "m", "revision": "1"}
    settings = InstrumentSettings.model_validate({"journals": str(tmp_path / "journals"), "judge": served})
    assert missing_instruments(manifest(judge="language-judge-1"), settings) == []
    assert not (tmp_path / "journals").exists()
