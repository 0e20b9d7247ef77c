"""From the results of single samples to the numbers of a data set (docs/protocol.md, gsi-official-1, "Aggregation").

Results are mappings as in the official result files: key -> ``compliance`` | ``edit_score`` | ``ssim, lpips``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scorer.official.aborts import OfficialAbortError

Results = Mapping[str, Mapping[str, Any]]

IC_MODE, SA_MODE, EL_MODE = "instruction-compliance", "spatial-accuracy", "edit-locality"
MODES = (IC_MODE, SA_MODE, EL_MODE)
_AC_ENDINGS = ("", ".jpg", ".png")


@dataclass(frozen=True)
class Metrics:
    """The five numbers of a data set, each nominally 0..100 but never clamped, and their average."""

    el_ssim: float
    el_lpips: float
    ac: float
    ic: float
    sa: float

    @property
    def average(self) -> float:
        """(IC + SA + EL_lpips + AC) / 4."""
        return (self.ic + self.sa + self.el_lpips + self.ac) / 4


@dataclass(frozen=True)
class Gated:
    """One sample after the gates: IC and SA 0..1, the others 0..100; ``notes`` say what was missing."""

    ic: float
    sa: float
    el_ssim: float = 0.0
    el_lpips: float = 0.0
    ac: float = 0.0
    notes: tuple[str, ...] = ()


def resolve_ac_key(key: str, scores: Mapping[str, Any]) -> str | None:
    """The judge's index for a sample: ``<rest>edit_<query>``, bare, then with ``.jpg``, then ``.png``; None of none.

    The query is the last ``_`` piece of the key. Raises OfficialAbortError for a key that ends in ``_``.
    """
    query = key.split("_")[-1]
    if not query:
        raise OfficialAbortError("ValueError", f"{key}: the sample's key ends in '_'")
    index = f"{key.removesuffix(query)}edit_{query}"
    return next((index + ending for ending in _AC_ENDINGS if index + ending in scores), None)


def gated(key: str, *, ic: Results, sa: Results, el: Results, ac: Mapping[str, Any]) -> Gated:
    """One sample's numbers after the gates: AC 0 takes everything, IC 0 takes EL and AC but leaves SA (D4, D19)."""
    compliance = ic[key]["compliance"]
    if key not in sa:
        raise OfficialAbortError("KeyError", f"{key}: no spatial accuracy")
    accuracy = sa[key]["edit_score"]
    if not compliance > 0:
        return Gated(compliance, accuracy)
    notes: list[str] = []
    el_ssim = el_lpips = 0.0
    if key in el:
        el_ssim, el_lpips = 100 * el[key]["ssim"], 100 - 100 * el[key]["lpips"]
    else:
        notes.append("no edit locality")
    appearance = _appearance(key, ac, notes)
    if appearance == 0:
        return Gated(0.0, 0.0, notes=tuple(notes))
    return Gated(compliance, accuracy, el_ssim, el_lpips, appearance, tuple(notes))


def _appearance(key: str, scores: Mapping[str, Any], notes: list[str]) -> float:
    """10 times the judge's score; 0 where there is none or it cannot be multiplied; no check of its range (D19)."""
    index = resolve_ac_key(key, scores)
    if index is None:
        notes.append("no judgement")
        return 0.0
    score = scores[index]
    if isinstance(score, str | list):
        raise OfficialAbortError("TypeError", f"{key}: the judge's score is a {type(score).__name__}, not a number")
    if not isinstance(score, int | float):
        notes.append("no score in the judge's reply")
        return 0.0
    try:
        return float(10 * score)
    except OverflowError as error:
        raise OfficialAbortError("OverflowError", f"{key}: the judge's score has no float") from error


def compute_metrics(*, ic: Results, sa: Results, el: Results, ac: Mapping[str, Any]) -> Metrics:
    """Means over all keys of ``ic``, 0 without any. Raises OfficialAbortError where the official code raises."""
    return mean_metrics([gated(key, ic=ic, sa=sa, el=el, ac=ac) for key in ic])


def mean_metrics(samples: Iterable[Gated]) -> Metrics:
    """The means of gated samples, IC and SA times 100; 0 of none. A NaN in one sample reaches its mean."""
    rows = list(samples)
    return Metrics(
        el_ssim=_mean([row.el_ssim for row in rows]),
        el_lpips=_mean([row.el_lpips for row in rows]),
        ac=_mean([row.ac for row in rows]),
        ic=100 * _mean([row.ic for row in rows]),
        sa=100 * _mean([row.sa for row in rows]),
    )


def statistics(mode: str, results: Results) -> dict[str, Any]:
    """The official statistics of one mode, before the gates: means by operation and over all samples, 0 of none."""
    by_operation: dict[str, list[Mapping[str, Any]]] = {}
    for entry in results.values():
        by_operation.setdefault(entry["operation"], []).append(entry)
    everything = list(results.values())

    def means(field: str) -> dict[str, float]:
        return {name: _mean([entry[field] for entry in found]) for name, found in by_operation.items()}

    def overall(field: str) -> float:
        return _mean([entry[field] for entry in everything])

    if mode == IC_MODE:
        rates = means("compliance")
        rows = {name: {"rate": rates[name], "count": len(found)} for name, found in by_operation.items()}
        return {
            "operation_success_rate": rows,
            "overall_success_rate": overall("compliance"),
            "overall_total_count": len(everything),
        }
    if mode == SA_MODE:
        return {"operation_mean_score": means("edit_score"), "overall_mean_score": overall("edit_score")}
    return {
        "operation_mean_ssim": means("ssim"),
        "operation_mean_lpips": means("lpips"),
        "overall_mean_ssim": overall("ssim"),
        "overall_mean_lpips": overall("lpips"),
    }


def dataset_of(folder: str) -> str | None:
    """The data set that an output folder belongs to: its name less ``_eval``; None for other folders."""
    return folder.removesuffix("_eval") if folder.endswith("_eval") else None


def model_name(folder: str) -> str:
    """The model's name in judge files and summaries: its folder's without underscores."""
    return folder.replace("_", "")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
