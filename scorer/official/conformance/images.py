"""The vectors that need pixels: locality, its gate, views, and the viewpoint test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

import numpy as np

from scorer.errors import ScorerError
from scorer.measures.lpips import Lpips
from scorer.official import locality as el
from scorer.official.conformance.cases import Case, MismatchError, SkippedError, aborts, agree, each, number, same
from scorer.official.conformance.folder import Folder
from scorer.official.imaging import Resampling, UnmeasurableError, fitted, processed
from scorer.official.truth import Detection
from scorer.official.viewpoint import compare_viewpoints, sift_of

SSIM, LPIPS, MSE_RELATIVE, VIEW = 1e-5, 2e-5, 1e-4, 2e-5
PIXELS = 1e-4
WEIGHTS = "lpips_alex_seeded.npz"

Network = Callable[[], Lpips]


def seeded_network(folder: Folder) -> Network:
    """The network with the vectors' own weights, loaded once and only when a case needs it."""

    @cache
    def load() -> Lpips:
        path = folder.path / WEIGHTS
        if not path.is_file():
            raise ScorerError(f"{WEIGHTS} is not in the folder")
        return Lpips.load(path)

    return load


def locality(folder: Folder, network: Network) -> Iterator[Case]:
    """Image pairs, rows of the gate, views."""
    content = folder.json("locality")
    yield from each(content["cases"], partial(_pair, folder, network))
    yield from each(content.get("check_locality", []), _gate, label="gate")
    for case in content.get("eval_view", []):
        yield f"view {case['id']}", partial(_view, folder, network, case)


def _pair(folder: Folder, network: Network, case: Mapping[str, Any]) -> float:
    original = folder.image(case["original"])
    by: Resampling = "opencv-linear" if "cv2" in (case.get("edited_resized_by") or "") else "pillow-bicubic"
    edited = fitted(folder.image(case["edited"]), height=original.shape[0], width=original.shape[1], by=by)
    before, after = processed(original), processed(edited)
    kept = _kept(case, height=before.shape[1], width=before.shape[2])
    if "intermediate" in case:
        _intermediate(case["intermediate"], before=before, after=after, kept=kept)
    if "expected_exception" in case:
        try:
            el.share_of(before, network=network())
        except UnmeasurableError:
            return 0.0
        raise MismatchError(f"measured, expected {case['expected_exception']}")
    found = el.locality(el.share_of(before, network=network()), after, kept=kept, network=network())
    expected = case["expected"]
    worst = max(
        agree(found.ssim, expected["ssim"], absolute=SSIM),
        agree(found.lpips, expected["lpips"], absolute=LPIPS),
    )
    agree(found.mse, expected["mse"], absolute=0.0, relative=MSE_RELATIVE)
    for word, gate in (case.get("check_locality") or {}).items():
        same(el.passes_gate(ssim=found.ssim, lpips=found.lpips, kind=_kind(word)), gate["value"])
    return worst


def _kept(case: Mapping[str, Any], *, height: int, width: int) -> el.Mask:
    sides = ([Detection.read(one) for one in case[side]["detections"]] for side in ("origin", "result"))
    edit = case["edit"]
    rectangles = el.excluded(
        *(el.Boxes.of([one.box for one in side], [one.rectangle for one in side]) for side in sides),
        box=edit["original_bbox_3d"],
        rotation=edit["rotation_matrix"],
        intrinsics=edit["camera_intrinsics"],
    )
    return el.kept_mask(rectangles, height=height, width=width)


def _intermediate(expected: Mapping[str, Any], *, before: Any, after: Any, kept: el.Mask) -> None:
    same([*before.shape[1:], before.shape[0]], expected["processed_shape_hwc"])
    same(int(np.count_nonzero(kept)), expected["mask_true_pixels"])
    agree(el.data_range_of(after), expected["data_range"], absolute=PIXELS)
    for image, name in ((before, "original"), (after, "edited")):
        samples = [image[:, y, x].tolist() for y, x in expected["sample_points_yx"]]
        agree(samples, expected[f"processed_{name}_samples_bgr"], absolute=PIXELS)


def _gate(case: Mapping[str, Any]) -> float:
    passed = el.passes_gate(ssim=number(case["ssim"]), lpips=number(case["lpips"]), kind=_kind(case["dataset"]))
    return same(passed, case["value"])


def _kind(word: str) -> el.Kind:
    return "real" if word == "GSI-Real" else "synthetic"


def _view(folder: Folder, network: Network, case: Mapping[str, Any]) -> float:
    share = el.view_share(folder.image(case["gt"]), network=network())
    edited = folder.image(case["edited"])
    if "exception" not in case:
        return agree(el.view_similarity(share, edited, network=network()), case["value"], absolute=VIEW)
    try:
        value = el.view_similarity(share, edited, network=network())
    except UnmeasurableError:
        return 0.0
    raise MismatchError(f"{value!r}, expected the exception {case['exception']}")


def viewpoint(folder: Folder) -> Iterator[Case]:
    """The viewpoint test; cases without ``use_as_golden`` document its degeneracy and decide nothing."""
    return each(folder.json("viewpoint")["cases"], partial(_viewpoint, folder))


def _viewpoint(folder: Folder, case: Mapping[str, Any]) -> float:
    if not case["use_as_golden"]:
        raise SkippedError
    answers = [answer for name, answer in case.items() if name.startswith("opencv_")]
    images = sift_of(folder.image(case["original"])), folder.image(case["edited"])
    if "exception" in answers[0]:
        return aborts(lambda: compare_viewpoints(*images), official=answers[0]["exception"])
    return same(compare_viewpoints(*images).same, answers[0]["value"])
