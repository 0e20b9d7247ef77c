"""Runs over official folders: what ends the official program ends one sample, and is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scorer.__main__ import main
from scorer.contract import ExitCode
from tests.unit.scorer.official import folders
from tests.unit.scorer.official.scenes import truth

MOVE = "Move the cup 100 centimeters to the right."


def read(root: Path, name: str) -> Any:
    return json.loads((root / "out" / name).read_text())


def part(root: Path) -> dict[str, Any]:
    (only,) = read(root, "report.json")["parts"]
    return only


def results(root: Path, mode: str) -> dict[str, Any]:
    return read(root, f"My_Model/fine_eval/{mode}_eval_results.json")


def test_a_good_move_is_scored_and_explained(tmp_path, capsys):
    folders.write(tmp_path, prompts={"0": MOVE, "1": MOVE}, detections={"s_1": folders.UNCHANGED})
    assert main(folders.arguments(tmp_path)) == ExitCode.OK
    summary = read(tmp_path, "EVAL_output_summary.json")["fine"]["MyModel"]
    assert summary["instruction_compliance"] == 50
    assert summary["ac"] == 45
    good, unchanged = read(tmp_path, "My_Model/fine_eval/explanations.json")
    assert (good["ic"], good["candidates"]["chosen"]) == (1, 1)
    assert good["quantities"]["s1"] == pytest.approx(1)
    assert good["locality"]["gate"] is True
    assert (unchanged["ic"], unchanged["candidates"]["chosen"]) == (0, None)
    assert [verdict["why"] for verdict in unchanged["candidates"]["verdicts"]] == ["same_box", "same_box"]
    report = read(tmp_path, "report.json")
    assert report["profile"] == "gsi-official-1"
    assert len(report["weights"]["sha256"]) == 64
    assert "2 of 2 images" in capsys.readouterr().err


def test_what_ends_the_official_program_ends_one_sample_and_is_told(tmp_path, capsys):
    prompts = {"0": MOVE, "1": "Paint the cup blue.", "2": MOVE, "3": MOVE, "4": "please", "5": MOVE}
    folders.write(tmp_path, prompts=prompts)
    data, images = tmp_path / "fine_dataset", tmp_path / folders.MODEL / "generated_images_fine"
    (data / "s_edit_2.json").unlink()
    fields = {key: value for key, value in truth(MOVE).fields.items() if key != "new_bbox_3d"}
    (data / "s_edit_3.json").write_text(json.dumps(fields))
    (data / "s_edit_5.json").write_text("{")
    folders.picture(images / "nothing.png")
    assert main(folders.arguments(tmp_path)) == ExitCode.OK
    aborts = {one["file"]: one["official_exception"] for one in part(tmp_path)["not_scored"]["official_abort"]}
    assert aborts == {
        "nothing.png": "ValueError",
        "s_edit_1.png": "NotImplementedError",
        "s_edit_2.png": "FileNotFoundError",
        "s_edit_3.png": "KeyError",
        "s_edit_4.png": "IndexError",
        "s_edit_5.png": "JSONDecodeError",
    }
    assert list(results(tmp_path, "instruction-compliance")) == ["s_0"]
    locality = results(tmp_path, "edit-locality")
    assert {key: row["operation"] for key, row in locality.items()} == {"s_0": "move", "s_1": "paint", "s_3": "move"}
    assert read(tmp_path, "EVAL_output_instruction_compliance.json") == {"fine": {"MyModel": 100.0}}
    assert "s_edit_1.png: official_abort: 'paint' is not an operation" in capsys.readouterr().err


def test_a_blank_rotation_aborts_after_its_locality_which_keeps_its_bare_nan(tmp_path):
    folders.write(tmp_path, prompts={"0": "Rotate the cup 30 degrees clockwise."})
    folders.picture(tmp_path / "fine_dataset/s.png", patch=8)
    Image.new("RGB", (96, 80), (128, 128, 128)).save(tmp_path / folders.MODEL / "generated_images_fine/s_edit_0.png")
    assert main(folders.arguments(tmp_path)) == ExitCode.OK
    (row,) = read(tmp_path, "My_Model/fine_eval/explanations.json")
    assert (row["status"], row["official_exception"]) == ("official_abort", "error")
    assert row["locality"]["ssim"] == "NaN"
    assert row["locality"]["gate"] is True
    assert "NaN," in (tmp_path / "out/My_Model/fine_eval/edit-locality_eval_results.json").read_text()
    assert results(tmp_path, "instruction-compliance") == {}


def test_images_that_do_not_count_are_listed(tmp_path):
    folders.write(tmp_path, prompts={"0": MOVE, "1": MOVE, "2": MOVE, "3": MOVE})
    data, images = tmp_path / "fine_dataset", tmp_path / folders.MODEL / "generated_images_fine"
    folders.picture(images / "s_edit_0.jpg")
    (images / "s_edit_1.png").write_bytes(b"no image")
    (images / "s_edit_2.png").unlink()
    (images.parent / "fine_eval/infer_cache.json").write_text(json.dumps({"s_0": folders.GOOD}))
    assert (data / "s_edit_2.json").exists()
    assert main(folders.arguments(tmp_path)) == ExitCode.OK
    found = part(tmp_path)
    files = {status: [one["file"] for one in rows] for status, rows in found["not_scored"].items()}
    assert files == {"duplicate": ["s_edit_0.png"], "unreadable": ["s_edit_1.png"], "no_detections": ["s_edit_3.png"]}
    assert found["unsubmitted"] == ["s_edit_2.json"]
    assert list(results(tmp_path, "spatial-accuracy")) == ["s_0"]


def test_a_score_that_is_no_number_leaves_out_its_sample_not_the_summary(tmp_path, capsys):
    folders.write(tmp_path, prompts={"0": MOVE, "1": MOVE}, scores={"1": '"8"'})
    assert main(folders.arguments(tmp_path)) == ExitCode.OK
    (abort,) = part(tmp_path)["summary_aborts"]
    assert (abort["key"], abort["official_exception"]) == ("s_1", "TypeError")
    assert read(tmp_path, "EVAL_output_ac.json") == {"fine": {"MyModel": 90.0}}
    assert "s_1: left out of the summary" in capsys.readouterr().err


def test_without_judgements_the_data_set_is_left_out_and_said_to_be(tmp_path, capsys):
    folders.write(tmp_path, prompts={"0": MOVE})
    (tmp_path / "judged/predictions_fine_MyModel.json").unlink()
    assert main(folders.arguments(tmp_path)) == ExitCode.OK
    assert read(tmp_path, "EVAL_output_summary.json") == {}
    assert "*fine_MyModel.json" in part(tmp_path)["left_out"]
    assert list(results(tmp_path, "instruction-compliance")) == ["s_0"]
    assert "no judgements" in capsys.readouterr().err


def test_missing_folders_are_told_before_anything_is_scored(tmp_path, capsys):
    folders.write(tmp_path, prompts={"0": MOVE})
    (tmp_path / folders.MODEL / "fine_eval/infer_cache.json").unlink()
    assert main(folders.arguments(tmp_path)) == ExitCode.DEFECT
    assert "infer_cache.json: no such file" in capsys.readouterr().err
    (tmp_path / folders.MODEL / "generated_images_fine/s_edit_0.png").unlink()
    (tmp_path / folders.MODEL / "generated_images_fine").rmdir()
    assert main(folders.arguments(tmp_path)) == ExitCode.DEFECT
    assert "generated_images_fine: no such folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_two_models_of_one_name_are_refused(tmp_path, capsys):
    folders.write(tmp_path, prompts={"0": MOVE})
    twice = [*folders.arguments(tmp_path), "--model", str(tmp_path / folders.MODEL)]
    assert main(twice) == ExitCode.DEFECT
    assert "both MyModel on fine" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["fine", "=x", "coarse=x", "fine="])
def test_a_data_set_is_named_with_its_folder(value, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["official", "--dataset", value, "--model", "m", "--judgements", "j", "--weights", "w", "--out", "o"])
    assert ended.value.code == ExitCode.USAGE
    assert "NAME=FOLDER" in capsys.readouterr().err


def test_without_weights_it_is_said_how_to_fetch_them(tmp_path, monkeypatch, capsys):
    folders.write(tmp_path, prompts={"0": MOVE})
    monkeypatch.setenv("GSI_WEIGHTS", str(tmp_path / "none"))
    given = folders.arguments(tmp_path)
    at = given.index("--weights")
    assert main(given[:at] + given[at + 2 :]) == ExitCode.DEFECT
    assert "fetch-weights lpips-alex-v0.1" in capsys.readouterr().err


def test_a_kept_share_of_the_originals_gives_the_same_files(tmp_path):
    folders.write(tmp_path, prompts={"0": MOVE, "1": "Remove the cup."})
    told = []
    for extra in ([], ["--originals", str(tmp_path / "kept")], ["--originals", str(tmp_path / "kept")]):
        assert main([*folders.arguments(tmp_path), *extra]) == ExitCode.OK
        told.append({path.name: path.read_text() for path in (tmp_path / "out").rglob("*.json")})
    assert any((tmp_path / "kept").iterdir())
    assert told[0] == told[1] == told[2]


def test_the_files_do_not_depend_on_the_number_of_threads(tmp_path, capsys):
    """Of two files of one key the later counts where the earlier cannot be read, whoever looks at them first."""
    folders.write(tmp_path, prompts={str(k): MOVE for k in range(4)} | {"4": "Rotate the cup 30 degrees clockwise."})
    images = tmp_path / folders.MODEL / "generated_images_fine"
    folders.picture(images / "s_edit_0.jpg")
    (images / "s_edit_1.jpg").write_bytes(b"no image")
    folders.picture(images / "nothing.png")
    told = []
    for threads in ("1", "3"):
        assert main([*folders.arguments(tmp_path), "--threads", threads]) == ExitCode.OK
        files = {path.name: path.read_text() for path in (tmp_path / "out").rglob("*.json")}
        report = json.loads(files["report.json"])
        assert report["versions"].pop("threads") == threads
        told.append(files | {"report.json": report, "said": capsys.readouterr().err})
    assert told[0] == told[1]
    left_out = {status: [one["file"] for one in rows] for status, rows in part(tmp_path)["not_scored"].items()}
    assert left_out["duplicate"] == ["s_edit_0.png"]
    assert left_out["unreadable"] == ["s_edit_1.jpg"]
    assert set(results(tmp_path, "edit-locality")) == {"s_0", "s_1", "s_2", "s_3", "s_4"}
