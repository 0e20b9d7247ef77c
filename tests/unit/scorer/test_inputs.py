from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorer.errors import BenchmarkError
from scorer.inputs import load
from tests.unit.scorer import folders

SECRET = 0.123456789
"""A hidden value that no message may repeat."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folders.write_run(tmp_path, submission=b"")


def change(path: Path, edit: Any) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def complaint(folder: Path) -> str:
    with pytest.raises(BenchmarkError) as caught:
        load(folder)
    return str(caught.value)


def test_a_sound_folder_gives_every_sample_with_its_truth(folder):
    loaded = load(folder)
    assert [task.sample.operation for task in loaded.tasks] == list(folders.EDITS)
    assert loaded.original(loaded.tasks[0].sample).shape == (384, 512, 3)
    assert loaded.ground_truth(loaded.tasks[0]).dtype == np.uint8


@pytest.mark.parametrize("name", ["manifest.json", "benchmark.json", "truth/truth.json"])
def test_a_missing_or_damaged_file_is_named(folder, name):
    (folder / name).write_text("{")
    assert Path(name).name in complaint(folder)
    (folder / name).unlink()
    assert "missing" in complaint(folder)


def test_a_field_that_is_wrong_is_named_but_its_value_is_not_shown(folder):
    def spoil(content):
        content["samples"]["scene-00_edit_move"]["original_bbox_3d"] = [SECRET] * 6

    change(folder / "truth/truth.json", spoil)
    message = complaint(folder)
    assert "scene-00_edit_move.original_bbox_3d" in message
    assert str(SECRET) not in message


def test_a_run_for_another_benchmark_is_refused(folder):
    change(folder / "manifest.json", lambda content: content.update(benchmark="other"))
    assert "other" in complaint(folder)


def test_an_unknown_subset_is_refused(folder):
    change(folder / "manifest.json", lambda content: content.update(subset="other"))
    assert "no subset other" in complaint(folder)


def test_a_sample_without_truth_is_refused(folder):
    change(folder / "truth/truth.json", lambda content: content["samples"].pop("scene-00_edit_scale"))
    assert "scene-00_edit_scale" in complaint(folder)


def test_an_instruction_that_reads_as_another_operation_is_refused(folder):
    change(folder / "benchmark.json", lambda content: content["samples"][0].update(instruction="Remove it"))
    assert "reads as 'remove'" in complaint(folder)


def test_the_samples_of_another_subset_need_no_truth(folder):
    def add(content):
        content["samples"].append(dict(content["samples"][0], id="elsewhere", subset="blocks-room"))
        content["subsets"].append({"id": "blocks-room", "title": "Room", "samples": 1})

    change(folder / "benchmark.json", add)
    assert len(load(folder).tasks) == len(folders.EDITS)


@pytest.mark.parametrize(
    ("sample", "fields", "words"),
    [
        ("move", {"target_index": None}, "not named"),
        ("move", {"new_bbox_3d": None, "new_rotation_matrix": None}, "goal is missing"),
        ("rotate", {"new_rotation_matrix": None}, "goal is the original"),
        ("scale", {"new_bbox_3d": None}, "goal is the original"),
        ("view", {"objects": []}, "before and after"),
        ("view", {"new_objects": [], "gt_image": None}, "true view"),
    ],
)
def test_a_truth_that_cannot_be_scored_is_refused(folder, sample, fields, words):
    def spoil(content):
        content["samples"][f"scene-00_edit_{sample}"].update(fields)

    change(folder / "truth/truth.json", spoil)
    assert words in complaint(folder)


def test_a_view_whose_objects_nobody_knows_is_measured_by_its_picture(folder):
    def forget(content):
        content["samples"]["scene-00_edit_view"]["new_objects"] = []

    change(folder / "truth/truth.json", forget)
    assert len(load(folder).tasks) == len(folders.EDITS)


def test_an_object_without_a_size_is_refused(folder):
    def spoil(content):
        content["samples"]["scene-00_edit_move"]["objects"][2]["bbox_3d"][4] = 0.0

    change(folder / "truth/truth.json", spoil)
    assert "no size" in complaint(folder)


@pytest.mark.parametrize("content", [b"text", folders.encoded(np.zeros((10, 10, 3), np.uint8)), None])
def test_an_original_that_cannot_be_used_is_refused(folder, content):
    path = folder / "originals/scene-00.png"
    path.unlink() if content is None else path.write_bytes(content)
    loaded = load(folder)
    with pytest.raises(BenchmarkError, match=r"scene-00\.png"):
        loaded.original(loaded.tasks[0].sample)
