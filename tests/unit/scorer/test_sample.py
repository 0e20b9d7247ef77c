from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from scorer import inputs
from scorer.detectors.port import Detection, Image
from scorer.deviations import FAIR, OFFICIAL, Deviation, Profile
from scorer.inputs import Inputs, Task
from scorer.measures.msssim import MsSsim
from scorer.official.locality import Kind
from scorer.originals import Originals
from scorer.registry import detector_named
from scorer.sample import Measured, Sight, measure
from scorer.scenes import Scenes
from tests.unit.scorer import folders
from tests.unit.scorer.blocks.drawing import draw

DETECTOR = detector_named("blocks-detector-1")


class NarrowDetector:
    """The real detector, asked for one name at a time as one for photographs is."""

    name = "narrow-1"
    sees_everything = False

    def detect(self, *, image: Image, target: str, camera: Any) -> list[Detection]:
        return DETECTOR.detect(image=image, target=target, camera=camera) if target else []


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> Inputs:
    return inputs.load(folders.write_run(tmp_path_factory.mktemp("run"), submission=folders.nothing()))


@pytest.fixture(scope="module")
def scenes(loaded) -> Scenes:
    return Scenes(inputs=loaded, detector=DETECTOR, originals=Originals(network=MsSsim()))


def task(scenes: Scenes, operation: str, **truth: Any) -> Task:
    found = next(task for task in scenes.inputs.tasks if task.sample.operation == operation)
    return replace(found, truth=found.truth.model_copy(update=truth))


def without(deviation: Deviation) -> Profile:
    return Profile("without", FAIR.deviations - {deviation})


def measured(scenes: Scenes, one: Task, image: Image, profile: Profile = FAIR, *, kind: Kind = "synthetic") -> Measured:
    return measure(Sight(one, image, scenes, kind), profile)


def truly(operation: str) -> Image:
    return draw(folders.EDITS[operation].after, seed=2)


def textured(image: Image) -> Image:
    """The picture with its grey ground so textured that it is not similar any more, the blocks left alone."""
    ruined = image.copy()
    texture = np.random.default_rng(0).integers(0, 2, ruined.shape[:2]) * 80
    grey = ruined.max(axis=2).astype(int) - ruined.min(axis=2) < 40
    ruined[grey] = np.clip(ruined[grey].astype(int) + texture[grey][:, None], 0, 255).astype(np.uint8)
    return ruined


def test_the_gate_of_photographs_asks_for_one_condition_that_of_rendered_scenes_for_both(scenes):
    one = task(scenes, "move")
    for strength in np.linspace(0.1, 1, 10):
        mixed = truly("move").astype(float) * (1 - strength) + textured(truly("move")) * strength
        image = mixed.round().astype(np.uint8)
        seen = {kind: measured(scenes, one, image, kind=kind) for kind in ("real", "synthetic")}
        rest = seen["real"].explanation["locality"]
        if (rest["similarity"] > 0.6) != (rest["distance"] < 0.3):
            break
    assert (rest["similarity"] > 0.6) != (rest["distance"] < 0.3), "no strength of texture parts the two conditions"
    assert (seen["real"].compliance, seen["synthetic"].compliance) == (1, 0)
    assert seen["real"].accuracy > 0.9
    assert "rest of the image" in seen["synthetic"].reason


def test_a_picture_that_fails_both_conditions_fails_the_gate_of_photographs_too(scenes):
    found = measured(scenes, task(scenes, "move"), textured(truly("move")), kind="real")
    assert found.explanation["locality"]["gate_passed"] is False
    assert (found.compliance, found.accuracy) == (0, 0)


@pytest.fixture(scope="module", params=["no boxes known", "detector sees one name"])
def by_picture(request, loaded, scenes) -> tuple[Scenes, Task]:
    """Two reasons to judge a view by the picture."""
    if request.param == "no boxes known":
        return scenes, task(scenes, "view", objects=[], new_objects=[])
    narrow = Scenes(inputs=loaded, detector=NarrowDetector(), originals=Originals(network=MsSsim()))
    return narrow, task(narrow, "view", target="red block")


