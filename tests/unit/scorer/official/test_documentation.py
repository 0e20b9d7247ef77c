from __future__ import annotations

from pathlib import Path

import pytest

from scorer.official import candidates, imaging, locality, move, remove, rotate, scale, viewpoint
from scorer.official.files import PROFILE
from scorer.operations.parsing import VERBS

PAGE = (Path(__file__).parents[4] / "docs" / "protocol.md").read_text(encoding="utf-8")
SECTION = " ".join(PAGE.split("## Profile gsi-official-1")[1].split("\n## ")[0].split())


@pytest.mark.parametrize(
    "words",
    [
        *(", ".join(verbs) for verbs in VERBS.values()),
        f"longest side of {imaging.LONGEST}",
        f"multiples of {imaging.PATCH}",
        f"SSIM > {locality.LEAST_SIMILARITY} *or* LPIPS < {locality.LARGEST_DISTANCE}",
        f"(|g − b₀| + 10⁻⁵) > {candidates.LEAST_MOTION}",
        f"({move.OVERLAP_WEIGHT} s₁ + {move.DISTANCE_WEIGHT} s₂)",
        f"SA > {move.COMPLIANT}",
        f"(move 0.1, rotate and scale {rotate.SAME_BOX})",
        f"its centre moved {rotate.LARGEST_SHIFT} m",
        f"clip(1 − {remove.LOSS} (n₀ − n₁ − 1))",
        f"IoU₃D > {remove.STILL_THERE}",
        f"SA ≥ {100 * remove.COMPLIANT:.0f}",
        f"> {scale.LEAST_CHANGE} |",
        f"ratio test {viewpoint.RATIO}",
        f"focal length of {viewpoint.FOCAL_LENGTH:.0f} px",
        f"{viewpoint.LARGEST_ANGLE:.0f}°",
    ],
)
def test_the_section_states_the_numbers_that_the_code_uses(words):
    assert words in SECTION


def test_the_profile_is_in_the_table_of_profiles():
    assert f"[`{PROFILE}`](#profile-{PROFILE})" in PAGE
