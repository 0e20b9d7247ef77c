from __future__ import annotations

import numpy as np
import pytest

from scorer import geometry

EXACT = {"rtol": 1e-9, "atol": 1e-9}


def test_sameness_is_decided_as_by_the_official_function(cases):
    for case in cases("geometry", function="check_same"):
        if "exception" in case:
            continue  # tuples, which the official function refuses: our types have none
        args = case["args"]
        same = geometry.is_same(args["a"], args["b"], threshold=args.get("threshold") or geometry.SAME_BOX_THRESHOLD)
        assert same is case["value"], case["id"]


def test_vertices_agree_in_place_and_order(cases):
    for case in cases("geometry", function="compute_3d_bbox_vertices"):
        found = geometry.vertices(case["args"]["bbox"], rotation=case["args"]["rot_mat"])
        np.testing.assert_allclose(found, case["value"]["vertices"], **EXACT, err_msg=case["id"])


def test_the_corners_of_the_second_official_order_are_the_same_points(cases):
    for case in cases("geometry", function="get_corners_3d"):
        found = geometry.vertices(case["args"]["bbox"], rotation=case["args"]["rot_mat"])
        expected = np.array(case["value"])
        distances = np.linalg.norm(found[:, None] - expected[None], axis=2)
        assert (distances.min(axis=0) < 1e-9).all(), case["id"]
        assert (distances.min(axis=1) < 1e-9).all(), case["id"]


def test_projections_agree(cases):
    for case in cases("geometry", function="project_to_image"):
        found = geometry.project(case["args"]["points"], intrinsics=case["args"]["K"])
        np.testing.assert_allclose(found, case["value"], rtol=1e-9, atol=1e-6, err_msg=case["id"])


def test_rectangles_of_boxes_agree_behind_the_camera_too(cases):
    for case in cases("geometry", function="bbox_3d_to_2d"):
        args = case["args"]
        found = geometry.projected_box(args["bbox"], intrinsics=args["K"], rotation=args["rot_mat"])
        np.testing.assert_allclose(
            found, np.array(case["value"], dtype=float), rtol=1e-9, atol=1e-6, err_msg=case["id"]
        )


def test_overlaps_of_rectangles_agree(cases):
    for case in cases("geometry", function="iou_2d"):
        found = geometry.iou_2d(case["args"]["a"], case["args"]["b"])
        assert found == pytest.approx(case["value"], rel=1e-9, abs=1e-9), case["id"]


def test_overlaps_of_boxes_agree(cases):
    for case in cases("geometry", function="iou_3d"):
        found = geometry.iou_3d(case["args"]["a"], case["args"]["b"])
        assert found == pytest.approx(case["value"], rel=1e-9, abs=1e-9), (case["id"], case["kind"])


def test_distances_of_centres_agree(cases):
    for case in cases("geometry", function="dist_between_centers"):
        found = geometry.centre_distance(case["args"]["a"], case["args"]["b"])
        assert found == pytest.approx(case["value"], rel=1e-9, abs=1e-9), case["id"]


def test_angles_between_rotations_agree(cases):
    for case in cases("geometry", function="rotation_matrix_distance"):
        found = geometry.rotation_angle(case["args"]["R1"], case["args"]["R2"])
        near_an_end = min(case["value"], np.pi - case["value"]) < 1e-3
        assert found == pytest.approx(case["value"], rel=0, abs=1e-7 if near_an_end else 1e-9), case["id"]


def test_moved_boxes_agree_with_their_strange_axes(cases):
    for case in cases("geometry", function="move_bbox"):
        args = case["args"]
        found = geometry.moved_box(
            args["bbox"], direction=args["direction"], centimetres=args["distance_cm"], rotation=args["rot_mat"]
        )
        np.testing.assert_allclose(found, case["value"], **EXACT, err_msg=case["id"])


def test_turned_rotations_agree_and_bad_angles_are_refused(cases):
    for case in cases("geometry", function="rotate_along_y_axis"):
        args = case["args"]
        if "exception" in case:
            with pytest.raises(ValueError):
                geometry.turned_about_y(args["rot_mat"], degrees=args["angle"], direction=args["direction"])
        else:
            found = geometry.turned_about_y(args["rot_mat"], degrees=args["angle"], direction=args["direction"])
            np.testing.assert_allclose(found, case["value"], **EXACT, err_msg=case["id"])
