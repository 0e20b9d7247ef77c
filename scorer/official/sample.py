"""One sample, once through: locality, gates, and both scores of its operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from scorer.measures.lpips import Lpips
from scorer.official import locality as el
from scorer.official.aborts import OfficialAbortError
from scorer.official.dataset import Detections, read_truth
from scorer.official.imaging import Image, UnmeasurableError, fitted, processed
from scorer.official.kinds import Kind
from scorer.official.move import evaluate_move
from scorer.official.names import Match
from scorer.official.outcome import Outcome
from scorer.official.pictures import UnreadableError, decoded, read_image, size_of
from scorer.official.remove import evaluate_remove
from scorer.official.rotate import evaluate_rotate
from scorer.official.scale import evaluate_scale
from scorer.official.truth import Truth
from scorer.official.viewpoint import Viewpoint, compare_viewpoints
from scorer.operations.parsing import parse_operation
from scorer.originals import Originals, Picture

Status = Literal["scored", "official_abort", "unreadable", "duplicate", "no_detections"]

EVALUATIONS: Mapping[str, Callable[..., Outcome]] = MappingProxyType(
    {"move": evaluate_move, "rotate": evaluate_rotate, "remove": evaluate_remove, "scale": evaluate_scale}
)
"""Every operation that looks at detections; a view compares images."""


@dataclass(frozen=True)
class Record:
    """All that is known of one edited image after its evaluation; None is what it did not come to.

    ``reason`` says why it is not scored, ``official`` names the exception the official code ends its run with.
    ``gate``: of locality; ``viewpoint``: of rotations whose gate passed. An aborted sample keeps the locality that was
    measured before: the official EL run, being a run of its own, reports it too.
    """

    file: str
    status: Status
    key: str | None = None
    reason: str | None = None
    official: str | None = None
    match: Match | None = None
    operation: str | None = None
    detections: Detections | None = None
    locality: el.Locality | None = None
    gate: bool | None = None
    viewpoint: Viewpoint | None = None
    outcome: Outcome | None = None


class Evaluator:
    """Evaluates samples with one network; the originals' share of the work is made once, in ``originals``."""

    def __init__(self, network: Lpips, *, originals: Originals | None = None) -> None:
        self.network = network
        self.originals = originals or Originals(network=network)

    def evaluate(self, match: Match, *, kind: Kind, find: Callable[[str], Detections | None]) -> Record:
        """The record of one sample. Whatever the official code raises on is in it; nothing is raised for it."""
        blank = Record(file=match.edited.name, status="scored", key=match.name.key, match=match)
        try:
            edited = read_image(match.edited)
        except UnreadableError as error:
            return replace(blank, status="unreadable", reason=f"{error.cause}: not a readable image")
        try:
            detections = find(match.name.key)
        except OfficialAbortError as abort:
            return aborted(blank, abort)
        if detections is None:
            return replace(blank, status="no_detections", reason=f"no detections are recorded for {match.name.key}")
        return self._measured(replace(blank, detections=detections), match, detections, edited=edited, kind=kind)

    def _measured(self, record: Record, match: Match, detections: Detections, *, edited: Image, kind: Kind) -> Record:
        """First what the EL run needs, then what IC and SA need: an abort keeps what came before it."""
        try:
            truth = read_truth(match.description)
            operation = operation_of(truth)
            record = replace(record, operation=operation)
            (height, width), original = _picture(match.original)
            share = self.originals.share(original)
            edited = fitted(edited, height=height, width=width)
            found = self._locality(share, edited, truth=truth, detections=detections)
            gate = el.passes_gate(ssim=found.ssim, lpips=found.lpips, kind=kind)
            record = replace(record, locality=found, gate=gate)
            if operation == "view":
                value = self._view(match.ground_truth, edited)
                return replace(record, outcome=Outcome(ic=value, sa=value))
            if operation not in EVALUATIONS:
                raise OfficialAbortError("NotImplementedError", f"{operation!r} is not an operation")
            if operation == "rotate" and gate:
                viewpoint = compare_viewpoints(self.originals.sift(original), edited)
                record, gate = replace(record, viewpoint=viewpoint), bool(viewpoint.same)
            evaluation = EVALUATIONS[operation]
            outcome = evaluation(truth, origin=detections.origin, result=detections.result, gate=gate)
            return replace(record, outcome=outcome)
        except OfficialAbortError as abort:
            return aborted(record, abort)
        except UnmeasurableError as error:
            return aborted(record, OfficialAbortError("ValueError", str(error)))

    def _locality(self, share: el.Share, edited: Image, *, truth: Truth, detections: Detections) -> el.Locality:
        rectangles = el.excluded(
            *(
                el.Boxes.of([one.box for one in side], [one.rectangle for one in side])
                for side in (detections.origin, detections.result)
            ),
            box=truth.original,
            rotation=truth.rotation,
            intrinsics=truth.intrinsics,
        )
        height, width = share.image.shape[1:]
        kept = el.kept_mask(rectangles, height=height, width=width)
        return el.locality(share, processed(edited), kept=kept, network=self.network)

    def _view(self, ground_truth: Path | None, edited: Image) -> float:
        """0..1, 0 where the ground truth is missing, unreadable or of another size."""
        if ground_truth is None:
            return 0.0
        try:
            size, goal = _picture(ground_truth)
            if size != edited.shape[:2]:
                return 0.0
            share = self.originals.view(goal)
        except OfficialAbortError:
            return 0.0
        return el.view_similarity(share, edited, network=self.network)


def _picture(path: Path) -> tuple[tuple[int, int], Picture]:
    """The (height, width) of an original or a true edit, and its picture.

    Raises OfficialAbortError where it is unreadable, at once or when its pixels are asked for.
    """

    def broken(error: UnreadableError) -> OfficialAbortError:
        return OfficialAbortError(error.cause, f"the original {path.name} is unreadable")

    def read() -> Image:
        try:
            return decoded(content, name=path.name)
        except UnreadableError as error:
            raise broken(error) from error

    try:
        content = path.read_bytes()
        size = size_of(content, name=path.name)
    except UnreadableError as error:
        raise broken(error) from error
    except OSError as error:
        raise broken(UnreadableError(path.name, type(error).__name__)) from error
    return size, Picture.of_content(content, read)


def aborted(record: Record, abort: OfficialAbortError) -> Record:
    """The record of a sample on which the official code raises."""
    return replace(record, status="official_abort", official=abort.official, reason=abort.reason)


def operation_of(truth: Truth) -> str:
    """The operation that the prompt asks for. Raises OfficialAbortError for no prompt or one that ends in please."""
    try:
        return parse_operation(truth.prompt)
    except ValueError as error:
        raise OfficialAbortError("IndexError", str(error)) from error
