"""Every vector file, packed as it lies here, through the functions that `python -m scorer conformance` runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.official.conformance.cases import run_cases
from scorer.official.conformance.end_to_end import end_to_end
from scorer.official.conformance.folder import Folder
from scorer.official.conformance.images import seeded_network
from scorer.official.conformance.runner import FILES, run_folder
from tests.conformance.conftest import VECTORS

CASES = {
    "operation": 213,
    "geometry": 336,
    "ops": 1335,
    "locality": 155,
    "viewpoint": 24,
    "ac_parse": 73,
    "aggregate": 77 + 13 + 6,
    "matching": 28,
}
FOLDER = Folder(VECTORS)


@pytest.fixture(scope="module")
def network():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield seeded_network(FOLDER)
    torch.set_num_threads(threads)


def test_every_kind_of_vector_is_here():
    assert set(CASES) == set(FILES)


@pytest.mark.parametrize("name", CASES)
def test_all_cases_agree_with_the_official_functions(name, network):
    result = run_cases(name, FILES[name](FOLDER, network))
    assert result.failures == []
    assert result.passed == CASES[name]


def test_official_folders_give_the_official_result_files_and_summary(network):
    result = run_cases("e2e", end_to_end(FOLDER, network))
    assert result.failures == []
    assert result.passed == 78


ALTERATIONS = {
    "operation": lambda content: content["cases"][0].update(value="view"),
    "geometry": lambda content: content["cases"][100]["value"].__setitem__(2, 1e4),
    "ops": lambda content: content["cases"][0]["expected"]["spatial-accuracy"].update(value=0.63345175),
    "ac_parse": lambda content: content["cases"][0].update(score=1),
    "aggregate": lambda content: content["cases"][0]["metrics"].update(sa=34.1995),
    "matching": lambda content: content["cases"][0]["value"].update(gt_edited_img="orig/x.png"),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_the_command_fails_and_names_the_case_when_a_vector_is_altered(name, tmp_path, capsys):
    content = FOLDER.json(name)
    content["cases"] = content["cases"][:120]
    write(tmp_path, name, content)
    assert main(["conformance", str(tmp_path)]) == ExitCode.OK
    ALTERATIONS[name](content)
    write(tmp_path, name, content)
    capsys.readouterr()
    assert main(["conformance", str(tmp_path)]) == ExitCode.DEFECT
    told = capsys.readouterr()
    altered = content["cases"][100 if name == "geometry" else 0]
    assert f"{name}: {altered['id']}: " in told.out
    assert "1 of " in told.err


def test_an_altered_image_verdict_or_result_is_noticed(network, tmp_path):
    locality, viewpoint = FOLDER.json("locality"), FOLDER.json("viewpoint")
    locality["cases"] = [case for case in locality["cases"] if case["id"] == "both_dark_max_1"]
    locality["cases"][0]["expected"]["lpips"] += 1e-4
    locality["check_locality"][0]["value"] = not locality["check_locality"][0]["value"]
    viewpoint["cases"] = viewpoint["cases"][:1]
    for answer in viewpoint["cases"][0].values():
        if isinstance(answer, dict):
            answer["value"] = False
    for name in ("locality.zip", "viewpoint.zip", "lpips_alex_seeded.npz"):
        (tmp_path / name).symlink_to(VECTORS / name)
    write(tmp_path, "locality", locality)
    write(tmp_path, "viewpoint", viewpoint)
    failures = {result.name: [case for case, _ in result.failures] for result in run_folder(tmp_path)}
    assert failures["locality"] == ["both_dark_max_1", "gate 0"]
    assert failures["viewpoint"] == ["same_camera_object_moved_0"]


def test_absent_files_are_told_and_an_empty_folder_is_no_success(tmp_path, capsys):
    assert main(["conformance", str(tmp_path)]) == ExitCode.DEFECT
    told = capsys.readouterr()
    assert told.out.count("absent") == len(FILES) + 2
    assert "holds no vectors" in told.err
    assert main(["conformance", str(tmp_path / "nowhere")]) == ExitCode.DEFECT


def test_malformed_cases_and_files_are_failures_not_crashes(tmp_path, capsys):
    whole = FOLDER.json("ac_parse")["cases"][0]
    write(tmp_path, "ac_parse", {"cases": [whole, {"id": "bare"}, 5, {**whole, "metrics_of_single_sample": []}]})
    (tmp_path / "ops.json").write_text("{")
    (tmp_path / "matching.json").write_text("[]")
    write(tmp_path, "locality", {"cases": FOLDER.json("locality")["cases"][:1]})  # neither images nor weights
    assert main(["conformance", str(tmp_path)]) == ExitCode.DEFECT
    told = capsys.readouterr().out
    for line in ("ac_parse: bare: malformed", "ac_parse: case 2: malformed", "ops: the file: malformed"):
        assert line in told
    assert "matching: the file: malformed" in told
    assert "locality: small_landscape: malformed: FileNotFoundError" in told


def test_a_file_without_cases_has_not_passed(tmp_path, capsys):
    write(tmp_path, "operation", {"cases": FOLDER.json("operation")["cases"][:1]})
    write(tmp_path, "ops", {"cases": []})
    assert main(["conformance", str(tmp_path)]) == ExitCode.OK
    assert "ops        no cases" in capsys.readouterr().out


def test_the_detectors_vectors_are_skipped_and_said_to_be(tmp_path, capsys):
    (tmp_path / "detany3d").mkdir()
    write(tmp_path, "operation", {"cases": FOLDER.json("operation")["cases"][:1]})
    assert main(["conformance", str(tmp_path)]) == ExitCode.OK
    assert "detany3d: skipped" in capsys.readouterr().out


def write(folder: Path, name: str, content: object) -> None:
    (folder / f"{name}.json").write_text(json.dumps(content))
