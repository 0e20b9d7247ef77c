from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scorer.comparing import LEAST_KEPT
from scorer.contract import ExitCode
from scorer.detectors import grounding_dino, installed
from scorer.detectors.detany3d import weights as detany3d
from scorer.detectors.grounded import NAME as NAME_OF_DETECTOR
from scorer.deviations import FAIR, OFFICIAL, TABLE
from scorer.geometry import SAME_BOX_THRESHOLD
from scorer.measures.msssim import NAME, REACH
from scorer.official.imaging import LONGEST
from scorer.official.locality import LARGEST_DISTANCE, LEAST_SIMILARITY
from scorer.operations import matching

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        f"`{FAIR.name}`",
        f"`{OFFICIAL.name}`",
        f"`{NAME}`",
        f"S > {LEAST_SIMILARITY} and D < {LARGEST_DISTANCE}",
        f"S > {LEAST_SIMILARITY} or D < {LARGEST_DISTANCE}",
        f"longest side is at most {LONGEST} pixels",
        f"widened by {REACH} pixels",
        f"Less than {LEAST_KEPT:.0%} of the image",
        f"within a factor of {matching.FAITHFUL_SIZE}",
        f"turned by at most {np.rad2deg(matching.FAITHFUL_ANGLE):.0f}°",
        *(f"| {code.value} |" for code in ExitCode),
    ],
)
def test_the_page_states_the_numbers_that_the_code_uses(words):
    assert words in " ".join(PAGE.split())


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.deviation.value)
def test_the_page_tables_every_deviation_with_the_words_of_the_code(entry):
    cells = [entry.defect, f"`{entry.deviation}`", entry.reason, entry.formula, entry.effect]
    assert "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |" in PAGE.splitlines()


def test_the_page_tables_no_deviation_that_the_code_does_not_have():
    rows = [line for line in PAGE.splitlines() if line.startswith("| D")]
    assert len(rows) == len(TABLE)


DETECTOR_PAGE = (Path(__file__).parents[3] / "docs" / "detector.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        detany3d.PUBLISHED_SHA256,
        f"`{detany3d.PUBLISHED_FILE}`",
        f"`{grounding_dino.PUBLISHED}`",
        f"`{installed.FOLDER}`",
        f"`{NAME_OF_DETECTOR}`",
        f"the short side to {grounding_dino.SHORT_SIDE}, the long one to {grounding_dino.LONG_SIDE} at most",
        f"more likely than {grounding_dino.THRESHOLD}",
        f"below {SAME_BOX_THRESHOLD}",
        f"all {len(detany3d.wanted(detany3d.NETWORKS['full']())):,} arrays",
        *(f"`{name}`" for name in installed.DetectorSettings.model_fields),
        installed.TERMS.split(":")[0],
    ],
)
def test_the_detectors_page_states_what_the_code_wants(words):
    assert words in " ".join(DETECTOR_PAGE.split())
