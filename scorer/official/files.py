"""The files of a run: the official result files, the official summary, a report and the explanations of ours.

Official files carry NaN bare, as the official code writes it; our own carry "NaN" and "Infinity" as strings.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scorer.official.aggregate import MODES, statistics
from scorer.official.candidates import Choice
from scorer.official.run import Part, Summary, official_summary
from scorer.official.sample import Record

PROFILE = "gsi-official-1"


def write_part(part: Part, *, folder: Path) -> Path:
    """Write the results and statistics of every mode and ``explanations.json``; returns their folder."""
    target = folder / part.layout.model.name / f"{part.layout.dataset}_eval"
    target.mkdir(parents=True, exist_ok=True)
    for mode in MODES:
        results = part.results(mode)
        _write(target / f"{mode}_eval_results.json", results)
        _write(target / f"{mode}_eval_stats.json", statistics(mode, results))
    _write(target / "explanations.json", plain([explanation(record) for record in part.records]))
    return target


def write_summary(
    parts: Sequence[tuple[Part, Summary]], *, folder: Path, weights: Mapping[str, str], versions: Mapping[str, str]
) -> None:
    """Write the official ``EVAL_output_<name>.json`` and ``report.json``, which says what did not count and why."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in official_summary(parts).items():
        _write(folder / f"EVAL_output_{name}.json", content)
    rows = [_row(part, summary) for part, summary in parts]
    report = {"profile": PROFILE, "versions": dict(versions), "weights": dict(weights), "parts": rows}
    _write(folder / "report.json", plain(report))


def explanation(record: Record) -> dict[str, Any]:
    """Every quantity behind one sample's scores, for maintainers: it names files and boxes of the ground truth."""
    found: dict[str, Any] = {"file": record.file, "key": record.key, "status": record.status}
    if record.reason is not None:
        found |= {"reason": record.reason, "official_exception": record.official}
    if record.match is not None:
        truth = record.match.ground_truth
        found |= {"original": record.match.original.name, "ground_truth": None if truth is None else truth.name}
    found["operation"] = record.operation
    if record.detections is not None:
        counts = {"origin": len(record.detections.origin), "result": len(record.detections.result)}
        found["detections"] = counts
    if record.locality is not None:
        found["locality"] = {**record.locality._asdict(), "gate": record.gate}
    if record.viewpoint is not None:
        found["viewpoint"] = record.viewpoint._asdict()
    if record.outcome is not None:
        found |= _outcome(record)
    return found


def _outcome(record: Record) -> dict[str, Any]:
    outcome, detections = record.outcome, record.detections
    assert outcome is not None  # noqa: S101 - told to the type checker: the caller looked
    assert detections is not None  # noqa: S101 - no outcome without detections
    origin = None if outcome.origin is None else detections.origin[outcome.origin]
    return {
        "ic": outcome.ic,
        "sa": outcome.sa,
        "stopped": outcome.stopped,
        "origin_box": None if origin is None else {"index": outcome.origin, "bbox_3d": origin.box},
        "candidates": None if outcome.choice is None else _candidates(outcome.choice),
        "quantities": dict(outcome.quantities),
    }


def _candidates(choice: Choice) -> dict[str, Any]:
    return {"chosen": choice.index, "verdicts": [dataclasses.asdict(verdict) for verdict in choice.verdicts]}


def _row(part: Part, summary: Summary) -> dict[str, Any]:
    by_status: dict[str, list[dict[str, Any]]] = {}
    for record in part.records:
        if record.status != "scored":
            told = {"file": record.file, "reason": record.reason, "official_exception": record.official}
            by_status.setdefault(record.status, []).append(told)
    metrics = summary.metrics
    return {
        "dataset": part.layout.dataset,
        "model": part.layout.model_name,
        "scored": sum(record.status == "scored" for record in part.records),
        "not_scored": by_status,
        "unsubmitted": list(part.unsubmitted),
        "judgements": summary.judgements,
        "left_out": summary.left_out,
        "summary_aborts": [
            {"key": key, "official_exception": official, "reason": reason} for key, official, reason in summary.aborts
        ],
        "notes": [{"key": key, "note": note} for key, note in summary.notes],
        "metrics": None if metrics is None else {**dataclasses.asdict(metrics), "average": metrics.average},
    }


def plain(value: Any) -> Any:
    """A value as strict JSON has it: arrays as lists, numbers that are not finite as strings."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _write(path: Path, content: object) -> None:
    """Write a file so that a reader never sees half of it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=4, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)
