"""What the originals of a run decide alone, made before any submission is in sight.

Where processes that see participants' pictures may not write what others are measured with, this one does it for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from scorer.comparing import Preparation
from scorer.detectors.port import Learned
from scorer.deviations import Deviation, Profile
from scorer.inputs import Task
from scorer.official.imaging import UnmeasurableError
from scorer.scenes import Scenes


def prepare(tasks: Iterable[Task], *, profiles: Iterable[Profile], scenes: Scenes) -> None:
    """Make every share that `scorer.sample` asks for, under every profile; where it is kept is the scenes' to say.

    What is asked for and was not made here would be made again by each run: slower, never another number.
    """
    chosen = list(profiles)
    for task in tasks:
        if isinstance(scenes.detector, Learned):  # what costs seconds to see is kept too
            scenes.detections(task)
        for profile in chosen:
            try:
                _prepare(task, profile, scenes)
            except UnmeasurableError:
                continue  # too small for this profile: each sample of it says so


def _prepare(task: Task, profile: Profile, scenes: Scenes) -> None:
    preparation = Preparation.of(profile)
    if task.sample.operation != "view":
        scenes.share(task.sample, preparation)
        if task.sample.operation == "rotate" and Deviation.VIEWPOINT not in profile:
            scenes.sift(task.sample)
    elif Deviation.VIEW_PROGRESS in profile:
        if task.truth.gt_image is not None:
            scenes.true_share(task, preparation)
    else:
        if task.truth.gt_image is not None:
            scenes.true_view(task)
        scenes.share(task.sample, preparation)
