"""Which adapter answers to which name in a run's manifest."""

from __future__ import annotations

from collections.abc import Callable

from scorer.contract import BenchmarkManifest, RunManifest
from scorer.detectors.blocks.detector import VERSION as BLOCKS_DETECTOR
from scorer.detectors.blocks.detector import BlocksDetector
from scorer.detectors.port import Detector
from scorer.deviations import profile_named
from scorer.errors import BenchmarkError, ScorerError
from scorer.judges.blocks.judge import VERSION as BLOCKS_JUDGE
from scorer.judges.blocks.judge import BlocksJudge
from scorer.judges.port import Judge
from scorer.measures import msssim
from scorer.measures.msssim import MsSsim
from scorer.measures.port import Perceptual
from scorer.protocol import Instruments


def instruments_of(manifest: RunManifest) -> Instruments:
    """Everything that a run names. Raises BenchmarkError for an unknown name, ScorerError for missing weights."""
    return Instruments(
        detector=detector_named(manifest.detector),
        judge=judge_named(manifest.judge),
        perceptual=perceptual_named(manifest.perceptual),
    )


def missing_instruments(manifest: BenchmarkManifest) -> list[str]:
    """What a benchmark names and this installation cannot score with, in words: ``detector x``, ``profile y``.

    Every instrument is made as a run would make it, so one whose weights or packages are not there is missing too.
    """
    named: list[tuple[str, str, Callable[[str], object]]] = [
        *(("profile", name, profile_named) for name in manifest.protocols),
        ("detector", manifest.detector, detector_named),
        ("judge", manifest.judge, judge_named),
        ("perceptual distance", manifest.perceptual, perceptual_named),
    ]
    return [f"{kind} {name}" for kind, name, find in named if not _can_be_had(find, name)]


def _can_be_had(find: Callable[[str], object], name: str) -> bool:
    try:
        find(name)
    except ScorerError:
        return False
    return True


def perceptual_named(name: str) -> Perceptual:
    """The perceptual distance of that version. Raises BenchmarkError for an unknown name."""
    if name == msssim.NAME:
        return MsSsim()
    raise BenchmarkError(f"there is no perceptual distance {name}; known: {msssim.NAME}")


def detector_named(name: str) -> Detector:
    """The detector of that version. Raises BenchmarkError for an unknown name."""
    if name == BLOCKS_DETECTOR:
        return BlocksDetector()
    raise BenchmarkError(f"there is no detector {name}; known: {BLOCKS_DETECTOR}")


def judge_named(name: str) -> Judge:
    """The judge of that version. Raises BenchmarkError for an unknown name."""
    if name == BLOCKS_JUDGE:
        return BlocksJudge()
    raise BenchmarkError(f"there is no judge {name}; known: {BLOCKS_JUDGE}")
