"""``python -m scorer official``: the official evaluation over official folders."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorer import weights
from scorer.deviations import OFFICIAL, PROFILES, Deviation, Profile, profile_named
from scorer.errors import ScorerError
from scorer.installation import default_weights_folder
from scorer.official.kinds import DATASETS

HELP = "score official GSI-Bench folders under profile gsi-official-1, with recorded detections and judgements"
if TYPE_CHECKING:
    from scorer.measures.lpips import Lpips
    from scorer.official.dataset import Layout
    from scorer.official.run import Part, Summary

DESCRIPTION = """
Scores every model on every data set given, one pass a sample, and writes the official result files, the official
summary (EVAL_output_*.json), report.json and, per sample, explanations.json. A model's folder is the official
./eval/<model>/: generated_images_<dataset>/ holds its edited images, <dataset>_eval/infer_cache.json the recorded
detections. What would end the official program ends one sample here and is told in report.json.
Under another profile, or with single deviations switched, it writes one file for each model and data set instead:
scores by operation, and every sample with the quantities behind it.
"""


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("official", help=HELP, description=DESCRIPTION)
    command.add_argument(
        "--dataset",
        action="append",
        required=True,
        type=dataset,
        metavar="NAME=FOLDER",
        help=f"a data set's originals and edit JSONs; NAME is one of {', '.join(DATASETS)}; may be repeated",
    )
    command.add_argument(
        "--model", action="append", required=True, type=model, metavar="FOLDER", help="./eval/<model>; may be repeated"
    )
    command.add_argument(
        "--judgements", type=Path, required=True, metavar="FOLDER", help="the judge's files *<dataset>_<model>.json"
    )
    command.add_argument(
        "--weights", type=Path, help="LPIPS weights, .npz or .safetensors (default: those that fetch-weights keeps)"
    )
    command.add_argument(
        "--originals", type=Path, metavar="FOLDER", help="keep the originals' share of the work here for later runs"
    )
    command.add_argument(
        "--profile", choices=tuple(PROFILES), default=OFFICIAL.name, help="the rules (default: %(default)s)"
    )
    command.add_argument(
        "--deviate",
        action="append",
        default=[],
        type=Deviation,
        metavar="NAME",
        help="switch this deviation from the official rules on; may be repeated (docs/protocol.md names them)",
    )
    command.add_argument(
        "--obey",
        action="append",
        default=[],
        type=Deviation,
        metavar="NAME",
        help="switch this deviation off: keep to the official rule; may be repeated",
    )
    command.add_argument("--threads", type=positive, default=1, help="images that are measured at a time (default: 1)")
    command.add_argument("--out", type=Path, required=True, help="where to write")
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Evaluate, write, and tell what did not count."""
    from scorer import environment  # these load torch, which other commands do without
    from scorer.measures.lpips import Lpips
    from scorer.official import files
    from scorer.official.dataset import Layout
    from scorer.official.run import evaluate, require, summarise
    from scorer.official.sample import Evaluator
    from scorer.originals import Originals

    if not options.judgements.is_dir():
        raise ScorerError(f"{options.judgements}: no such folder; it should hold the judge's files")
    profile = profile_named(options.profile).switched(on=options.deviate, off=options.obey)
    named = [(dataset_named(name, profile), truth) for name, truth in options.dataset]
    layouts = [Layout(name, truth, model) for name, truth in named for model in options.model]
    require(layouts)
    environment.prepare(threads=options.threads, seed=0)
    path, sha256 = _weights(options.weights)
    if profile != OFFICIAL:
        _run_profile(layouts, profile, options, load=lambda: Lpips.load(path, sha256=sha256))
        return
    loaded = Lpips.load(path, sha256=sha256)
    evaluator = Evaluator(loaded, originals=Originals(network=loaded, folder=options.originals))
    parts = []
    for layout in layouts:
        part = evaluate(layout, evaluator=evaluator, say=_say, threads=options.threads)
        files.write_part(part, folder=options.out)
        parts.append((part, summarise(part, judgements=options.judgements)))
    network = {"file": path.name, "sha256": evaluator.network.sha256}
    versions = {**environment.versions(), "threads": str(options.threads)}
    files.write_summary(parts, folder=options.out, weights=network, versions=versions)
    for part, summary in parts:
        _tell(part, summary)


