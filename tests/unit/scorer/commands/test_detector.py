from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.detectors.port import Detection
from scorer.detectors.recording import Recorder
from scorer.measures.msssim import MsSsim
from scorer.official.candidates import origin_index
from scorer.official.dataset import Layout, RecordedDetector
from scorer.originals import Originals
from tests.unit.scorer.detectors import gsi_folder
from tests.unit.scorer.detectors.installing import Counted


@pytest.fixture(scope="module")
def dataset(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "fine_dataset"
    gsi_folder.write(folder, detector=Counted(installed).detector, images=2)
    return folder


@pytest.fixture(scope="module")
def instruments(installed, tmp_path_factory):
    """The detector's settings; answers are kept, so that later checks of this module take no time."""
    folder = tmp_path_factory.mktemp("instruments")
    content = {
        "weights": str(installed),
        "detector": {"accept_noncommercial_weights": True},
        "originals": {"folder": str(folder / "kept")},
    }
    (folder / "instruments.json").write_text(json.dumps(content))
    return folder / "instruments.json"


def check(instruments: Path, *arguments: object) -> int:
    return main(["detector", "check", "--instruments", str(instruments), "--threads", "1", *map(str, arguments)])


def changed(dataset: Path, to: Path, name: str, **fields: object) -> Path:
    shutil.copytree(dataset, to)
    content = {**json.loads((to / name).read_text()), **fields}
    (to / name).write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    return to


def test_every_box_that_the_detector_made_is_found_again_from_its_picture(dataset, instruments, tmp_path, capsys):
    assert check(instruments, dataset, "--json", tmp_path / "out" / "found.json") == ExitCode.OK
    told = capsys.readouterr()
    assert "100.0" in told.out
    assert "fine_dataset: 4 of 4" in told.err
    report = json.loads((tmp_path / "out" / "found.json").read_text())
    assert (report["found"], report["of"], report["tolerance"]) == (4, 4, 0.1)
    assert {(group["subset"], group["operation"], group["found"]) for group in report["groups"]} == {
        ("fine_dataset", "scale", 2),
        ("fine_dataset", "remove", 2),
    }
    assert all(sample["distance"] < 1e-6 for sample in report["samples"])
    assert report["weights"].keys() >= {"detany3d", "grounding-dino/model.safetensors"}
    assert report["versions"]["detector_mode"] == "parity"


def test_a_box_that_is_off_by_more_than_the_tolerance_is_a_miss_and_told_with_what_is_off(
    dataset, instruments, tmp_path, capsys
):
    box = json.loads((dataset / "room_1_edit_1.json").read_text())["original_bbox_3d"]
    near = changed(dataset, tmp_path / "near", "room_1_edit_1.json", original_bbox_3d=[box[0] + 0.31, *box[1:]])
    assert check(instruments, near) == ExitCode.OK
    far = changed(dataset, tmp_path / "far", "room_1_edit_1.json", original_bbox_3d=[box[0] + 0.32, *box[1:]])
    capsys.readouterr()
    assert check(instruments, far) == ExitCode.DEFECT
    told = capsys.readouterr()
    assert "miss room_1_edit_1" in told.out
    assert "centre 0.32 m, size 0 m, yaw 0" in " ".join(told.out.split())
    assert "3 of 4 stored boxes were found, less than 95%" in told.err
    assert check(instruments, far, "--least", "75") == ExitCode.OK


def test_samples_without_a_usable_box_are_named_and_not_counted(dataset, instruments, tmp_path, capsys):
    folder = changed(dataset, tmp_path / "some", "room_0_edit_0.json", original_bbox_3d=None)
    (folder / "room_0_edit_1.json").write_text("{")
    (folder / "room_9_edit_0.json").write_text(json.dumps({"prompt": "Remove it", "target": "it"}))
    assert check(instruments, folder) == ExitCode.OK
    told = capsys.readouterr().out
    for name in ("room_0_edit_0", "room_0_edit_1", "room_9_edit_0"):
        assert f"not checked {name}" in told


def test_some_originals_stand_for_all(dataset, instruments, tmp_path):
    assert check(instruments, dataset, "--originals", "1", "--json", tmp_path / "found.json") == ExitCode.OK
    samples = json.loads((tmp_path / "found.json").read_text())["samples"]
    assert [one["id"] for one in samples] == ["room_0_edit_0", "room_0_edit_1"]


def test_matrices_of_another_frame_than_the_data_sets_find_other_boxes(dataset, instruments):
    arguments = dataset, "--originals", "1"
    assert check(instruments, *arguments) == ExitCode.OK
    assert check(instruments, *arguments, "--pixel-intrinsics") == ExitCode.DEFECT


@pytest.mark.parametrize("archives", [False, True])
def test_a_benchmark_in_the_services_own_format_is_checked_too(dataset, instruments, tmp_path, archives):
    folder = own_format(dataset, tmp_path / "own")
    if archives:
        with zipfile.ZipFile(tmp_path / "public.zip", "w") as public:
            public.write(folder / "benchmark.json", "benchmark.json")
            public.write(folder / "originals" / "room_0.png", "originals/room_0.png")
        with zipfile.ZipFile(tmp_path / "hidden.zip", "w") as hidden:
            hidden.write(folder / "truth.json", "truth.json")
        folder = tmp_path
    assert check(instruments, folder, "--json", tmp_path / "found.json") == ExitCode.OK
    report = json.loads((tmp_path / "found.json").read_text())
    assert (report["found"], report["of"]) == (1, 1)
    assert report["groups"][0]["subset"] == "room"


def own_format(dataset: Path, to: Path) -> Path:
    (to / "originals").mkdir(parents=True)
    shutil.copy(dataset / "room_0.png", to / "originals")
    stored = json.loads((dataset / "room_0_edit_1.json").read_text())
    height, width = gsi_folder.SIZE
    sample = {
        "id": "a",
        "subset": "room",
        "scene": "room_0",
        "operation": "remove",
        "instruction": stored["prompt"],
        "target": stored["target"],
        "original": "originals/room_0.png",
        "width": width,
        "height": height,
        "camera": gsi_folder.camera().model_dump(),
    }
    manifest = {
        "schema": "gsi-benchmark/1",
        "benchmark": "own",
        "title": "Own",
        "protocol": "gsi-fair-1",
        "detector": "grounding-dino-detany3d",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
        "subsets": [{"id": "room", "title": "Room", "samples": 1}],
        "samples": [sample],
    }
    box = {
        name: stored[name] for name in ("original_bbox_3d", "rotation_matrix", "camera_intrinsics", "prompt", "target")
    }
    truth = {"schema": "gsi-truth/1", "samples": {"a": {**box, "objects": [], "new_objects": []}}}
    (to / "benchmark.json").write_text(json.dumps(manifest))
    (to / "truth.json").write_text(json.dumps(truth))
    return to


def record(instruments: Path, dataset: Path, model: Path) -> int:
    arguments = ["--dataset", f"fine={dataset}", "--model", str(model), "--threads", "1"]
    return main(["detector", "record", "--instruments", str(instruments), *arguments])


def test_what_is_seen_in_a_models_images_is_recorded_as_the_official_program_does(
    dataset, instruments, installed, tmp_path, capsys
):
    model = tmp_path / "eval" / "My_Model"
    images = model / "generated_images_fine"
    images.mkdir(parents=True)
    small = Image.fromarray(gsi_folder.picture(0)).resize((72, 48))  # at its own size, by the same matrix
    small.save(images / "room_0_edit_0.png")
    (images / "room_7_edit_0.png").write_bytes(b"of no original")
    assert record(instruments, dataset, model) == ExitCode.OK
    assert "room_7_edit_0.png: no original" in " ".join(capsys.readouterr().err.split())
    recorded = RecordedDetector.load(model / "fine_eval" / "infer_cache.json")
    assert recorded.records.keys() == {"room_0_0"}
    sha256 = hashlib.sha256((images / "room_0_edit_0.png").read_bytes()).hexdigest()
    found = recorded.find("room_0_0", image=sha256)
    stored = json.loads((dataset / "room_0_edit_0.json").read_text())
    assert origin_index(found.origin, stored["original_bbox_3d"]) is not None
    first, second = Counted(installed).detector.networks
    pixels = np.asarray(small)
    boxes = second.decode(second.encode(pixels), first.find(pixels, "red cup").boxes.numpy(), gsi_folder.INTRINSICS)
    np.testing.assert_allclose([one.box for one in found.result], boxes.bbox_3d, rtol=1e-5)
    np.testing.assert_allclose([one.rectangle for one in found.result], boxes.bbox_2d, atol=1e-3)
    about = json.loads((model / "fine_eval" / "infer_cache.about.json").read_text())
    assert about["weights"].keys() >= {"detany3d"}


class Quick:
    """A learned detector without a network, which counts what it is asked."""

    name = "quick-1"
    sees_everything = False
    weights: ClassVar = {"quick": "0" * 64}

    def __init__(self, code: str = "1") -> None:
        self.asked, self.code = 0, code

    def provenance(self) -> dict[str, str]:
        return {"detector_code": self.code}

    def detect(self, *, image, target, camera) -> list[Detection]:
        self.asked += 1
        return [Detection(target, np.full(7, image.mean()), np.full(4, np.nan), np.eye(3), 1.0)]


def test_a_recording_goes_on_where_it_was_and_sees_a_changed_image_anew(dataset, tmp_path):
    layout = Layout("fine", dataset, tmp_path / "m")
    layout.images.mkdir(parents=True)
    for k in range(2):
        shutil.copy(dataset / "room_0.png", layout.images / f"room_0_edit_{k}.png")

    def work(code: str = "1") -> int:
        detector = Quick(code)
        list(Recorder(layout, detector=detector, originals=Originals(network=MsSsim())).run())
        return detector.asked

    assert work() == 3  # the original once for both edits
    assert work() == 0
    Image.fromarray(gsi_folder.picture(3)).save(layout.images / "room_0_edit_1.png")
    assert work() == 2
    assert work(code="2") == 3  # of another version: all anew
    assert "NaN" in layout.cache.read_text()  # bare, as the official program writes it


def test_a_model_without_images_is_told(dataset, instruments, tmp_path, capsys):
    assert record(instruments, dataset, tmp_path / "none") == ExitCode.DEFECT
    assert "holds no edited images" in capsys.readouterr().err


def test_a_folder_that_holds_no_data_set_says_what_one_is(instruments, tmp_path, capsys):
    assert check(instruments, tmp_path) == ExitCode.DEFECT
    assert "neither edit JSONs" in capsys.readouterr().err
    assert check(instruments, tmp_path / "none") == ExitCode.DEFECT
    assert "there is no folder" in capsys.readouterr().err


def test_without_an_installation_it_says_what_to_get(dataset, tmp_path, capsys):
    (tmp_path / "i.json").write_text(json.dumps({"weights": str(tmp_path)}))
    assert check(tmp_path / "i.json", dataset) == ExitCode.DEFECT
    told = capsys.readouterr().err
    assert "accept_noncommercial_weights" in told
    assert "detany3d.pth" in told


def test_a_share_that_is_none_is_a_wrong_call(dataset, instruments):
    with pytest.raises(SystemExit) as ended:
        check(instruments, dataset, "--least", "101")
    assert ended.value.code == ExitCode.USAGE
