"""Image processing, mask, SSIM, LPIPS, MSE, gate and view comparison against the official functions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from scorer.measures.lpips import Lpips
from scorer.official import locality
from scorer.official.imaging import Image, UnmeasurableError, fitted, processed
from scorer.official.locality import Boxes
from tests.conformance.conftest import VECTORS

SSIM, LPIPS, MSE, VIEW = 1e-5, 2e-5, 1e-4, 2e-5


@cache
def content() -> dict[str, Any]:
    import gzip

    return json.loads(gzip.decompress((VECTORS / "locality.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def network() -> Lpips:
    return Lpips.load(VECTORS / "lpips_alex_seeded.npz", sha256=content()["lpips_weights"]["sha256"])


@pytest.fixture(autouse=True)
def bounded_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def image(name: str) -> Image:
    with ZipFile(VECTORS / "locality.zip") as archive:
        return np.asarray(PillowImage.open(BytesIO(archive.read(name.replace(".png", ".webp")))).convert("RGB"))


def pair(case: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    original = image(case["original"])
    by = "opencv-linear" if "cv2" in (case["edited_resized_by"] or "") else "pillow-bicubic"
    edited = fitted(image(case["edited"]), height=original.shape[0], width=original.shape[1], by=by)
    return processed(original), processed(edited)


def boxes(found: dict[str, Any]) -> Boxes:
    detections = found["detections"]
    return Boxes.of([one["bbox_3d"] for one in detections], [one["bbox_2d"] for one in detections])


def kept(case: dict[str, Any], *, height: int, width: int) -> locality.Mask:
    edit = case["edit"]
    rectangles = locality.excluded(
        boxes(case["origin"]),
        boxes(case["result"]),
        box=edit["original_bbox_3d"],
        rotation=edit["rotation_matrix"],
        intrinsics=edit["camera_intrinsics"],
    )
    return locality.kept_mask(rectangles, height=height, width=width)


CASES = {case["id"]: case for case in content()["cases"]}


@pytest.mark.parametrize("name", CASES)
def test_processing_and_mask_are_the_official_ones(name):
    case = CASES[name]
    expected = case["intermediate"]
    original, edited = pair(case)
    assert [*original.shape[1:], 3] == expected["processed_shape_hwc"]
    for found, key in ((original, "original"), (edited, "edited")):
        samples = np.array([found[:, y, x].numpy() for y, x in expected["sample_points_yx"]])
        np.testing.assert_allclose(samples, expected[f"processed_{key}_samples_bgr"], rtol=0, atol=1e-4)
        means = found.double().mean(dim=(1, 2)).numpy()
        np.testing.assert_allclose(means, expected[f"processed_{key}_mean_bgr"], rtol=0, atol=1e-5)
    assert locality.data_range_of(edited) == pytest.approx(expected["data_range"], abs=1e-6)
    assert int(kept(case, height=original.shape[1], width=original.shape[2]).sum()) == expected["mask_true_pixels"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "expected" in case])
def test_similarity_distance_and_error_are_the_official_ones(name, network):
    case = CASES[name]
    original, edited = pair(case)
    share = locality.share_of(original, network=network)
    mask = kept(case, height=original.shape[1], width=original.shape[2])
    found = locality.locality(share, edited, kept=mask, network=network)
    expected = {key: float(value) for key, value in case["expected"].items()}
    assert found.ssim == pytest.approx(expected["ssim"], abs=SSIM, nan_ok=True)
    assert found.lpips == pytest.approx(expected["lpips"], abs=LPIPS)
    assert found.mse == pytest.approx(expected["mse"], rel=MSE, nan_ok=True)
    for word, gate in case["check_locality"].items():
        passed = locality.passes_gate(ssim=found.ssim, lpips=found.lpips, kind=kind(word))
        assert passed is gate["value"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "expected_exception" in case])
def test_images_on_which_the_official_program_stops_are_unmeasurable(name, network):
    original, _ = pair(CASES[name])
    with pytest.raises(UnmeasurableError, match="pixels a side"):
        locality.share_of(original, network=network)


def kind(word: str) -> locality.Kind:
    return "real" if word == "GSI-Real" else "synthetic"


def test_the_gate_is_the_official_one():
    rows = content()["check_locality"]
    assert len(rows) == 125
    for row in rows:
        found = locality.passes_gate(ssim=float(row["ssim"]), lpips=float(row["lpips"]), kind=kind(row["dataset"]))
        assert found is row["value"], row


@pytest.mark.parametrize("case", content()["eval_view"], ids=lambda case: case["id"])
def test_views_are_compared_as_by_the_official_function(case, network):
    truth = locality.view_share(image(case["gt"]), network=network)
    if "exception" in case:
        with pytest.raises(UnmeasurableError, match="the edited view is"):
            locality.view_similarity(truth, image(case["edited"]), network=network)
        return
    found = locality.view_similarity(truth, image(case["edited"]), network=network)
    assert found == pytest.approx(float(case["value"]), abs=VIEW, nan_ok=True)
    assert math.isnan(found) is (case["value"] == "NaN")
