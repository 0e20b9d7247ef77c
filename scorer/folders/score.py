"""Official folders under any profile: the same files, recorded detections and replies, scored by the one procedure.

``scorer.official.run`` reproduces the official evaluation with its files; here ``scorer.sample`` scores what lies in
the same folders under a set of deviations, so that a model whose detections and judgements were made elsewhere can be
seen under ``gsi-fair-1``, or under the official rules with one of them mended. Without deviations both agree (a test).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from scorer.appraisal import appraised
from scorer.contract import CameraData, Result, Sample, SampleReport
from scorer.detectors.port import Detection, Image
from scorer.deviations import Deviation, Profile
from scorer.errors import ScorerError
from scorer.folders.tasks import detection_of, task_of, true_view
from scorer.inputs import Task
from scorer.judges.port import Judgement
from scorer.judges.recorded import RecordedJudge
from scorer.measures.port import Perceptual
from scorer.official import aggregate, imaging
from scorer.official.aborts import OfficialAbortError
from scorer.official.dataset import Detections, Layout, RecordedDetector, read_judgements
from scorer.official.kinds import Kind
from scorer.official.names import Match, match, read_name, scored_files, without_marker
from scorer.official.pictures import UnreadableError, read_image
from scorer.originals import Originals
from scorer.reporting import Answer, result_of
from scorer.sample import Measured, Sight, measure
from scorer.scenes import Scenes

RECORDED = "recorded-1"

Say = Callable[[str], None]


class Scored(NamedTuple):
    """A part under a profile. ``ignored``: files that belong to no sample -> why.

    ``read_sha256``: of the recorded detections and of the judge's file.
    """

    result: Result
    ignored: dict[str, str]
    read_sha256: dict[str, str]


@dataclass(frozen=True)
class Recorded:
    """The recorded detections of one sample in place of a detector; see :class:`scorer.detectors.port.Detector`."""

    edited: Image
    found: Detections
    name: str = RECORDED
    sees_everything: bool = False

    def detect(self, *, image: Image, target: str, camera: CameraData) -> list[Detection]:
        """What was recorded of the original or of the edited image, in pixels of the image."""
        records = self.found.result if image is self.edited else self.found.origin
        frame = imaging.Frame.of(*image.shape[:2])
        return [detection_of(record, frame, target) for record in records]


@dataclass(frozen=True)
class Pictures:
    """The images of one sample in place of a run's folder."""

    first: Image
    true: Image | None
    kind: Kind

    def original(self, sample: Sample) -> Image:
        """The original."""
        return self.first

    def ground_truth(self, task: Task) -> Image:
        """The true edit. Raises ScorerError where there is none."""
        if self.true is None:
            raise ScorerError(f"sample {task.sample.id}: the true edit is missing")
        return self.true


class Networks:
    """The perceptual distance for each image: one for all, or built anew each time as the official program does.

    ``folder``: where the originals' share of the work is kept, if anywhere.
    """

    def __init__(self, load: Callable[[], Perceptual], *, kept: bool, folder: Path | None = None) -> None:
        self._load = load
        self._folder = folder
        self._kept = self._made() if kept else None
        self.weights: dict[str, str] = {}

    def next(self) -> Originals:
        """For the next image."""
        originals = self._kept or self._made()
        if originals.network.sha256 is not None:
            self.weights = {originals.network.name: originals.network.sha256}
        return originals

    def _made(self) -> Originals:
        return Originals(network=self._load(), folder=self._folder)


@dataclass
class _Run:
    """One part on its way."""

    layout: Layout
    profile: Profile
    networks: Networks
    answer: Callable[[Match], Judgement]
    detector: RecordedDetector
    reports: dict[str, SampleReport] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)


def score(layout: Layout, *, profile: Profile, networks: Networks, judgements: Path, say: Say) -> Scored:
    """Score one model on one data set under a profile.

    Raises ScorerError where detections or judgements that are needed were not recorded, or nothing can be scored.
    """
    path = layout.judgements(judgements)
    if path is None:
        raise ScorerError(f"no file *{layout.dataset}_{layout.model_name}.json in {judgements}: no judgements")
    answer = _strict(path) if Deviation.STRICT_APPEARANCE in profile else _lenient(path, profile)
    run = _Run(layout, profile, networks, answer, RecordedDetector.load(layout.cache))
    files = scored_files(layout.images)
    for count, edited in enumerate(files, start=1):
        _take(run, edited)
        if count % 20 == 0 or count == len(files):
            say(f"{layout.model_name} on {layout.dataset}: {count} of {len(files)} images")
    if Deviation.COUNT_MISSING in profile:
        _add_missing(run)
    if not run.reports:
        raise ScorerError(f"{layout.images} holds no image of a sample of {layout.truth}")
    read = {"detections": layout.cache, "judgements": path}
    hashes = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in read.items()}
    return Scored(result_of([run.reports[key] for key in sorted(run.reports)], profile), run.ignored, hashes)


