"""The operator's file of instruments, taken apart by who may see what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.errors import StorageError
from server.scoring.instruments import Installation, installation_of


def _installation(folder: Path, **content: object) -> Installation:
    file = folder / "instruments.json"
    file.write_text(json.dumps(content))
    return installation_of(file, weights=folder / "default")


def test_what_measures_sees_the_folders_of_weights_and_neither_judge_nor_where_things_are_kept(tmp_path):
    for name in ("weights", "grounding-dino", "kept"):
        (tmp_path / name).mkdir()
    found = _installation(
        tmp_path,
        weights="weights",
        journals="journals",
        originals={"folder": "kept"},
        detector={"accept_noncommercial_weights": True, "grounding_dino": str(tmp_path / "grounding-dino")},
        judge={"adapter": "endpoint", "url": "http://judge/v1", "model": "m"},
    )
    assert set(found.weights) == {tmp_path / "weights", tmp_path / "grounding-dino"}
    assert set(found.measuring) == {"weights", "detector"}


def test_a_folder_that_is_not_there_and_a_part_of_another_form_are_left_for_the_scorer_to_tell(tmp_path):
    found = _installation(tmp_path, weights="absent", detector=5, judge=[])
    assert found.weights == ()
    assert not found.measures_on_gpu
    assert found.judge is None


@pytest.mark.parametrize(("device", "gpu"), [("cpu", False), ("cuda", True), ("cuda:1", True)])
def test_measuring_asks_for_a_gpu_where_the_detector_runs_on_one(device, gpu, tmp_path):
    assert _installation(tmp_path, detector={"device": device}).measures_on_gpu is gpu


def test_the_judges_job_reaches_its_endpoint_or_its_model_and_nothing_else(tmp_path):
    (tmp_path / "model").mkdir()
    served = _installation(tmp_path, judge={"adapter": "endpoint", "url": "http://judge/v1", "model": "m"}).judge_needs
    assert (served.read_only, served.endpoint, served.gpu) == ((), "http://judge/v1", False)
    local = {"adapter": "local", "model": str(tmp_path / "model"), "device": "cuda:0"}
    needs = _installation(tmp_path, judge=local).judge_needs
    assert (needs.read_only, needs.endpoint, needs.gpu) == ((tmp_path / "model",), None, True)


def test_a_file_that_cannot_be_read_now_may_be_read_later(tmp_path):
    with pytest.raises(StorageError):
        installation_of(tmp_path / "absent.json", weights=tmp_path)
