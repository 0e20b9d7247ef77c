"""The tree ``e2e``: official folders in, official result files and summary out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from scorer.official.aggregate import EL_MODE, MODES, dataset_of, statistics
from scorer.official.conformance.cases import Case, MismatchError, agree, numbers, same
from scorer.official.conformance.folder import Folder
from scorer.official.conformance.images import Network
from scorer.official.dataset import Layout
from scorer.official.run import Part, evaluate, official_summary, summarise
from scorer.official.sample import Evaluator

SCORE, FROM_IMAGES, MSE_RELATIVE, MEAN = 1e-6, 1e-4, 1e-3, 0.01
"""Tolerances: JPEG decoders differ, so what depends on images is compared more loosely; means are of 0..100."""
_SUMMARY = "EVAL_output_"


def end_to_end(folder: Folder, network: Network) -> Iterator[Case]:
    """Every value of every expected file, from one run over the tree."""
    with folder.tree("e2e") as root:
        evaluator = Evaluator(network())
        models = sorted(path for path in (root / "eval").iterdir() if path.is_dir())
        names = sorted(path.name.removesuffix("_dataset") for path in root.glob("*_dataset"))
        parts = [
            evaluate(Layout(name, root / f"{name}_dataset", model), evaluator=evaluator, say=_silent)
            for name in names
            for model in models
            if (model / f"generated_images_{name}").is_dir()
        ]
        expected = root / "expected"
        for place in sorted(path for path in expected.iterdir() if path.is_dir()):
            yield from _part(place, parts)
        summary = official_summary([(part, summarise(part, judgements=root / "mllm")) for part in parts])
        for path in sorted(expected.glob(f"{_SUMMARY}*.json")):
            found = summary.get(path.stem.removeprefix(_SUMMARY))
            yield path.name, partial(agree, found, numbers(json.loads(path.read_bytes())), absolute=MEAN)


def _part(place: Path, parts: list[Part]) -> Iterator[Case]:
    """The result files of one data set, sample by sample, and their statistics."""
    dataset = dataset_of(place.name)
    found = [part for part in parts if part.layout.dataset == dataset]
    if len(found) != 1:
        yield place.name, partial(_absent, f"{len(found)} models on {dataset}, expected one")
        return
    for mode in MODES:
        results = found[0].results(mode)
        for path in sorted(place.glob(f"{mode}_eval_results.json")):
            expected = json.loads(path.read_bytes())
            yield f"{place.name} {mode} keys", partial(same, sorted(results), sorted(expected))
            for key, values in expected.items():
                yield f"{place.name} {mode} {key}", partial(_sample, results, key, values)
        for path in sorted(place.glob(f"{mode}_eval_stats.json")):
            expected = json.loads(path.read_bytes())
            yield f"{place.name} {path.name}", partial(_statistics, mode, results, expected)


def _sample(results: Mapping[str, Any], key: str, expected: Mapping[str, Any]) -> float:
    if key not in results:
        raise MismatchError("the sample was not scored")
    found = results[key]
    same(found["operation"], expected["operation"])
    same(sorted(found), sorted(expected))
    tolerance = FROM_IMAGES if "ssim" in expected or expected["operation"] == "view" else SCORE
    if "mse" in expected:
        agree(found["mse"], expected["mse"], absolute=0.0, relative=MSE_RELATIVE)
    values = [name for name in expected if name not in ("operation", "mse")]
    return max(agree(found[name], expected[name], absolute=tolerance) for name in values)


def _statistics(mode: str, results: Mapping[str, Any], expected: Mapping[str, Any]) -> float:
    tolerance = FROM_IMAGES if mode == EL_MODE or "view" in json.dumps(expected) else SCORE
    return agree(statistics(mode, results), expected, absolute=tolerance)


def _absent(message: str) -> float:
    raise MismatchError(message)


def _silent(message: str) -> None:
    """A run over vectors tells no progress."""
