from __future__ import annotations

from pathlib import Path

import pytest

from scorer.official.aborts import OfficialAbortError
from scorer.official.names import match, read_name, scored_files


def files(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_lower_case_jpg_count_first_then_png_and_nothing_else(tmp_path):
    folder = files(tmp_path / "images", "b_edit_0.png", "a_edit_0.png", "c_edit_0.jpg", "d_edit_0.JPG", "e.webp")
    files(folder / "deeper", "f_edit_0.png")
    assert [path.name for path in scored_files(folder)] == ["c_edit_0.jpg", "a_edit_0.png", "b_edit_0.png"]


def test_the_key_ends_at_the_first_dot_and_the_second_separator():
    assert read_name(Path("x/s_1_edit_2.v3.png")).key == "s_1_2"
    assert read_name(Path("s_edit_q_edit_0.jpg")).key == "s_q"
    assert read_name(Path("s_edit_q_edit_0.JPEG")).description == "s_edit_q_edit_0.json"


def test_a_name_without_separator_aborts_as_the_official_code_does():
    with pytest.raises(OfficialAbortError, match="_edit_") as caught:
        read_name(Path("scene.png"))
    assert caught.value.official == "ValueError"


@pytest.mark.parametrize(
    ("absent", "told"), [("s.png", "no original"), ("s_edit_0.json", "no edit JSON"), ("s_edit_0.png", "edited image")]
)
def test_a_missing_file_is_named(tmp_path, absent, told):
    data = files(tmp_path / "data", *{"s.png", "s_edit_0.json"} - {absent})
    images = files(tmp_path / "images", *{"s_edit_0.png"} - {absent})
    with pytest.raises(OfficialAbortError, match=told) as caught:
        match(images / "s_edit_0.png", dataset=data)
    assert caught.value.official == "FileNotFoundError"


def test_the_first_file_by_name_is_taken_where_the_official_order_is_the_disks(tmp_path):
    data = files(tmp_path / "data", "s.png", "s_edit_1.json", "s_z_gtedit_1.png", "s_a_gtedit_10.png")
    images = files(tmp_path / "images", "s_edit_1.png")
    found = match(images / "s_edit_1.png", dataset=data)
    assert found.ground_truth == data / "s_a_gtedit_10.png"