def test_a_view_without_a_known_scene_is_judged_by_its_distance_to_the_true_view(by_picture):
    scenes, one = by_picture
    true, original = scenes.inputs.ground_truth(one), scenes.original(one.sample)
    perfect, nothing = (measured(scenes, one, image) for image in (true, original))
    assert (perfect.compliance, perfect.accuracy, perfect.locality) == pytest.approx((1, 1, 1))
    assert (nothing.compliance, nothing.accuracy) == (0, 0)
    assert "distance" in perfect.explanation["operation"]
    near = measured(scenes, one, np.clip(true.astype(int) + 1, 0, 255).astype(np.uint8))
    assert 0.5 < near.accuracy < 1


def test_a_view_of_a_known_scene_is_judged_by_its_objects(scenes):
    found = measured(scenes, task(scenes, "view"), truly("view"))
    assert found.compliance == 1
    assert "error_m" in found.explanation["operation"]


def test_without_view_progress_an_untouched_view_keeps_its_likeness(scenes):
    one = task(scenes, "view")
    original = scenes.original(one.sample)
    kept = measured(scenes, one, original, without(Deviation.VIEW_PROGRESS))
    assert kept.accuracy > 0.5
    assert measured(scenes, one, original).accuracy == 0
    official = measured(scenes, one, original, OFFICIAL)
    assert 0 < official.compliance == official.accuracy < 1


def test_half_compliance_alone_makes_a_rate_of_the_official_fraction_of_a_view(scenes):
    one = task(scenes, "view")
    profile = Profile("fraction", OFFICIAL.deviations | {Deviation.HALF_COMPLIANCE})
    likeness = measured(scenes, one, scenes.original(one.sample), OFFICIAL).compliance
    assert measured(scenes, one, scenes.original(one.sample), profile).compliance == float(likeness >= 0.5)


@pytest.mark.parametrize("prompt", ["Slide the red block to the left", "please"])
def test_what_the_official_program_ends_on_is_aborted_there_and_scored_zero_without_abort(scenes, prompt):
    one = task(scenes, "move", prompt=prompt)
    assert measured(scenes, one, truly("move"), OFFICIAL).status == "aborted"
    forgiving = measured(scenes, one, truly("move"), Profile("one", frozenset({Deviation.NO_ABORT})))
    assert (forgiving.status, forgiving.compliance, forgiving.accuracy) == ("scored", 0, 0)
    assert "the official evaluation ends here" in forgiving.reason
    fair = measured(scenes, one, truly("move"))
    assert (fair.status, fair.compliance) == ("scored", 1)  # the stated operation counts, not the verb


def test_the_stated_operation_counts_where_the_words_would_say_another(scenes):
    one = task(scenes, "move", prompt="Move the red block toward the camera")
    read = measured(scenes, one, truly("move"), without(Deviation.STATED_OPERATION))
    assert "unchanged_error_m" in read.explanation["operation"]  # as a view
    stated = measured(scenes, one, truly("move"))
    assert "progress_m" in stated.explanation["operation"]
    assert stated.compliance == 1


def test_the_viewpoint_test_is_asked_of_rotations_only_where_the_profile_has_it(scenes):
    one = task(scenes, "rotate")
    asked = measured(scenes, one, truly("rotate"), without(Deviation.VIEWPOINT))
    assert "viewpoint" in asked.explanation
    assert "viewpoint" not in measured(scenes, one, truly("rotate")).explanation
    assert "viewpoint" not in measured(scenes, task(scenes, "move"), truly("move"), OFFICIAL).explanation


def test_what_is_left_out_of_the_comparison_is_the_profiles_choice(scenes):
    one, image = task(scenes, "move"), truly("move")
    fair, last = measured(scenes, one, image), measured(scenes, one, image, without(Deviation.TARGET_MASK))
    assert fair.explanation["locality"]["kept"] != last.explanation["locality"]["kept"]
