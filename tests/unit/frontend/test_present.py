import pytest

from frontend import present
from frontend.resources import Dimension, Row, Run, Submission

AVG = Dimension(id="avg", label="Avg", title="Average", unit="%", better="high")


def rows(*values: float | None) -> list[Row]:
    plain = {"model": "M", "rank": None}
    return [Row.read({**plain, "entry_id": str(place), "scores": {"avg": value}}) for place, value in enumerate(values)]


def submission(state: str, *seen: str) -> Submission:
    events = [{"at": "2026-11-23T10:00:00Z", "state": each} for each in seen]
    return Submission.read({"id": "s", "benchmark": "blocks", "model": "M", "state": state, "events": events})


def test_a_missing_score_is_a_dash_and_zero_is_a_number() -> None:
    assert present.number(None) == "–"
    assert present.number(0.0) == "0.00"
    assert present.number(81.256) == "81.26"


def test_equal_best_values_are_both_marked_best() -> None:
    found = present.cells(rows(50.0, 50.0, 20.0, None), column=AVG)
    assert [found[str(place)].mark for place in range(4)] == ["best", "best", "second", ""]


def test_a_board_of_two_marks_nobody() -> None:
    assert {cell.mark for cell in present.cells(rows(50.0, 20.0), column=AVG).values()} == {""}


def test_bars_stay_inside_their_cells() -> None:
    assert present.score_cell(120.0).share == 100.0
    assert present.score_cell(-3.0).share == 0.0
    assert present.score_cell(None).share == 0.0


@pytest.mark.parametrize(
    ("state", "seen", "expected"),
    [
        ("created", ["created"], ["ahead", "ahead", "ahead", "ahead", "ahead"]),
        ("validating", ["created", "uploaded", "validating"], ["done", "now", "ahead", "ahead", "ahead"]),
        ("queued", ["created", "uploaded", "validating", "queued"], ["done", "done", "ahead", "ahead", "ahead"]),
        ("scoring", ["created", "uploaded", "validating", "queued"], ["done", "done", "now", "ahead", "ahead"]),
        ("scored", ["created", "scored", "published"], ["done", "done", "done", "done", "ahead"]),
        ("published", ["created", "scored"], ["done", "done", "done", "done", "done"]),
        ("rejected", ["created", "uploaded", "validating"], ["done", "stopped", "ahead", "ahead", "ahead"]),
        ("failed", ["created", "uploaded", "validating", "queued"], ["done", "done", "stopped", "ahead", "ahead"]),
        (
            "withdrawn",
            ["created", "uploaded", "validating", "queued", "scoring"],
            ["done", "done", "done", "stopped", "ahead"],
        ),
    ],
)
def test_the_way_of_a_submission_shows_where_it_stands(state: str, seen: list[str], expected: list[str]) -> None:
    assert [step.status for step in present.steps(submission(state, *seen))] == expected


def test_progress_is_whole_percents_and_nothing_to_do_is_zero() -> None:
    assert present.percent(1, 3) == 33
    assert present.percent(5, 0) == 0
    assert present.percent(9, 3) == 100


def test_times_are_shown_in_one_way_and_odd_ones_as_they_came() -> None:
    assert present.clock("2026-11-23T10:00:00Z") == "2026-11-23 10:00:00 UTC"
    assert present.clock("2026-11-23T12:00:00+02:00") == "2026-11-23 10:00:00 UTC"
    assert present.clock("soon") == "soon"
    assert present.day("") == ""


def test_every_state_has_a_word_of_its_own() -> None:
    states = ["created", "uploaded", "validating", "queued", "scoring", "scored", "published", "rejected", "failed"]
    words = {present.state_badge(state).word for state in states}
    assert len(words) == len(states)


def test_an_unknown_provenance_is_shown_and_not_hidden() -> None:
    assert present.provenance_badge("elsewhere").word == "elsewhere"
    assert present.provenance_badge("").word == "unknown"


def run_in(state: str, *, error: str | None = None, stage: str = "") -> Run:
    told = {"code": "cancelled", "title": error} if error else None
    return Run.read({"subset": "blocks-room", "state": state, "stage": stage, "error": told})


@pytest.mark.parametrize("state", ["queued", "running", "failed", "lost"])
def test_a_run_that_a_withdrawal_ended_was_cancelled(state: str) -> None:
    found = run_in(state, error="The attempt failed.", stage="measure")
    assert present.run_word(found, submission=submission("withdrawn", "created", "scoring")) == "cancelled"


def test_a_run_that_had_failed_or_succeeded_before_the_withdrawal_stays_so() -> None:
    failed = run_in("failed", error="The attempt failed.")
    assert present.run_word(failed, submission=submission("withdrawn", "scoring", "failed")) == "The attempt failed."
    assert present.run_word(run_in("succeeded"), submission=submission("withdrawn", "scored")) == "succeeded"


def test_a_run_under_way_tells_its_stage_and_its_trouble() -> None:
    here = submission("scoring")
    assert present.run_word(run_in("running", stage="judge"), submission=here) == "judging appearance"
    assert present.run_word(run_in("running"), submission=here) == "starting"
    assert present.run_word(run_in("queued"), submission=here) == "queued"
    assert present.run_word(run_in("lost", error="The worker was lost."), submission=here) == "The worker was lost."
