from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from server.leaderboard.export import safe_cell, to_csv
from server.leaderboard.model import Board, Entry

ENTRY = Entry(
    rank=1,
    entry_id=UUID(int=1),
    kind="submission",
    provenance="scored",
    model="Model",
    organization=None,
    access=None,
    size=None,
    team="Team",
    protocol="gsi-fair-1",
    submitted_at=datetime(2026, 11, 23, tzinfo=UTC),
    source_url=None,
    scores={"ic": 1.5, "avg": 50.0},
)


def _lines(*entries):
    board = Board(
        benchmark="b",
        protocol="gsi-fair-1",
        subset=None,
        operation=None,
        ranked_by="avg",
        columns=("ic", "sa", "avg"),
        entries=entries,
    )
    return list(csv.DictReader(io.StringIO(to_csv(board))))


def test_a_line_holds_rank_words_and_numbers_and_nothing_where_there_is_none():
    (line,) = _lines(ENTRY)
    assert (line["rank"], line["ic"], line["sa"], line["avg"]) == ("1", "1.5", "", "50.0")
    assert (line["organization"], line["submitted_at"]) == ("", "2026-11-23T00:00:00+00:00")


def test_an_entry_without_rank_has_an_empty_rank():
    assert _lines(replace(ENTRY, rank=None))[0]["rank"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "=HYPERLINK(1)", "＝1"])
def test_a_text_that_would_run_as_a_formula_is_disarmed(text):
    assert safe_cell(text) == f"'{text}"
    line = _lines(replace(ENTRY, model=text, team=text, organization=text, source_url=text))[0]
    assert {line[name] for name in ("model", "team", "organization", "source_url")} == {f"'{text}"}


@pytest.mark.parametrize("text", ["", "BAGEL + GSI-Syn", "a=b", "1-2", 'quote " and , comma', "two\nlines"])
def test_any_other_text_stays_as_it_is(text):
    assert _lines(replace(ENTRY, model=text))[0]["model"] == text