def _run_profile(
    layouts: Sequence[Layout], profile: Profile, options: argparse.Namespace, *, load: Callable[[], Lpips]
) -> None:
    """Score under another profile: one file for each model and data set, and a line on the standard error."""
    from scorer import environment
    from scorer.folders import score as folders

    options.out.mkdir(parents=True, exist_ok=True)
    networks = folders.Networks(load, kept=Deviation.KEPT_NETWORK in profile, folder=options.originals)
    for layout in layouts:
        found = folders.score(layout, profile=profile, networks=networks, judgements=options.judgements, say=_say)
        content = {
            "profile": profile.name,
            "dataset": layout.dataset,
            "model": layout.model_name,
            "versions": {**environment.versions(), "threads": str(options.threads)},
            "weights": networks.weights,
            "result": found.result.model_dump(mode="json"),
            "detector": folders.RECORDED,
            "judge": "recorded",
            "read_sha256": found.read_sha256,
            "ignored": found.ignored,
        }
        target = options.out / f"{layout.model_name}_{layout.dataset}_{profile.name}.json"
        target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        score = found.result.scores.overall
        numbers = ", ".join(f"{name} {getattr(score, name):.2f}" for name in ("ic", "sa", "ac", "el", "avg"))
        _say(f"{layout.model_name} on {layout.dataset}: {numbers} ({score.n} samples, {score.missing} missing)")
        for name, reason in found.ignored.items():
            _say(f"  {name}: ignored: {reason}")


def dataset_named(name: str, profile: Profile) -> str:
    """The data set of that name; ``fine_dataset`` is ``fine`` but for the official program, which refuses it (D24)."""
    plain = name.removesuffix("_dataset")
    if name != plain and Deviation.FOLDER_NAMES not in profile:
        raise ScorerError(f"--dataset {name}=…: under the official rules the name is {plain}")
    return plain


def _tell(part: Part, summary: Summary) -> None:
    """Say a part's average, and what did not count and why."""
    unscored = [record for record in part.records if record.status != "scored"]
    average = "left out" if summary.metrics is None else f"average {summary.metrics.average:.3f}"
    _say(f"{part.layout.model_name} on {part.layout.dataset}: {average}, {len(unscored)} images not scored")
    for record in unscored:
        _say(f"  {record.file}: {record.status}: {record.reason}")
    for key, official, reason in summary.aborts:
        _say(f"  {key}: left out of the summary, where the official program ends with {official}: {reason}")
    if summary.left_out:
        _say(f"  {summary.left_out}")


def _weights(given: Path | None) -> tuple[Path, str | None]:
    """The file of LPIPS weights, and its hash where that is known."""
    if given is not None:
        return given, None
    kept = weights.locate(weights.LPIPS, folder=default_weights_folder(os.environ))
    return kept.path, kept.sha256


def positive(value: str) -> int:
    """A whole number from 1."""
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from 1")
    return int(value)


def model(value: str) -> Path:
    """A model's folder; its name is the model's, so ``.`` is looked up."""
    path = Path(value)
    return path.resolve() if path.name in ("", "..") else path


def dataset(value: str) -> tuple[str, Path]:
    """NAME=FOLDER, where NAME is that of a data set."""
    name, equals, folder = value.partition("=")
    if not equals or not folder or name.removesuffix("_dataset") not in DATASETS:
        raise argparse.ArgumentTypeError(f"{value!r} is not NAME=FOLDER with NAME one of {', '.join(DATASETS)}")
    return name, Path(folder)


def _say(message: str) -> None:
    print(f"scorer: {message}", file=sys.stderr, flush=True)  # noqa: T201 - standard error is this program's voice
