"""The benchmark that ships with the repository: complete, small, and what the generator makes of its seed."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

import infra.blocks
from infra.blocks.generate import EDITORS
from infra.blocks.package import as_json, manifest_of, truth_of
from scorer.blocks.camera import Camera
from scorer.blocks.world import COLOURS, colour_of
from scorer.bundle import check
from scorer.contract import BenchmarkManifest, Truth

DATA = Path(infra.blocks.__file__).parent / "data"
HIDDEN_WORDS = ("bbox", "rotation", "objects", "gt", "truth", "goal", "prompt", "target_index")


class Shipped(NamedTuple):
    public: zipfile.ZipFile
    hidden: zipfile.ZipFile
    manifest: BenchmarkManifest
    truth: Truth


@pytest.fixture(scope="module")
def shipped():
    with zipfile.ZipFile(DATA / "blocks-public.zip") as public, zipfile.ZipFile(DATA / "blocks-hidden.zip") as hidden:
        manifest = BenchmarkManifest.model_validate_json(public.read("benchmark.json"))
        yield Shipped(public, hidden, manifest, Truth.model_validate_json(hidden.read("truth.json")))


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def submitted(editor, sample):
    with zipfile.ZipFile(DATA / "submissions" / f"{editor}.zip") as archive:
        return pixels(archive.read(f"{sample.subset}/{sample.id}.webp"))


def keys(value):
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


def test_everything_together_is_at_most_twenty_megabytes():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) <= 20_000_000


def test_there_are_enough_samples_scenes_and_operations(shipped):
    samples = shipped.manifest.samples
    assert len(samples) >= 60
    assert len({sample.scene for sample in samples}) >= 15
    counted = Counter((sample.subset, sample.operation) for sample in samples)
    assert len(counted) == 12
    assert set(counted.values()) == {6}


def test_the_manifest_and_the_truth_are_what_the_generator_makes_of_the_seed(shipped, plan):
    assert json.loads(shipped.public.read("benchmark.json")) == json.loads(as_json(manifest_of(plan)))
    made = json.loads(as_json(truth_of(plan)))["samples"]
    kept = json.loads(shipped.hidden.read("truth.json"))["samples"]
    assert list(made) == list(kept)
    for name in made:
        assert made[name]["prompt"] == kept[name]["prompt"]
        for list_name in ("objects", "new_objects"):
            for one, other in zip(made[name][list_name], kept[name][list_name], strict=True):
                assert one["label"] == other["label"]
                # Another processor may round the last digit differently.
                assert one["bbox_3d"] == pytest.approx(other["bbox_3d"], abs=2e-6)


def test_the_public_part_holds_the_originals_the_manifest_and_nothing_else(shipped):
    assert set(shipped.public.namelist()) == {"benchmark.json"} | {s.original for s in shipped.manifest.samples}


def test_no_field_of_the_public_part_tells_of_boxes_goals_or_truth(shipped):
    names = set(keys(json.loads(shipped.public.read("benchmark.json"))))
    assert [name for name in names if any(word in name.split("_") for word in HIDDEN_WORDS)] == []
    assert "bbox" not in shipped.public.read("benchmark.json").decode()


def test_no_picture_of_the_public_part_carries_anything_but_pixels(shipped):
    for name in shipped.public.namelist():
        if name.endswith(".webp"):
            with Image.open(io.BytesIO(shipped.public.read(name))) as image:
                assert image.size == (512, 384)
                assert not image.getexif()
                assert not {"exif", "xmp", "icc_profile"} & set(image.info)


def test_the_hidden_part_holds_the_truth_and_one_true_edit_for_each_sample(shipped):
    assert set(shipped.truth.samples) == {sample.id for sample in shipped.manifest.samples}
    edits = {hidden.gt_image for hidden in shipped.truth.samples.values()}
    assert set(shipped.hidden.namelist()) == {"truth.json"} | edits
    assert len(edits) == len(shipped.manifest.samples)


@pytest.mark.parametrize("editor", EDITORS)
def test_the_gate_accepts_each_sample_submission_without_a_remark(shipped, editor):
    verdict = check(archive=DATA / "submissions" / f"{editor}.zip", manifest=shipped.manifest)
    assert verdict.accepted
    assert verdict.defects == []
    assert set(verdict.images) == {sample.id for sample in shipped.manifest.samples}


def test_in_every_original_and_true_edit_the_boxes_lie_on_their_colours(shipped):
    for sample in shipped.manifest.samples[::3]:
        hidden, camera = shipped.truth.samples[sample.id], Camera.of(**sample.camera.model_dump())
        for data, objects in (
            (shipped.public.read(sample.original), hidden.objects),
            (shipped.hidden.read(hidden.gt_image), hidden.new_objects),
        ):
            image = pixels(data)
            for known in objects:
                box = np.array(known.bbox_3d)
                top = box[:3] + np.array(known.rotation_matrix) @ (0, -box[4] / 2, box[5] * 0.2)
                x, y = camera.project(top).astype(int)
                seen, paint = image[y, x], np.array(COLOURS[colour_of(known.label)])
                likeness = seen @ paint / np.linalg.norm(seen) / np.linalg.norm(paint)
                assert likeness > 0.97, (sample.id, known.label)


def test_doing_nothing_hands_in_the_originals(shipped):
    for sample in shipped.manifest.samples[::9]:
        original = pixels(shipped.public.read(sample.original))
        assert np.abs(submitted("nothing", sample) - original).mean() < 2


def test_the_perfect_editor_renders_the_true_edit_anew(shipped):
    for sample in shipped.manifest.samples[::9]:
        truth = pixels(shipped.hidden.read(shipped.truth.samples[sample.id].gt_image))
        difference = np.abs(submitted("perfect", sample) - truth)
        assert 0 < difference.mean() < 2


def test_the_other_editors_do_not_hand_in_the_true_edit(shipped):
    for sample in shipped.manifest.samples[::9]:
        truth = pixels(shipped.hidden.read(shipped.truth.samples[sample.id].gt_image))
        for editor in ("nothing", "wrong-object"):
            changed = np.abs(submitted(editor, sample) - truth).max(axis=-1) > 40
            assert changed.sum() > 100, (editor, sample.id)
