from __future__ import annotations

from pathlib import Path

from scorer.installation import anchored


def test_relative_paths_begin_where_the_file_lies_and_absolute_ones_stay():
    content = {
        "weights": "w",
        "journals": "/srv/j",
        "originals": {"folder": "o", "bytes": 5},
        "judge": {"adapter": "recorded", "journal": "a.jsonl"},
        "detector": {"grounding_dino": "g", "device": "cpu"},
    }
    assert anchored(content, base=Path("/etc/gsi")) == {
        "weights": "/etc/gsi/w",
        "journals": "/srv/j",
        "originals": {"folder": "/etc/gsi/o", "bytes": 5},
        "judge": {"adapter": "recorded", "journal": "/etc/gsi/a.jsonl"},
        "detector": {"grounding_dino": "/etc/gsi/g", "device": "cpu"},
    }


def test_a_local_model_is_a_path_only_where_such_a_folder_is(tmp_path):
    (tmp_path / "here").mkdir()
    here, hub = ({"judge": {"adapter": "local", "model": name}} for name in ("here", "owner/there"))
    assert anchored(here, base=tmp_path)["judge"]["model"] == str(tmp_path / "here")
    assert anchored(hub, base=tmp_path)["judge"]["model"] == "owner/there"


def test_what_is_not_of_the_form_is_left_for_its_reader():
    odd = {"weights": 3, "judge": ["x"], "originals": None, "detector": 5, "more": 1}
    assert anchored(odd, base=Path("/")) == odd
