from __future__ import annotations

import pytest

from infra.benchmarks.findings import Findings
from infra.benchmarks.naming import match


def matched(*names):
    found = Findings()
    return match(names, folder="f", found=found), [(one.severity, one.file) for one in found.all]


def test_the_original_has_the_scenes_name_and_jpg_comes_first():
    (sample,), told = matched("a.png", "a.jpg", "a_edit_0.json")
    assert sample.original == "a.jpg"
    assert told == [("warning", "f/a.png")]


def test_a_neighbour_that_begins_alike_is_never_taken_for_the_original():
    samples, told = matched(
        "frame_10_edit_0.json", "frame_100.png", "frame_100_edit_0.json", "frame_10_b.png", "frame_10_b_edit_0.json"
    )
    assert [one.scene for one in samples] == ["frame_100", "frame_10_b"]
    assert told == [("error", "f/frame_10")]


def test_the_only_picture_that_begins_so_is_taken_with_a_warning():
    (sample,), told = matched("a_rgb.png", "a_edit_0.json")
    assert sample.original == "a_rgb.png"
    assert told == [("warning", "f/a_rgb.png")]


def test_several_pictures_that_begin_so_are_refused():
    samples, told = matched("a_rgb.png", "a_depth.png", "a_edit_0.json")
    assert samples == []
    assert ("error", "f/a") in told


def test_an_edited_picture_is_never_an_original():
    assert matched("a_edit_0.png", "a_edit_0.json")[0] == []


@pytest.mark.parametrize("name", ["a_b_gtedit_1.png", "a_b_x_gtedit_1.jpg", "a_b_gtedit_1_view.webp"])
def test_a_true_edit_belongs_to_exactly_its_scene_and_query(name):
    samples, told = matched("a.png", "a_edit_1.json", "a_b.png", "a_b_edit_1.json", "a_b_edit_10.json", name)
    assert {one.id: one.true_edit for one in samples} == {"a_edit_1": None, "a_b_edit_1": name, "a_b_edit_10": None}
    assert told == []


def test_two_true_edits_of_one_query_are_refused():
    assert ("error", "f/a_x_gtedit_1.png") in matched("a.png", "a_edit_1.json", "a_gtedit_1.png", "a_x_gtedit_1.png")[1]


@pytest.mark.parametrize(
    "name",
    ["a_edit_.json", "_edit_0.json", "a_edit_0_1.json", "a_edit_0.5.json", "a_edit_0_edit_1.json", "ä_edit_0.json",
     "a_rgb_edit_0.json", "a b_edit_0.json", f"{'a' * 120}_edit_0.json", "-a_edit_0.json"],
)  # fmt: skip
def test_a_description_whose_name_is_no_id_is_refused(name):
    samples, told = matched("a.png", name)
    assert samples == []
    assert ("error", f"f/{name}") in told


def test_ids_that_differ_in_case_alone_are_refused():
    told = matched("a.png", "A.png", "a_edit_0.json", "A_edit_0.json")[1]
    assert told == [("error", "f/A_edit_0.json"), ("error", "f/a_edit_0.json")]


@pytest.mark.parametrize("name", ["README.md", ".DS_Store", "b.png", "a_gtedit_7.png", "notes.json", "a_edit_0.JSON"])
def test_what_is_no_part_is_told_and_left_out(name):
    samples, told = matched("a.png", "a_edit_0.json", name)
    assert [one.id for one in samples] == ["a_edit_0"]
    assert told == [("warning", f"f/{name}")]
