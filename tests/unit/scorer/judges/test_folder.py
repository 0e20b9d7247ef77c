from __future__ import annotations

import json

import pytest

from scorer.errors import BenchmarkError
from scorer.judges.cases import png
from scorer.judges.folder import QUESTIONS, read_cases, read_questions, write_questions
from tests.unit.scorer.judges import asking

CASES = [asking.case("one", seed=1), asking.case("two", seed=2, instruction=None)]


@pytest.fixture
def folder(tmp_path):
    assert write_questions(tmp_path, CASES) == 2
    return tmp_path


def test_what_is_written_is_read_back_and_shared_images_are_written_once(folder):
    found = list(read_cases(folder, read_questions(folder)))
    assert [(case.key, case.content) for case in found] == [(case.key, case.content) for case in CASES]
    assert len(list((folder / "images").iterdir())) == 3


def test_nothing_but_pictures_and_words_leaves_the_scorer(folder):
    for line in (folder / QUESTIONS).read_text().splitlines():
        assert set(json.loads(line)) == {"schema", "key", "original", "edited", "operation", "instruction", "target"}


def test_a_missing_list_is_named(tmp_path):
    with pytest.raises(BenchmarkError, match=r"questions\.jsonl is missing"):
        read_questions(tmp_path)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"key": "one"}, "a key is repeated"),
        ({"original": "../secret.png"}, "line 2 is not a valid question"),
        ({"original": "/etc/passwd"}, "line 2 is not a valid question"),
        ({"operation": "paint"}, "line 2 is not a valid question"),
        ({"boxes": []}, "line 2 is not a valid question"),
    ],
)
def test_a_line_that_cannot_be_asked_is_refused(folder, changed, says):
    first, second = (folder / QUESTIONS).read_text().splitlines()
    (folder / QUESTIONS).write_text(f"{first}\n{json.dumps(json.loads(second) | changed)}\n")
    with pytest.raises(BenchmarkError, match=says):
        read_questions(folder)


def test_an_image_that_cannot_be_used_is_named(folder):
    lines = read_questions(folder)
    damaged = folder / lines[1].edited
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(BenchmarkError, match=damaged.name):
        list(read_cases(folder, lines))
    damaged.unlink()
    with pytest.raises(BenchmarkError, match=damaged.name):
        list(read_cases(folder, lines))


def test_images_of_two_sizes_are_refused(folder):
    lines = read_questions(folder)
    (folder / lines[0].edited).write_bytes(png(asking.picture(height=10)))
    with pytest.raises(BenchmarkError, match="question one: the images differ in size"):
        list(read_cases(folder, lines))
