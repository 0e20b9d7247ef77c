"""A run over official folders: every sample once, the official result files, and an explanation of every number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scorer.errors import ScorerError
from scorer.official import aggregate
from scorer.official.aborts import OfficialAbortError
from scorer.official.aggregate import EL_MODE, IC_MODE, MODES, SA_MODE, Metrics
from scorer.official.dataset import Layout, RecordedDetector, read_judgements, unsubmitted
from scorer.official.names import match, read_name, scored_files, without_marker
from scorer.official.sample import Evaluator, Record, aborted
from scorer.side_by_side import side_by_side

Say = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """One model on one data set: records in the order of scoring, and what was missing."""

    layout: Layout
    records: tuple[Record, ...]
    unsubmitted: tuple[str, ...]

    def results(self, mode: str) -> dict[str, dict[str, Any]]:
        """The official results of a mode: key -> operation and values. Unscored samples are not in it."""
        rows: dict[str, dict[str, Any]] = {}
        for record in self.records:
            values = _values(record, mode)
            if record.key is not None and values is not None:
                rows[record.key] = {"operation": record.operation, **values}
        return rows


@dataclass(frozen=True)
class Summary:
    """A part's numbers, or why it has none; ``aborts``: sample -> why the official summary would not exist.

    ``judgements``: the file they were read from.
    """

    metrics: Metrics | None
    left_out: str | None = None
    judgements: str | None = None
    aborts: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


def require(layouts: Sequence[Layout]) -> None:
    """Raises ScorerError where a folder or a cache is missing, or two models share a name: before hours are spent."""
    names: dict[tuple[str, str], Layout] = {}
    for layout in layouts:
        for what, folder in (("data set", layout.truth), ("edited images", layout.images)):
            if not folder.is_dir():
                raise ScorerError(f"{folder}: no such folder; it should hold the {what} of {layout.dataset}")
        RecordedDetector.load(layout.cache)
        twin = names.setdefault((layout.dataset, layout.model_name), layout)
        if twin is not layout:
            raise ScorerError(f"{twin.model} and {layout.model} are both {layout.model_name} on {layout.dataset}")


def evaluate(layout: Layout, *, evaluator: Evaluator, say: Say, threads: int = 1) -> Part:
    """Evaluate every edited image of a part, ``threads`` at a time; the part is the same for every number.

    Raises ScorerError for a missing cache; ``require`` looks earlier.
    """
    detector = RecordedDetector.load(layout.cache)
    files = scored_files(layout.images)
    records: dict[Path, Record] = {}
    work = partial(_evaluated, layout=layout, evaluator=evaluator, detector=detector)
    with side_by_side(work, _by_key(files), workers=threads) as groups:
        for group in groups:
            for edited, record in group:
                records[edited] = record
                if len(records) % 20 == 0 or len(records) == len(files):
                    say(f"{layout.model_name} on {layout.dataset}: {len(records)} of {len(files)} images")
    matched = {record.match.name.description for record in records.values() if record.match is not None}
    return Part(layout, tuple(records[edited] for edited in files), tuple(unsubmitted(layout, matched=matched)))


def summarise(part: Part, *, judgements: Path) -> Summary:
    """The gated means of a part, with the judge's recorded replies from a folder.

    Without a file for it, the official code leaves the data set out. A sample on which the official summary raises is
    left out of the means and told.
    """
    path = part.layout.judgements(judgements)
    if path is None:
        wanted = f"*{part.layout.dataset}_{part.layout.model_name}.json"
        return Summary(None, left_out=f"no judgements: no file {wanted} in {judgements}")
    try:
        ac = read_judgements(path)
    except OfficialAbortError as abort:
        return Summary(None, left_out=f"{path.name}: {abort.reason} ({abort.official})", judgements=path.name)
    ic, sa, el = (part.results(mode) for mode in MODES)
    rows, aborts, notes = [], [], []
    for key in ic:
        try:
            row = aggregate.gated(key, ic=ic, sa=sa, el=el, ac=ac)
        except OfficialAbortError as abort:
            aborts.append((key, abort.official, abort.reason))
            continue
        rows.append(row)
        notes += [(key, note) for note in row.notes]
    metrics = aggregate.mean_metrics(rows)
    return Summary(metrics, judgements=path.name, aborts=tuple(aborts), notes=tuple(notes))


def official_summary(parts: Sequence[tuple[Part, Summary]]) -> dict[str, dict[str, dict[str, Any]]]:
    """The contents of the official EVAL_output files: name -> data set -> model -> value."""
    files: dict[str, dict[str, dict[str, Any]]] = {
        name: {} for name in ("instruction_compliance", "spatial_accuracy", "edit_locality", "ac", "average", "summary")
    }
    for part, summary in parts:
        if (found := summary.metrics) is None:
            continue
        row = {
            "instruction_compliance": found.ic,
            "spatial_accuracy": found.sa,
            "edit_locality": {"ssim": found.el_ssim, "lpips": found.el_lpips},
            "ac": found.ac,
            "average": found.average,
        }
        for name, value in (*row.items(), ("summary", row)):
            files[name].setdefault(part.layout.dataset, {})[part.layout.model_name] = value
    return files


def _by_key(files: Sequence[Path]) -> list[list[Path]]:
    """Files of one key together, in their order: which of them counts depends on those before it."""
    groups: dict[tuple[str, bool], list[Path]] = {}
    for edited in files:
        try:
            group = read_name(without_marker(edited)).key, True
        except OfficialAbortError:
            group = edited.name, False
        groups.setdefault(group, []).append(edited)
    return list(groups.values())


def _evaluated(
    files: Sequence[Path], *, layout: Layout, evaluator: Evaluator, detector: RecordedDetector
) -> list[tuple[Path, Record]]:
    """All files of one key; what follows the first that can be read is passed over as the official code does."""
    found, first = [], None
    for edited in files:
        record = _evaluated_file(edited, layout, first=first, evaluator=evaluator, detector=detector)
        if first is None and record.key is not None and record.status != "unreadable":
            first = edited.name
        found.append((edited, record))
    return found


def _evaluated_file(
    edited: Path, layout: Layout, *, first: str | None, evaluator: Evaluator, detector: RecordedDetector
) -> Record:
    """One file; ``first``: the one before it that has its key."""
    blank = Record(file=edited.name, status="scored")
    try:
        found = match(edited, dataset=layout.truth)
    except OfficialAbortError as abort:
        return aborted(blank, abort)
    if first is not None:
        return Record(file=edited.name, status="duplicate", reason=f"{first} has the same key", match=found)
    return evaluator.evaluate(found, kind=layout.kind, find=detector.find)


def _values(record: Record, mode: str) -> dict[str, float] | None:
    """What a mode's result file says of a sample; None where the sample is not in it."""
    if mode == EL_MODE:
        found = record.locality
        return None if found is None else {"ssim": found.ssim, "lpips": found.lpips, "mse": found.mse}
    if record.outcome is None:
        return None
    return {IC_MODE: {"compliance": record.outcome.ic}, SA_MODE: {"edit_score": record.outcome.sa}}[mode]
