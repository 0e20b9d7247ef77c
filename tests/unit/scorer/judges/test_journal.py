from __future__ import annotations

import os

import pytest

from scorer.contract import ExitCode
from scorer.errors import JudgeError, JudgeUnavailableError
from scorer.judges.journal import Journal
from tests.unit.scorer.judges import asking

ONE, TWO = asking.entry("one"), asking.entry("two", digest="c" * 64, score=None)


def test_what_was_added_is_found_by_its_digest_in_the_next_process(tmp_path):
    path = tmp_path / "new" / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(ONE)
        journal.add(TWO)
    with Journal(path) as journal:
        assert (journal.get("a" * 64), journal.get("c" * 64), journal.get("d" * 64)) == (ONE, TWO, None)
    assert path.stat().st_mode & 0o077 == 0


def test_of_two_answers_with_one_digest_the_first_stands(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(ONE)
        journal.add(asking.entry("again", score=1.0))
    assert len(path.read_text().splitlines()) == 1


@pytest.mark.parametrize("torn", [1, 20, 200])
def test_a_torn_last_line_is_dropped_and_written_anew(tmp_path, torn):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(ONE)
        journal.add(TWO)
    whole = path.read_bytes()
    path.write_bytes(whole[:-torn])
    with Journal(path) as journal:
        assert (journal.get("a" * 64), journal.get("c" * 64)) == (ONE, None)
        journal.add(TWO)
    assert path.read_bytes() == whole


def test_a_damaged_line_is_named_and_nothing_is_overwritten(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(ONE)
        journal.add(TWO)
    damaged = path.read_bytes().replace(b'"score":7.0', b'"score":11.0')
    path.write_bytes(damaged)
    with pytest.raises(JudgeError, match="line 1 is damaged"):
        Journal(path)
    assert path.read_bytes() == damaged


def test_a_journal_has_one_writer_at_a_time(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path), pytest.raises(JudgeUnavailableError, match="another process") as raised:
        Journal(path)
    assert raised.value.exit_code == ExitCode.TRY_AGAIN
    Journal(path).close()


def test_a_line_that_the_disk_refuses_leaves_no_trace(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(ONE)
        whole = path.read_bytes()
        monkeypatch.setattr(os, "fsync", _full_disk)
        with pytest.raises(OSError, match="no space"):
            journal.add(TWO)
        assert (path.read_bytes(), journal.get("c" * 64)) == (whole, None)


def _full_disk(file):
    raise OSError(28, "no space left")
