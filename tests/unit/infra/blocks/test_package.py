from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from infra.blocks.package import as_json, manifest_of, truth_of, webp, write_zip
from scorer.blocks.camera import Camera
from scorer.contract import BenchmarkManifest, Truth

PUBLIC_FIELDS = {
    "id",
    "subset",
    "scene",
    "operation",
    "difficulty",
    "instruction",
    "target",
    "original",
    "width",
    "height",
    "camera",
}


def test_a_zip_has_the_same_bytes_for_the_same_files_in_any_order(tmp_path):
    files = {"b/two.webp": b"2" * 99, "a/one.json": b"{}"}
    write_zip(tmp_path / "one.zip", files)
    write_zip(tmp_path / "two.zip", dict(reversed(files.items())))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_an_image_survives_packing_almost_unchanged():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    image = np.stack([np.tile(ramp, (48, 1))] * 3, axis=-1)
    with Image.open(io.BytesIO(webp(image))) as unpacked:
        assert unpacked.size == (64, 48)
        assert np.abs(np.asarray(unpacked).astype(int) - image).mean() < 2


def test_the_manifest_obeys_the_contract(plan):
    manifest = BenchmarkManifest.model_validate_json(as_json(manifest_of(plan)))
    assert {subset.id: subset.samples for subset in manifest.subsets} == {"blocks-tabletop": 36, "blocks-room": 36}


def test_a_public_sample_holds_what_a_participant_may_know_and_no_more(plan):
    for sample in manifest_of(plan)["samples"]:
        assert set(sample) == PUBLIC_FIELDS
        assert set(sample["camera"]) == {"intrinsics", "pitch", "height"}


def test_the_truth_obeys_the_contract_and_names_every_sample(plan):
    truth = Truth.model_validate_json(as_json(truth_of(plan)))
    assert list(truth.samples) == [sample.id for sample in plan]


def test_the_goal_in_the_truth_is_the_target_among_the_new_objects(plan):
    truth = truth_of(plan)["samples"]
    for sample in plan:
        hidden, task = truth[sample.id], sample.task
        if task.operation == "view":
            assert "new_bbox_3d" not in hidden
            assert hidden["target_index"] is None
            continue
        before = hidden["objects"][task.target_index]
        assert (hidden["original_bbox_3d"], hidden["target"]) == (before["bbox_3d"], before["label"])
        if task.operation == "remove":
            assert "new_bbox_3d" not in hidden
            assert hidden["new_objects"] == [o for i, o in enumerate(hidden["objects"]) if i != task.target_index]
        else:
            after = hidden["new_objects"][task.target_index]
            assert (hidden["new_bbox_3d"], hidden["new_rotation_matrix"]) == (
                after["bbox_3d"],
                after["rotation_matrix"],
            )


def test_every_box_in_the_truth_stands_on_the_ground_of_the_public_camera(plan):
    truth = truth_of(plan)["samples"]
    for sample in manifest_of(plan)["samples"]:
        camera = Camera.of(**sample["camera"])
        hidden = truth[sample["id"]]
        for known in (*hidden["objects"], *hidden["new_objects"]):
            box = np.array(known["bbox_3d"])
            lowest = camera.to_level(box[:3])[1] + box[4] / 2
            assert lowest == pytest.approx(camera.height, abs=1e-5)


def test_json_is_readable_and_the_same_for_the_same_value():
    value = {"b": [1.5], "a": "ä"}
    assert json.loads(as_json(value)) == value
    assert as_json(value) == as_json({"b": [1.5], "a": "ä"})
    assert "ä".encode() in as_json(value)
