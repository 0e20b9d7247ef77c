from __future__ import annotations

import json
import zipfile

import pytest
from PIL import Image

from infra.benchmarks.editions import edition
from infra.benchmarks.packing import pack
from tests.unit.infra.benchmarks import making
from tests.unit.infra.benchmarks.conftest import draft_of, refusal_of


def _all_texts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_samples_are_named_as_teams_name_their_pictures_and_lie_by_subset(fine, robothor):
    manifest = draft_of({"robothor": robothor, "fine": fine})[0].manifest
    assert [(one.id, one.subset, one.operation) for one in manifest.samples] == [
        ("room_frame_10_edit_2", "gsi-real", "move"),
        ("room_frame_10_edit_10", "gsi-real", "remove"),
        ("room_frame_100_edit_0", "gsi-real", "rotate"),
        ("room_frame_100_edit_1", "gsi-real", "scale"),
        ("FloorPlan1_edit_1", "gsi-syn-room", "view"),
        ("FloorPlan1_edit_10", "gsi-syn-room", "move"),
    ]
    assert [(one.id, one.samples, one.kind) for one in manifest.subsets] == [
        ("gsi-real", 4, "real"),
        ("gsi-syn-room", 2, "synthetic"),
    ]


def test_what_is_public_of_a_sample_is_instruction_target_camera_and_original(fine):
    sample = next(one for one in draft_of({"fine": fine})[0].manifest.samples if one.id == "room_frame_10_edit_2")
    assert sample.model_dump(exclude_none=True) == {
        "id": "room_frame_10_edit_2",
        "subset": "gsi-real",
        "scene": "room_frame_10",
        "operation": "move",
        "instruction": making.MOVE["prompt"],
        "target": "cup",
        "original": "originals/fine/room_frame_10.jpg",
        "width": making.WIDTH,
        "height": making.HEIGHT,
        # The edit JSON's matrix is for the 896 frame, in which the picture is 14 times as large.
        "camera": {"intrinsics": [[91.5 / 14, 0.0, 32 / 14], [0.0, 91.5 / 14, 24 / 14], [0.0, 0.0, 1.0]]},
    }


def test_the_truth_knows_the_target_alone_and_where_it_should_be(fine, robothor):
    truth = draft_of({"fine": fine, "robothor": robothor})[0].truth.samples
    moved = truth["room_frame_10_edit_2"]
    assert (moved.target_index, len(moved.objects)) == (0, 1)
    assert moved.objects[0].model_dump() == {
        "label": "cup",
        "bbox_3d": making.BOX,
        "rotation_matrix": making.IDENTITY,
    }
    assert moved.new_objects[0].bbox_3d == making.MOVE["new_bbox_3d"]
    assert truth["room_frame_100_edit_0"].new_objects[0].rotation_matrix == making.TURNED
    assert truth["room_frame_10_edit_10"].new_objects == []
    view = truth["FloorPlan1_edit_1"]
    assert (view.target_index, view.objects, view.gt_image) == (None, [], "gt/robothor/FloorPlan1_edit_1.png")
    assert truth["FloorPlan1_edit_10"].gt_image == "gt/robothor/FloorPlan1_edit_10.png"


def test_no_hidden_number_and_no_true_edit_is_in_the_public_part(fine, robothor, tmp_path):
    draft, _ = draft_of({"fine": fine, "robothor": robothor})
    parts = pack(draft, tmp_path)
    public, hidden = _all_texts(parts.public_zip), _all_texts(parts.hidden_zip)
    assert sorted(public) == [
        "benchmark.json",
        "originals/fine/room_frame_10.jpg",
        "originals/fine/room_frame_100.png",
        "originals/robothor/FloorPlan1.png",
    ]
    for canary in making.CANARIES:
        assert canary.encode() in hidden["truth.json"]
        assert not any(canary.encode() in content for content in public.values())
    true_edits = {content for name, content in hidden.items() if name.startswith("gt/")}
    assert true_edits == {path.read_bytes() for path in robothor.glob("*gtedit*")}
    assert not true_edits & set(public.values())
    assert not set(json.loads(public["benchmark.json"])["samples"][0]) & {"original_bbox_3d", "rotation_matrix"}


