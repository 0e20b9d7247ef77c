"""Cases, questions and entries for the tests of judges; no network library is loaded."""

from __future__ import annotations

import numpy as np

from scorer.contract import CameraData
from scorer.detectors.port import Detection, Image
from scorer.judges.cases import Case
from scorer.judges.journal import Entry
from scorer.judges.port import Question, Subject

CAMERA = CameraData(intrinsics=[[500, 0, 32], [0, 500, 24], [0, 0, 1]], pitch=0.3, height=0.5)


def picture(seed: int = 0, *, height: int = 24, width: int = 32) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def case(key: str = "one", *, seed: int = 1, instruction: str | None = "Move the red block left") -> Case:
    return Case(
        key=key,
        original=picture(0),
        edited=picture(seed),
        operation="move",
        instruction=instruction,
        target="red block",
    )


def detection(box: tuple[float, float, float, float], *, label: str = "red block") -> Detection:
    return Detection(
        label=label,
        bbox_3d=np.array([0, 0, 1, 0.1, 0.1, 0.1, 0]),
        bbox_2d=np.array(box, dtype=np.float64),
        rotation_matrix=np.eye(3),
        score=1.0,
    )


def question(asked: Case) -> Question:
    """The question of which a case is made."""
    box = detection((4, 4, 16, 16), label=asked.target or "")
    return Question(
        key=asked.key,
        original=asked.original,
        edited=asked.edited,
        operation=asked.operation,
        instruction=asked.instruction,
        camera=CAMERA,
        target=None if asked.target is None else Subject(box, box),
    )


def entry(key: str = "one", *, score: float | None = 7.0, digest: str = "a" * 64, content: str = "b" * 64) -> Entry:
    return Entry(
        key=key,
        content=content,
        digest=digest,
        score=score,
        reason="itself",
        replies=['{"reasoning": "itself", "score": 7}'],
        provenance={"judge_model": "tiny"},
    )
