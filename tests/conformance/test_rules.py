from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scorer.contract import TruthSample
from scorer.detectors.port import Detection
from scorer.deviations import OFFICIAL
from scorer.official.conformance.folder import Folder
from scorer.official.imaging import Frame
from scorer.operations.matching import find_origins
from scorer.rules import Case, judge
from tests.conformance.conftest import VECTORS

NEEDED = {
    "move": {"original_bbox_3d", "rotation_matrix", "new_bbox_3d"},
    "rotate": {"original_bbox_3d", "rotation_matrix", "new_rotation_matrix"},
    "scale": {"original_bbox_3d", "rotation_matrix", "new_bbox_3d"},
    "remove": {"original_bbox_3d", "rotation_matrix"},
}
ASKED = {"move": 309, "rotate": 310, "scale": 296, "remove": 310}
IC, SA = "instruction-compliance", "spatial-accuracy"


@pytest.fixture(scope="module")
def vectors() -> list[dict[str, Any]]:
    """Without those whose gate is closed, no matter of rules, and those whose truth no benchmark may have."""
    cases = Folder(VECTORS).json("ops")["cases"]
    return [case for case in cases if case["check"] and NEEDED[case["operation"]] <= case["edit"].keys()]


def detections(case: dict[str, Any], side: str) -> list[Detection]:
    return [
        Detection("thing", *(np.array(found[name]) for name in ("bbox_3d", "bbox_2d", "rotation_matrix")), 1.0)
        for found in case[side]["detections"]
    ]


def question(case: dict[str, Any]) -> Case:
    edit, before, after = case["edit"], detections(case, "origin"), detections(case, "result")
    known = {"label": "thing", "bbox_3d": edit["original_bbox_3d"], "rotation_matrix": edit["rotation_matrix"]}
    truth = TruthSample.model_validate({**edit, "target_index": 0, "objects": [known], "new_objects": []})
    intrinsics = np.array(edit["camera_intrinsics"])
    size = np.array([896.0, 896.0])
    return Case(
        operation=case["operation"],
        truth=truth,
        origins=find_origins(truth.objects, before, intrinsics=intrinsics, image_size=size),
        target=0,
        before=before,
        after=after,
        found=after,
        frame=Frame.of(896, 896),
        intrinsics=intrinsics,
    )


@pytest.mark.parametrize("operation", NEEDED)
def test_without_deviations_the_rules_give_the_official_result_on_every_case(vectors, operation):
    asked = [case for case in vectors if case["operation"] == operation]
    for case in asked:
        found = judge(question(case), OFFICIAL)
        assert found.compliance == case["expected"][IC]["value"], case["id"]
        assert found.accuracy == pytest.approx(case["expected"][SA]["value"], abs=1e-9, rel=0), case["id"]
    assert len(asked) == ASKED[operation]