def test_the_same_files_give_the_same_archives_byte_for_byte(fine, tmp_path):
    made = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        parts = pack(draft_of({"fine": fine})[0], tmp_path / name)
        made.append([part.read_bytes() for part in parts])
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"prompt": None}, "prompt", "missing"),
        ({"prompt": 3}, "prompt", "not a text"),
        ({"prompt": "  "}, "prompt", "not a text"),
        ({"prompt": "Move " + "x" * 1000}, "prompt", "longer"),
        ({"prompt": "Paint the cup red."}, "prompt", "no verb"),
        ({"prompt": "please"}, "prompt", "no verb"),
        ({"target": None}, "target", "missing"),
        ({"target": "x" * 121}, "target", "longer"),
        ({"original_bbox_3d": None}, "original_bbox_3d", "missing"),
        ({"original_bbox_3d": making.BOX[:6]}, "original_bbox_3d", "seven finite"),
        ({"original_bbox_3d": [*making.BOX[:6], float("nan")]}, "original_bbox_3d", "seven finite"),
        ({"original_bbox_3d": [*making.BOX[:6], float("inf")]}, "original_bbox_3d", "seven finite"),
        ({"original_bbox_3d": [*making.BOX[:6], 10**400]}, "original_bbox_3d", "seven finite"),
        ({"original_bbox_3d": [*making.BOX[:6], True]}, "original_bbox_3d", "seven finite"),
        ({"original_bbox_3d": [*making.BOX[:6], "0"]}, "original_bbox_3d", "seven finite"),
        ({"original_bbox_3d": [0, 0, 2, 1, 0, 1, 0]}, "original_bbox_3d", "not positive"),
        ({"camera_intrinsics": None}, "camera_intrinsics", "missing"),
        ({"camera_intrinsics": making.INTRINSICS[:2]}, "camera_intrinsics", "three rows"),
        ({"camera_intrinsics": [[0, 0, 1], [0, 1, 1], [0, 0, 1]]}, "camera_intrinsics", "positive fx"),
        ({"camera_intrinsics": [[1, 0, 1], [0, 1, 1], [0, 0, 2]]}, "camera_intrinsics", "camera matrix"),
        ({"rotation_matrix": None}, "rotation_matrix", "missing"),
        ({"rotation_matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1.1]]}, "rotation_matrix", "proper rotation"),
        ({"rotation_matrix": [[1, 0, 0], [0, 1, 0], [0, 0, -1]]}, "rotation_matrix", "proper rotation"),
        ({"new_bbox_3d": None}, "new_bbox_3d", "missing"),
        ({"new_bbox_3d": making.BOX}, "new_bbox_3d", "goal is the original"),
        ({"prompt": "Scale the cup by 2."}, "new_bbox_3d", "goal is the original"),
        ({"prompt": "Turn the cup."}, "new_rotation_matrix", "missing"),
        ({"prompt": "Turn it.", "new_rotation_matrix": making.IDENTITY}, "new_rotation_matrix", "is the original"),
        ({"new_rotation_matrix": [[1, 0, 0]] * 3}, "new_rotation_matrix", "proper rotation"),
    ],
)
def test_a_field_that_cannot_be_scored_is_told_with_its_file_and_never_its_value(fields, field, words, fine):
    making.change(fine, "room_frame_10_edit_2.json", **fields)
    (told,) = refusal_of({"fine": fine})
    assert (told.file, told.field) == ("fine_dataset/room_frame_10_edit_2.json", field)
    assert words in told.wrong
    assert told.remedy
    assert not any(canary in told.wrong + told.remedy for canary in making.CANARIES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is no JSON"),
        (b"[]", "no JSON object"),
        (b"\xff\xfe", "is no JSON"),
        (b'{"prompt": "Move it", "prompt": "Turn it"}', "twice"),
        (b"[" * 100_000, "is no JSON"),
        (b" " * (2**20 + 1), "larger than"),
        (b'{"prompt": ' + b"1" * 5000 + b"}", "is no JSON"),
    ],
)
def test_a_file_that_is_no_description_is_told(content, words, fine):
    (fine / "room_frame_10_edit_2.json").write_bytes(content)
    (told,) = refusal_of({"fine": fine})
    assert told.file == "fine_dataset/room_frame_10_edit_2.json"
    assert words in told.wrong


