"""The vectors of instructions, geometry, operations, judge replies, aggregation and file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from scorer import geometry
from scorer.official import aggregate
from scorer.official.conformance.cases import Case, MismatchError, aborts, agree, each, number, numbers, same
from scorer.official.conformance.folder import Folder
from scorer.official.names import match
from scorer.official.outcome import Outcome
from scorer.official.replies import parse_replies, parse_reply
from scorer.official.sample import EVALUATIONS, operation_of
from scorer.official.truth import Detection, Truth

EXACT = 1e-9
PIXELS = 1e-6
NEAR_AN_END = 1e-7
_MODES = {aggregate.IC_MODE: "ic", aggregate.SA_MODE: "sa", aggregate.EL_MODE: "el"}


def operation(folder: Folder) -> Iterator[Case]:
    """Instruction -> operation."""

    def check(case: Mapping[str, Any]) -> float:
        truth = Truth({} if case["prompt"] is None else {"prompt": case["prompt"]})
        if "exception" in case:
            return aborts(lambda: operation_of(truth), official=case["exception"])
        return same(operation_of(truth), case["value"])

    return each(folder.json("operation")["cases"], check)


def ops(folder: Folder) -> Iterator[Case]:
    """Move, rotate, remove and scale: IC exactly, SA to 1e-9, and faults."""
    return each(folder.json("ops")["cases"], _edit)


def _edit(case: Mapping[str, Any]) -> float:
    def evaluated() -> Outcome:
        origin, result = ([Detection.read(found) for found in case[s]["detections"]] for s in ("origin", "result"))
        evaluation = EVALUATIONS[case["operation"]]
        return evaluation(Truth(case["edit"]), origin=origin, result=result, gate=case["check"])

    expected_ic, expected_sa = (case["expected"][mode] for mode in (aggregate.IC_MODE, aggregate.SA_MODE))
    if "exception" in expected_ic:
        return max(aborts(evaluated, official=one["exception"]) for one in (expected_ic, expected_sa))
    outcome = evaluated()
    if outcome.ic != expected_ic["value"]:
        raise MismatchError(f"IC {outcome.ic}, expected {expected_ic['value']}")
    if "expected_other_mode" in case:  # the official functions end early in every mode, else know only these two
        same(0.0 if outcome.stopped else None, case["expected_other_mode"]["value"])
    return agree(outcome.sa, expected_sa["value"], absolute=EXACT)


def ac_parse(folder: Folder) -> Iterator[Case]:
    """Judge's reply -> score, and what one such score makes of a sample."""

    def check(case: Mapping[str, Any]) -> float:
        if "predictions" in case:
            return same(parse_replies(case["predictions"]), case["scores"])
        score = parse_reply(case["prediction"])
        expected = number(case["score"]) if case["score_type"] == "float" else case["score"]
        same(type(score).__name__, case["score_type"])
        agree([score], [expected], absolute=0.0)
        return _metrics(_single(score), case["metrics_of_single_sample"])

    return each(folder.json("ac_parse")["cases"], check)


def _single(score: Any) -> dict[str, Any]:
    el = {"ssim": 0.9, "lpips": 0.1}
    return {
        "ic": {"x_0": {"compliance": 1.0}},
        "sa": {"x_0": {"edit_score": 0.5}},
        "el": {"x_0": el},
        "ac": {"x_edit_0": score},
    }


def aggregation(folder: Folder) -> Iterator[Case]:
    """Gates, means, statistics, and the matching of keys."""
    content = folder.json("aggregate")
    yield from each(content["cases"], _aggregated)
    known = content.get("resolve_ac_key_set", {})
    for case in content.get("resolve_ac_key_cases", []):
        yield f"key {case['key']}", partial(_resolved, case["key"], known, case["resolved"])
    for name, expected in content.get("normalize", {}).items():
        yield f"folder {name}", partial(_normalized, name, expected)


def _aggregated(case: Mapping[str, Any]) -> float:
    results = {part: numbers(case[part]) for part in ("ic", "sa", "el", "ac")}
    worst = [_metrics(results, case["metrics"])]
    for mode, expected in case.get("statistics", {}).items():
        found = aggregate.statistics(mode, results[_MODES[mode]])
        worst.append(agree(found, expected["value"], absolute=EXACT))
    for key, expected in case.get("resolved_ac_keys", {}).items():
        worst.append(_resolved(key, results["ac"], expected))
    return max(worst)


def _metrics(results: Mapping[str, Any], expected: Mapping[str, Any]) -> float:
    def computed() -> dict[str, float]:
        found = aggregate.compute_metrics(**results)
        names = ("el_ssim", "el_lpips", "ac", "ic", "sa", "average")
        return {name: getattr(found, name) for name in names}

    if "exception" in expected:
        return aborts(computed, official=expected["exception"])
    if "value" in expected:
        return agree(list(computed().values()), expected["value"], absolute=EXACT)
    return agree(computed(), expected, absolute=EXACT)


