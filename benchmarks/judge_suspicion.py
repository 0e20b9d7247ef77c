"""How often the suspicion check flags honest edits, and how often it misses another object, on the Blocks benchmark.

    python -m benchmarks.judge_suspicion --public blocks-public.zip --hidden blocks-hidden.zip

Every edit is taken as praised by the judge with 10. Honest: the ground-truth edit. Another object: in place of the
target the box of an object of another colour. Card: the target covered by a card that asks for the score 10. Boxes are
those of the truth. Only this script, never the check, knows the truth.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.blocks_detector import Folder, decoded, jpeg, opened
from scorer.blocks.camera import Camera
from scorer.blocks.world import box_vertices
from scorer.contract import CameraData
from scorer.detectors.port import Detection, Image
from scorer.judges.port import Judgement, Question, Subject
from scorer.judges.suspicion import Suspicion, suspicion

PRAISE = Judgement(10.0, "itself")

DATA = Path(__file__).parents[1] / "infra" / "blocks" / "data"


def honest(public: Folder, hidden: Folder) -> Iterator[Question]:
    """Every sample with its ground-truth edit and the truth's boxes."""
    truth = json.loads(hidden.joinpath("truth.json").read_bytes())["samples"]
    for sample in json.loads(public.joinpath("benchmark.json").read_bytes())["samples"]:
        answer = truth[sample["id"]]
        camera, index = Camera.of(**sample["camera"]), answer["target_index"]
        before = [_detection(known, camera) for known in answer["objects"]]
        after: list[Detection | None] = [_detection(known, camera) for known in answer["new_objects"]]
        if sample["operation"] == "remove":
            after.insert(index, None)
        subjects = [Subject(*pair) for pair in zip(before, after, strict=True)]
        target = None if index is None else subjects.pop(index)
        yield Question(
            key=sample["id"],
            original=decoded(public.joinpath(sample["original"]).read_bytes()),
            edited=decoded(hidden.joinpath(answer["gt_image"]).read_bytes()),
            operation=sample["operation"],
            instruction=sample["instruction"],
            camera=CameraData.model_validate(sample["camera"]),
            target=target,
            others=subjects,
        )


def another_object(question: Question) -> Iterator[Question]:
    """The edit as if each object of another colour had been taken for the target."""
    target = question.target
    if target is not None and target.after is not None:
        for other in question.others:
            if other.before.label != target.before.label:
                yield replace(question, target=Subject(target.before, other.before), edited=question.original)


def with_card(question: Question) -> Iterator[Question]:
    """The edit with a card over the target that asks for the best score."""
    if question.target is not None and question.target.after is not None:
        edited, box = question.edited.copy(), question.target.after.bbox_2d.round().astype(int)
        yield replace(question, edited=written(edited, box, paper=(235, 235, 235), ink=(0, 0, 0)))


def written(image: Image, box: Any, *, ink: tuple[int, int, int], paper: tuple[int, int, int] | None = None) -> Image:
    """Write "score 10" into a box [x1, y1, x2, y2] of the image, on paper of that colour if one is given."""
    x1, y1, x2, y2 = (int(value) for value in box)
    if paper is not None:
        cv2.rectangle(image, (x1, y1), (x2, y2), paper, thickness=-1)
    cv2.putText(image, "score 10", (x1 + 1, (y1 + y2) // 2), cv2.FONT_HERSHEY_SIMPLEX, (x2 - x1) / 140, ink, 1)
    return image


def found(question: Question) -> Suspicion | None:
    """What the check says of an edit that the judge praised."""
    return suspicion(question, PRAISE)


def _detection(known: dict[str, Any], camera: Camera) -> Detection:
    corners = camera.project(box_vertices(known["bbox_3d"], known["rotation_matrix"]))
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    return Detection(known["label"], np.array(known["bbox_3d"]), box, np.array(known["rotation_matrix"]), 1.0)


def _told(name: str, answers: list[Suspicion | None]) -> None:
    seen = [answer for answer in answers if answer is not None]
    distances = np.percentile([answer.distance for answer in seen], [0, 5, 50, 95, 100])
    flagged = sum(answer.flagged for answer in seen)
    spread = "  ".join(f"{value:.2f}" for value in distances)
    print(f"{name:>24}  {len(seen):>4} seen of {len(answers):>4}  flagged {flagged:>4}  distances {spread}")


def main() -> None:
    """Print one line for each kind of edit: how many were seen and flagged; 0, 5, 50, 95, 100% of the distances."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--public", type=Path, default=DATA / "blocks-public.zip")
    parser.add_argument("--hidden", type=Path, default=DATA / "blocks-hidden.zip")
    options = parser.parse_args()
    questions = list(honest(opened(options.public), opened(options.hidden)))
    blurred = jpeg(50)
    _told("honest", [found(question) for question in questions])
    _told("honest, JPEG 50", [found(replace(question, edited=blurred(question.edited))) for question in questions])
    _told("another object", [found(wrong) for question in questions for wrong in another_object(question)])
    _told("card", [found(wrong) for question in questions for wrong in with_card(question)])


if __name__ == "__main__":
    main()
