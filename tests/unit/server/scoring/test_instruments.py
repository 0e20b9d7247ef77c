from __future__ import annotations

import json

from server.scoring.instruments import Installation, Needs, installation_of

DETECTOR = {"accept_noncommercial_weights": True, "device": "cuda:1", "grounding_dino": "dino", "mode": "fast"}


def test_a_measuring_job_reaches_every_folder_of_weights_that_is_there_and_the_detectors_card(tmp_path):
    there = {name: tmp_path / name for name in ("weights", "grounding-dino")}
    for folder in there.values():
        folder.mkdir()
    detector = {"grounding_dino": str(there["grounding-dino"]), "device": "cuda:1"}
    chosen = Installation({"weights": str(there["weights"]), "detector": detector})
    assert set(chosen.weights) == set(there.values())
    assert chosen.measures_on_gpu
    absent = Installation({"weights": str(tmp_path / "absent"), "detector": 5})
    assert absent.weights == ()
    assert not absent.measures_on_gpu


def test_measuring_jobs_read_the_detectors_settings_with_paths_made_absolute_and_nothing_of_the_judge(tmp_path):
    content = {
        "detector": DETECTOR,
        "judge": {"adapter": "recorded", "journal": "answers.jsonl"},
        "journals": "journals",
        "originals": {"folder": "kept"},
    }
    (tmp_path / "instruments.json").write_text(json.dumps(content))
    read = installation_of(tmp_path / "instruments.json", weights=tmp_path / "weights").measuring
    assert read == {
        "weights": str(tmp_path / "weights"),
        "detector": {**DETECTOR, "grounding_dino": str(tmp_path / "dino")},
    }


def test_a_judge_of_recorded_answers_needs_nothing():
    assert Installation({"judge": {"adapter": "recorded", "journal": "/absent.jsonl"}}).judge_needs == Needs(
        (), None, gpu=False
    )