def _resolved(key: str, known: Mapping[str, Any], expected: str | None) -> float:
    return same(aggregate.resolve_ac_key(key, known), expected)


def _normalized(name: str, expected: list[Any]) -> float:
    dataset = aggregate.dataset_of(name)
    found = [name if dataset is None else dataset, aggregate.model_name(name), dataset is not None]
    return same(found, expected)


def matching(folder: Folder) -> Iterator[Case]:
    """File names -> the files of a sample."""
    return each(folder.json("matching")["cases"], _matched)


def _matched(case: Mapping[str, Any]) -> float:
    with TemporaryDirectory(prefix="gsi-") as top:
        root = Path(top)
        for place, names in (("orig", case["original_dir"]), (case["edited_dir"], case["edited_dir_files"])):
            (root / place).mkdir()
            for name in names:
                (root / place / name).touch()

        def told() -> dict[str, Any]:
            found = match(root / case["edited_dir"] / case["edited_file"], dataset=root / "orig")
            paths = (found.original, found.edited, found.ground_truth, found.description)
            relative = [None if path is None else path.relative_to(root).as_posix() for path in paths]
            fields = ("original_img", "edited_img", "gt_edited_img", "edit_json")
            meta = {"img_id": found.name.image, "query_id": found.name.query}
            return {"meta": meta, **dict(zip(fields, relative, strict=True))}

        if "exception" in case:
            return aborts(told, official=case["exception"])
        return same(told(), case["value"])


def geometric(folder: Folder) -> Iterator[Case]:
    """Boxes, projections, overlaps, distances, moves and turns."""
    return each(folder.json("geometry")["cases"], _geometric)


def _geometric(case: Mapping[str, Any]) -> float:
    name, arguments = case["function"], case["args"]
    if "exception" in case:
        return _refused(name, arguments, case["exception"])
    expected = numbers(case["value"])
    if name == "check_same":
        threshold = arguments.get("threshold") or geometry.SAME_BOX_THRESHOLD
        return same(geometry.is_same(arguments["a"], arguments["b"], threshold=threshold), expected)
    if name == "compute_3d_bbox_vertices":
        expected = expected["vertices"]
    found = _geometry(name, arguments)
    if name == "get_corners_3d":
        return _same_points(np.asarray(found), np.asarray(expected))
    if name == "rotation_matrix_distance":
        near = min(abs(expected), abs(np.pi - expected)) < 1e-3  # arccos loses digits there
        return agree(found, expected, absolute=NEAR_AN_END if near else EXACT)
    pixels = name in ("bbox_3d_to_2d", "project_to_image")
    return agree(found, expected, absolute=PIXELS if pixels else EXACT, relative=EXACT)


def _same_points(found: geometry.FloatArray, expected: geometry.FloatArray) -> float:
    """The same corners (8, 3), in whatever order."""
    distances = np.linalg.norm(found[:, None] - expected[None], axis=2)
    worst = float(max(distances.min(axis=0).max(), distances.min(axis=1).max()))
    return agree(worst, 0.0, absolute=EXACT)


def _geometry(name: str, a: Mapping[str, Any]) -> Any:
    if name in ("compute_3d_bbox_vertices", "get_corners_3d"):
        return geometry.vertices(a["bbox"], rotation=a["rot_mat"])
    if name == "bbox_3d_to_2d":
        return geometry.projected_box(a["bbox"], intrinsics=a["K"], rotation=a["rot_mat"])
    if name == "project_to_image":
        return geometry.project(a["points"], intrinsics=a["K"])
    if name == "move_bbox":
        turned = a["rot_mat"]
        return geometry.moved_box(a["bbox"], direction=a["direction"], centimetres=a["distance_cm"], rotation=turned)
    if name == "rotate_along_y_axis":
        return geometry.turned_about_y(a["rot_mat"], degrees=a["angle"], direction=a["direction"])
    if name == "rotation_matrix_distance":
        return geometry.rotation_angle(a["R1"], a["R2"])
    two = {"iou_2d": geometry.iou_2d, "iou_3d": geometry.iou_3d, "dist_between_centers": geometry.centre_distance}
    return two[name](a["a"], a["b"])


def _refused(name: str, arguments: Mapping[str, Any], official: str) -> float:
    """What the official function refuses is refused: by a ValueError, whatever type the official one has."""
    try:
        if name == "check_same":
            value: Any = geometry.is_same(arguments["a"], arguments["b"])
        else:
            value = _geometry(name, arguments)
    except ValueError:
        return 0.0
    raise MismatchError(f"{value!r}, expected the exception {official}")
