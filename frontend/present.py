"""Words and numbers for people: pure functions from resources to what is shown."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from frontend.resources import Dimension, Row, Run, Submission

NO_VALUE = "–"
_AFTER_SCORING = frozenset({"embargoed", "delisted", "disqualified"})
TERMINAL = frozenset({"rejected", "failed", "withdrawn", "scored", "published"}) | _AFTER_SCORING
_STEPS = ("created", "uploaded", "validating", "queued", "scoring", "scored", "published")

_STATE_WORDS = {
    "created": "Waiting for the archive",
    "uploaded": "Archive received",
    "validating": "Checking the archive",
    "queued": "Waiting for a worker",
    "scoring": "Scoring",
    "scored": "Scored",
    "published": "Published",
    "rejected": "Archive refused",
    "failed": "Stopped by a fault of the service",
    "withdrawn": "Withdrawn",
    "embargoed": "Published on its day",
    "delisted": "Taken off the board",
    "disqualified": "Disqualified",
}
_STATE_TONE = {
    "scored": "good",
    "published": "good",
    "embargoed": "good",
    "rejected": "bad",
    "disqualified": "bad",
    "failed": "warn",
    "delisted": "warn",
    "withdrawn": "plain",
}
_STAGE_WORDS = {"measure": "measuring", "judge": "judging appearance", "aggregate": "adding up"}
_OPERATION_WORDS = {"all": "All operations", "view": "View change"}
_WORDS_FOR_DIMENSIONS = {
    "ic": ("IC", "Instruction compliance"),
    "sa": ("SA", "Spatial accuracy"),
    "ac": ("AC", "Appearance consistency"),
    "el": ("EL", "Edit locality"),
    "avg": ("Avg", "Average"),
}


class Badge(NamedTuple):
    """A short word with a tone (good, warn, bad, plain, accent) and an explanation."""

    word: str
    tone: str
    meaning: str


class Cell(NamedTuple):
    """A score as shown: `text` with two decimals, `share` 0..100 for the bar, `mark` best, second or empty."""

    text: str
    share: float
    mark: str


_PROVENANCE = {
    "paper": Badge("paper", "plain", "Numbers as printed in the paper"),
    "curated": Badge("curated", "warn", "Entered by a maintainer from a named source"),
    "scored": Badge("scored here", "good", "Scored by this service from the submitted pixels"),
}
_ACCESS = {
    "open": Badge("open", "accent", "Weights are public"),
    "closed": Badge("closed", "plain", "Reached through an API only"),
}


def provenance_badge(provenance: str) -> Badge:
    """Where an entry's numbers come from."""
    return _PROVENANCE.get(provenance, Badge(provenance or "unknown", "plain", "Where the numbers come from"))


def access_badge(access: str) -> Badge | None:
    """Open or closed weights; None when it is not known."""
    return _ACCESS.get(access)


def number(value: float | None) -> str:
    """A score with two decimals; a missing one is a dash and never zero."""
    return NO_VALUE if value is None else f"{value:.2f}"


def cells(rows: Iterable[Row], *, column: Dimension) -> dict[str, Cell]:
    """One column's cells by entry id; the best and the second best value on the board are marked."""
    values = {row.entry_id: row.scores.get(column.id) for row in rows}
    known = sorted({value for value in values.values() if value is not None}, reverse=column.better != "low")
    marks = {value: mark for value, mark in zip(known, ("best", "second"), strict=False) if len(values) > 2}
    return {entry: _cell(value, mark="" if value is None else marks.get(value, "")) for entry, value in values.items()}


def score_cell(value: float | None) -> Cell:
    """A score outside of a comparison."""
    return _cell(value, mark="")


def _cell(value: float | None, *, mark: str) -> Cell:
    return Cell(text=number(value), share=min(100.0, max(0.0, value or 0.0)), mark=mark)