def _take(run: _Run, edited: Path) -> None:
    """Score one file; the first of a key that can be read stands."""
    plain = Deviation.PLAIN_NAMES in run.profile
    try:
        key = read_name(edited if plain else without_marker(edited)).key
        exact = Deviation.EXACT_FILES in run.profile
        found = match(edited, dataset=run.layout.truth, keep_marker=plain, exact=exact)
        if key in run.reports and run.reports[key].status != "unreadable":
            run.ignored[edited.name] = "another image has the same key"
            return
        run.reports[key] = _scored(run, found)
    except OfficialAbortError as abort:
        run.ignored[edited.name] = abort.reason


def _scored(run: _Run, found: Match) -> SampleReport:
    original = _original(found)
    task = task_of(found, original, run.profile)
    true = true_view(found, original)
    try:
        edited = read_image(found.edited)
    except UnreadableError as error:
        return _report(run, Measured(task, "unreadable", f"{error.cause}: not a readable image"), found)
    height, width = original.shape[:2]
    if edited.shape != original.shape and Deviation.COUNT_MISSING in run.profile:
        wrong = f"the image is {edited.shape[1]} x {edited.shape[0]}, the original {width} x {height}"
        return _report(run, Measured(task, "unreadable", wrong), found)
    detections = _detections(run, found)
    pictures = Pictures(original, true, run.layout.kind)
    edited = imaging.fitted(edited, height=height, width=width)
    scenes = Scenes(inputs=pictures, detector=Recorded(edited, detections), originals=run.networks.next())
    return _report(run, measure(Sight(task, edited, scenes, run.layout.kind), run.profile), found)


def _original(found: Match) -> Image:
    """The original; a broken one is ours. Raises ScorerError."""
    try:
        return read_image(found.original)
    except UnreadableError as error:
        raise ScorerError(f"{error}: mend this original, then score again") from error


def _report(run: _Run, measured: Measured, found: Match) -> SampleReport:
    answer = Answer(run.answer(found)) if measured.done else None
    return appraised(measured, answer, run.profile)


def _detections(run: _Run, found: Match) -> Detections:
    """The recorded detections. Raises ScorerError where there are none, or they are of another image."""
    image = None
    if Deviation.FRESH_DETECTIONS in run.profile:
        image = hashlib.sha256(found.edited.read_bytes()).hexdigest()
    detections = run.detector.find(found.name.key, image=image)
    if detections is None:
        raise ScorerError(
            f"no detections are recorded for {found.edited.name} as it is: run the detector on it, "
            f"then score again ({run.layout.cache})"
        )
    return detections


def _add_missing(run: _Run) -> None:
    """Every edit JSON of the data set is a sample, whether or not an image came for it."""
    for path in sorted(run.layout.truth.glob("*_edit_*.json")):
        name = read_name(path)
        if name.key in run.reports:
            continue
        try:
            found = match(path.with_suffix(".png"), dataset=run.layout.truth, keep_marker=True, exact=True, absent=True)
            task = task_of(found, _original(found), run.profile)
        except OfficialAbortError as abort:
            run.ignored[path.name] = abort.reason
            continue
        missing = Measured(task, "missing", "the submission has no image for this sample")
        run.reports[name.key] = appraised(missing, None, run.profile)


def _strict(path: Path) -> Callable[[Match], Judgement]:
    """Replies read as a judge's of ours are; one that is missing is an error, not a zero."""
    judge = RecordedJudge.from_predictions(path)

    def answer(found: Match) -> Judgement:
        key = f"{found.name.image}_edit_{found.name.query}"
        # Indices are stems, but some writers of such files leave the ending on.
        for index in (key, f"{key}.jpg", f"{key}.png"):
            if (judgement := judge.recorded(index)) is not None:
                return judgement
        raise ScorerError(f"{path.name} has no reply for {key}: have it judged, then score again")

    return answer


def _lenient(path: Path, profile: Profile) -> Callable[[Match], Judgement]:
    """Replies read as the official evaluation reads them: a text or list ends it, anything else is no score.

    Under ``no-abort`` a text or list is no score either.
    """
    scores = read_judgements(path)

    def answer(found: Match) -> Judgement:
        index = aggregate.resolve_ac_key(found.name.key, scores)
        score = None if index is None else scores[index]
        if isinstance(score, str | list) and Deviation.NO_ABORT not in profile:
            raise OfficialAbortError("TypeError", f"the judge's score of {found.name.key} is no number")
        number = _number(score)
        return Judgement(number, "no number was recorded" if number is None else "as recorded")

    return answer


def _number(score: object) -> float | None:
    """A finite number as a float; None for everything else, a whole number beyond all floats included."""
    if not isinstance(score, int | float):
        return None
    try:
        number = float(score)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
