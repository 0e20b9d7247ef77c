from __future__ import annotations

from server.scoring.instruments import needs_of


def test_a_job_reaches_every_folder_that_the_file_of_instruments_names_and_that_is_there(tmp_path):
    there = {name: tmp_path / name for name in ("weights", "kept", "grounding-dino")}
    for folder in there.values():
        folder.mkdir()
    content = {
        "weights": str(there["weights"]),
        "originals": {"folder": str(there["kept"])},
        "detector": {"accept_noncommercial_weights": True, "grounding_dino": str(there["grounding-dino"])},
        "judge": {"adapter": "recorded", "journal": str(tmp_path / "absent.jsonl")},
    }
    assert set(needs_of(content).read_only) == set(there.values())
    assert needs_of({"weights": "relative", "detector": 5}) == ((), None)
