"""Which adapter answers to which name in a run's manifest."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from scorer import weights
from scorer.contract import BenchmarkManifest, RunManifest
from scorer.detectors.blocks.detector import VERSION as BLOCKS_DETECTOR
from scorer.detectors.blocks.detector import BlocksDetector
from scorer.detectors.grounded import NAME as GROUNDED_DETECTOR
from scorer.detectors.grounded import GroundedDetector
from scorer.detectors.port import Detector
from scorer.deviations import profile_named
from scorer.errors import BenchmarkError, ScorerError
from scorer.instruments import InstrumentSettings, language_judge, originals
from scorer.judges.blocks.judge import VERSION as BLOCKS_JUDGE
from scorer.judges.blocks.judge import BlocksJudge
from scorer.judges.language import VERSION as LANGUAGE_JUDGE
from scorer.judges.port import Judge
from scorer.measures.lpips import Lpips
from scorer.measures.msssim import NAME as MSSSIM
from scorer.measures.msssim import MsSsim
from scorer.measures.port import Perceptual
from scorer.measuring import Instruments

LPIPS = Lpips.name


def instruments_of(manifest: RunManifest, settings: InstrumentSettings) -> Instruments:
    """Everything that a run names. Raises BenchmarkError for an unknown name, ScorerError for what is not set up."""
    perceptual = perceptual_named(manifest.perceptual, settings)
    return Instruments(
        detector=detector_named(manifest.detector, settings),
        judge=_judge_named(manifest, settings),
        perceptual=perceptual,
        originals=originals(settings, perceptual),
    )


def measuring_instruments(manifest: RunManifest, settings: InstrumentSettings) -> Instruments:
    """What measures alone; a judge only where it needs nothing but the pictures. Raises as `instruments_of`."""
    perceptual = perceptual_named(manifest.perceptual, settings)
    return Instruments(
        detector=detector_named(manifest.detector, settings),
        judge=BlocksJudge() if manifest.judge == BLOCKS_JUDGE else None,
        perceptual=perceptual,
        originals=originals(settings, perceptual),
    )


def missing_instruments(manifest: BenchmarkManifest, settings: InstrumentSettings) -> list[str]:
    """What a benchmark names and this installation cannot score with, in words: ``detector x``, ``profile y``."""
    return list(why_missing(manifest, settings))


def why_missing(manifest: BenchmarkManifest, settings: InstrumentSettings) -> dict[str, str]:
    """What is missing, as :func:`missing_instruments` names it -> why, for the operator.

    Every instrument is made as a run would make it, so one whose weights or settings are not there is missing too; the
    reason says which file is missing and where to get it. Networks themselves are not loaded.
    """
    run = RunManifest(
        submission="none",
        benchmark=manifest.benchmark,
        benchmark_version="none",
        subset=manifest.subsets[0].id,
        protocol=manifest.protocol,
        detector=manifest.detector,
        judge=manifest.judge,
        perceptual=manifest.perceptual,
    )
    unkept = settings.model_copy(update={"journals": None})  # nothing is judged, so nothing is to be kept
    made: list[tuple[str, Callable[[], object]]] = [
        *((f"profile {name}", partial(profile_named, name)) for name in manifest.protocols),
        (f"detector {manifest.detector}", partial(detector_named, manifest.detector, settings)),
        (f"judge {manifest.judge}", partial(_judge_named, run, unkept)),
        (f"perceptual distance {manifest.perceptual}", partial(perceptual_named, manifest.perceptual, settings)),
    ]
    reasons = {name: _why_not(make) for name, make in made}
    return {name: why for name, why in reasons.items() if why is not None}


def _why_not(make: Callable[[], object]) -> str | None:
    try:
        make()
    except ScorerError as error:
        return str(error)
    return None


def detector_named(name: str, settings: InstrumentSettings | None = None) -> Detector:
    """The detector of that version. Raises BenchmarkError (unknown), ScorerError (files, terms, device)."""
    if name == BLOCKS_DETECTOR:
        return BlocksDetector()
    if name == GROUNDED_DETECTOR:
        settings = settings or InstrumentSettings()
        return GroundedDetector.of(settings.detector, folder=settings.weights_folder(os.environ))
    raise BenchmarkError(f"there is no detector {name}; known: {BLOCKS_DETECTOR}, {GROUNDED_DETECTOR}")


def perceptual_named(name: str, settings: InstrumentSettings) -> Perceptual:
    """The perceptual distance of that version. Raises BenchmarkError (unknown), ScorerError (no weights)."""
    if name == MSSSIM:
        return MsSsim()
    if name == LPIPS:
        kept = weights.locate(weights.LPIPS, folder=settings.weights_folder(os.environ))
        return Lpips.load(kept.path, sha256=kept.sha256)
    raise BenchmarkError(f"there is no perceptual distance {name}; known: {MSSSIM}, {LPIPS}")


def _judge_named(manifest: RunManifest, settings: InstrumentSettings) -> Judge:
    if manifest.judge == BLOCKS_JUDGE:
        return BlocksJudge()
    if manifest.judge == LANGUAGE_JUDGE:
        return language_judge(settings, manifest)
    raise BenchmarkError(f"there is no judge {manifest.judge}; known: {BLOCKS_JUDGE}, {LANGUAGE_JUDGE}")