def _no_picture(folder):
    (folder / "FloorPlan1.png").write_bytes(b"text")


def _cut_off(folder):
    whole = (folder / "FloorPlan1.png").read_bytes()
    (folder / "FloorPlan1.png").write_bytes(whole[: len(whole) // 2])


def _tiny(folder):
    making.picture(3, size=(8, 8)).save(folder / "FloorPlan1.png")


def _turned(folder):
    tag = Image.Exif()
    tag[0x0112] = 6
    making.picture(3).save(folder / "FloorPlan1.png", exif=tag)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(_no_picture, "no picture"), (_cut_off, "damaged"), (_tiny, "8×8"), (_turned, "orientation")],
)
def test_an_original_that_cannot_be_used_is_told(spoil, words, robothor):
    spoil(robothor)
    told = refusal_of({"robothor": robothor})
    assert told[0].file == "robothor_dataset/FloorPlan1.png"
    assert words in told[0].wrong.lower() or words in told[0].remedy


def test_a_true_edit_of_another_size_is_told(robothor):
    making.picture(4, size=(60, 48)).save(robothor / "FloorPlan1_gtedit_1.png")
    (told,) = refusal_of({"robothor": robothor})
    assert told.file == "robothor_dataset/FloorPlan1_gtedit_1.png"
    assert "60" in told.wrong


def test_a_view_without_its_true_edit_is_told(robothor):
    (robothor / "FloorPlan1_gtedit_1.png").unlink()
    (told,) = refusal_of({"robothor": robothor})
    assert told.file == "robothor_dataset/FloorPlan1_edit_1.json"
    assert "FloorPlan1_gtedit_1.png" in told.remedy


def test_every_defect_of_every_folder_is_told_at_once(fine, robothor):
    making.change(fine, "room_frame_10_edit_2.json", prompt=None, target=None)
    making.change(fine, "room_frame_100_edit_1.json", rotation_matrix=None)
    _no_picture(robothor)
    told = refusal_of({"fine": fine, "robothor": robothor})
    assert [(one.file.split("/")[1], one.field) for one in told] == [
        ("room_frame_10_edit_2.json", "prompt"),
        ("room_frame_10_edit_2.json", "target"),
        ("room_frame_100_edit_1.json", "rotation_matrix"),
        ("FloorPlan1.png", ""),
    ]


def test_the_same_id_in_two_data_sets_is_told_whatever_its_case(robothor, tmp_path):
    bathroom = tmp_path / "bathroom_dataset"
    bathroom.mkdir()
    making.picture(9).save(bathroom / "floorplan1.png")
    making.write(bathroom, "floorplan1_edit_10.json", making.MOVE)
    told = refusal_of({"bathroom": bathroom, "robothor": robothor})
    assert [one.file for one in told] == ["robothor: FloorPlan1_edit_10"]


def test_an_empty_folder_is_told(tmp_path):
    assert "no sample" in refusal_of({"fine": tmp_path})[0].wrong


def test_what_calls_itself_gsi_bench_needs_all_of_its_samples(fine):
    told = refusal_of({"fine": fine}, edition(id=None, title=None, partial=False))
    assert [one.wrong for one in told] == [
        "has 4 samples; GSI-Real has 441",
        "has 0 samples; GSI-Syn-Tabletop has 600",
        "has 0 samples; GSI-Syn-Room has 593",
    ]


def test_a_part_says_in_its_name_that_it_is_one(fine):
    manifest = draft_of({"fine": fine})[0].manifest
    assert manifest.benchmark == "gsi-bench-partial"
    assert [one.title for one in manifest.subsets] == ["GSI-Real, 4 of 441"]