def dimension_label(name: str) -> str:
    """The table head of a dimension known by id only."""
    return _WORDS_FOR_DIMENSIONS.get(name, (name, name))[0]


def dimension_title(name: str) -> str:
    """A dimension in words."""
    return _WORDS_FOR_DIMENSIONS.get(name, (name, name))[1]


def operation_title(operation: str) -> str:
    """An operation in words."""
    return _OPERATION_WORDS.get(operation, operation.replace("_", " ").capitalize())


_PROTOCOL_WORDS = {"gsi-fair": "Fair", "gsi-official": "Official"}


def protocol_title(protocol: str) -> str:
    """A protocol in a word or two; one that is not known here by its name."""
    family, _, version = protocol.rpartition("-")
    word = _PROTOCOL_WORDS.get(family)
    return f"{word} {version}" if word else protocol


def day(moment: str) -> str:
    """An ISO 8601 time as a day (2026-11-23); empty when there is none."""
    return moment[:10]


def clock(moment: str) -> str:
    """An ISO 8601 time as 2026-11-23 10:00:00 UTC; other text is shown as it came."""
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return moment


def duration(seconds: int) -> str:
    """A length of time as people say it: 40 s, 12 min, 3 h 5 min."""
    if seconds < 100:
        return f"{max(1, seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def state_badge(state: str) -> Badge:
    """A submission's state as a word and a tone."""
    word = _STATE_WORDS.get(state, state.capitalize())
    return Badge(word, _STATE_TONE.get(state, "accent"), f"State: {state}")


def stage_title(stage: str) -> str:
    """What a run is doing, in words."""
    return _STAGE_WORDS.get(stage, stage)


class Step(NamedTuple):
    """One station on a submission's way: `status` is done, now, ahead or stopped."""

    word: str
    status: str


def steps(submission: Submission) -> tuple[Step, ...]:
    """The way of a submission, with where it stands; a submission that stopped shows where."""
    way = ("uploaded", "validating", "scoring", "scored", "published")
    words = dict(zip(way, ("Upload", "Check", "Score", "Result", "Publish"), strict=True))
    reached = _reached(submission)
    position = sum(_STEPS.index(station) <= reached for station in way)
    stopped = submission.state in ("rejected", "failed", "withdrawn")
    busy = submission.state in ("validating", "scoring")

    def status(index: int) -> str:
        if index < position:
            return "now" if busy and index == position - 1 else "done"
        return "stopped" if stopped and index == position else "ahead"

    return tuple(Step(words[station], status(index)) for index, station in enumerate(way))


def _reached(submission: Submission) -> int:
    seen = [event.state for event in submission.events] + [submission.state]
    if submission.state == "rejected":
        seen = [state for state in seen if state in ("created", "uploaded")]
    seen = ["scored" if state in _AFTER_SCORING else state for state in seen]
    if submission.state in ("scored", *_AFTER_SCORING):
        seen = [state for state in seen if state != "published"]
    return max((_STEPS.index(state) for state in seen if state in _STEPS), default=0)


def run_word(run: Run, *, submission: Submission) -> str:
    """How a run stands, in words; a run that its submission's withdrawal ended was cancelled and did not fail."""
    failed_before = any(event.state == "failed" for event in submission.events)
    if submission.state == "withdrawn" and run.state != "succeeded" and not failed_before:
        return "cancelled"
    if run.error:
        return run.error
    if run.state == "running":
        return stage_title(run.stage) or "starting"
    return run.state


def percent(done: int, total: int) -> int:
    """Whole percents, 0..100; nothing to do yet is 0."""
    return min(100, 100 * done // total) if total > 0 else 0


def result_columns(results: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> tuple[str, ...]:
    """The score columns that a result has, the average first."""
    found = {key for operations in results.values() for scores in operations.values() for key in scores}
    known = (name for name in _WORDS_FOR_DIMENSIONS if name in found)
    return tuple(sorted(known, key=lambda name: name != "avg"))
