from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from scorer import inputs, protocol
from scorer.appraisal import appraised
from scorer.bundle import Picture, open_bundle
from scorer.contract import ProgressLine, Report, SampleReport
from scorer.detectors.port import Detection, Detector
from scorer.deviations import FAIR, OFFICIAL
from scorer.errors import BenchmarkError, SubmissionError
from scorer.judges.blocks import BlocksJudge
from scorer.judges.port import Judgement
from scorer.measures.msssim import MsSsim
from scorer.measuring import Instruments
from scorer.official.aggregate import gated
from scorer.originals import Originals
from scorer.registry import detector_named
from scorer.reporting import Answer, result_of
from scorer.sample import Measured, Sight, measure
from scorer.scenes import Scenes
from scorer.side_by_side import side_by_side
from tests.unit.scorer import folders
from tests.unit.scorer.blocks.drawing import draw
from tests.unit.scorer.measures.test_lpips import NETWORK

DETECTOR = detector_named("blocks-detector-1")
JUDGE = BlocksJudge()
OPERATIONS = list(folders.EDITS)


class CountingDetector:
    """The real detector, counting how often it looks at each picture."""

    name = DETECTOR.name
    sees_everything = DETECTOR.sees_everything

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def detect(self, *, image, target, camera) -> list[Detection]:
        self.seen.append(image.tobytes())
        return DETECTOR.detect(image=image, target=target, camera=camera)


class CountingJudge:
    """The real judge, noting what it was asked."""

    name = JUDGE.name
    hermetic = True

    def __init__(self) -> None:
        self.asked: list[str] = []

    def provenance(self) -> dict[str, str]:
        return JUDGE.provenance()

    def judge_all(self, questions):
        for question in questions:
            self.asked.append(question.operation)
            yield from JUDGE.judge_all([question])


def run(folder: Path, submission: bytes, *, detector: Detector = DETECTOR, judge=JUDGE, progress=None) -> Report:
    loaded = inputs.load(folders.write_run(folder, submission=submission))
    instruments = Instruments(detector, judge, MsSsim())
    return protocol.score(inputs=loaded, instruments=instruments, progress=progress or (lambda line: None))


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Report]:
    submissions = {"perfect": folders.perfect(), "nothing": folders.nothing(), "wrong": folders.wrong_object()}
    return {name: run(tmp_path_factory.mktemp(name), content) for name, content in submissions.items()}


def of(report: Report, operation: str) -> SampleReport:
    return next(sample for sample in report.ranked.samples if sample.operation == operation)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_perfect_edit_scores_almost_everything(reports, operation):
    found = of(reports["perfect"], operation)
    assert found.ic == 100
    assert found.sa > 97
    assert found.ac > 90
    assert found.el > 90


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", ["nothing", "wrong"])
def test_an_unchanged_image_and_a_wrong_object_score_nothing(reports, name, operation):
    found = of(reports[name], operation)
    assert (found.status, found.ic, found.sa, found.ac, found.el, found.avg) == ("scored", 0, 0, 0, 0, 0)
    assert found.reason


def test_a_report_explains_every_number(reports):
    found = of(reports["perfect"], "move").explanation
    assert set(found) == {"objects", "candidates", "operation", "locality", "appearance"}
    assert found["operation"]["asked_m"] == pytest.approx(0.10)
    assert found["operation"]["measured_xyz_m"] == pytest.approx([0.10, 0, 0], abs=0.01)
    assert found["locality"]["gate_passed"] is True


def test_a_report_names_everything_that_can_change_a_number(reports):
    versions = reports["perfect"].versions
    assert set(reports["perfect"].results) == {"gsi-fair-1"}
    assert reports["perfect"].ranked.deviations == FAIR.listed
    assert versions["perceptual"] == "msssim-1"
    assert {"detector", "judge", "code", "numpy", "torch", "opencv", "pillow", "scipy", "python"} <= set(versions)
    assert "unknown" not in versions.values()


def test_scoring_again_gives_the_identical_report_but_for_timings(reports, tmp_path):
    again = run(tmp_path, folders.perfect())
    assert again.model_dump(exclude={"timings"}) == reports["perfect"].model_dump(exclude={"timings"})


def test_the_judge_is_asked_only_where_the_edit_was_made(tmp_path):
    judge = CountingJudge()
    same = folders.encoded(draw(folders.SCENE))
    moved = folders.encoded(draw(folders.EDITS["move"].after))
    files = {f"{folders.SUBSET}/scene-00_edit_{name}.png": same for name in OPERATIONS}
    run(tmp_path, folders.zipped(files | {f"{folders.SUBSET}/scene-00_edit_move.png": moved}), judge=judge)
    assert judge.asked == ["move"]


def test_the_original_is_looked_at_once_for_all_its_samples(tmp_path):
    detector = CountingDetector()
    run(tmp_path, folders.perfect(), detector=detector)
    original = draw(folders.SCENE).tobytes()
    assert detector.seen.count(original) == 1
    assert len(detector.seen) == 1 + len(OPERATIONS)


def test_missing_and_unusable_images_score_zero_with_a_reason_and_are_listed(tmp_path):
    small = folders.encoded(np.zeros((10, 10, 3), np.uint8))
    files = {"move": b"I am text", "rotate": small, "scale": folders.encoded(draw(folders.EDITS["scale"].after))}
    report = run(tmp_path, folders.zipped({f"{folders.SUBSET}/scene-00_edit_{n}.png": c for n, c in files.items()}))
    assert [sample.status for sample in report.ranked.samples] == [
        "unreadable",
        "missing",
        "unreadable",
        "scored",
        "missing",
        "missing",
    ]
    assert "not-an-image" in of(report, "move").reason
    assert "wrong-size" in of(report, "rotate").reason
    assert len(report.ranked.missing) == report.ranked.scores.overall.missing == 5
    assert report.ranked.scores.overall.n == 6
    assert report.ranked.scores.overall.ic == pytest.approx(100 / 6)
    assert report.ranked.scores.operations["move"].avg == 0


@pytest.mark.parametrize("kind", ["black", "white", "noise", "red"])
def test_whatever_picture_is_sent_the_scores_are_finite_and_nothing_passes(tmp_path, kind):
    shape = (folders.HEIGHT, folders.WIDTH, 3)
    picture = {
        "black": np.zeros(shape, np.uint8),
        "white": np.full(shape, 255, np.uint8),
        "noise": np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8),
        "red": np.broadcast_to(np.array([196, 28, 36], np.uint8), shape),
    }[kind]
    content = folders.encoded(np.ascontiguousarray(picture))
    report = run(
        tmp_path, folders.zipped({f"{folders.SUBSET}/scene-00_edit_{name}.png": content for name in OPERATIONS})
    )
    assert report.ranked.scores.overall.avg == 0
    assert report.ranked.missing == []


def test_the_right_edit_in_a_ruined_image_fails_the_locality_gate(tmp_path):
    ruined = draw(folders.EDITS["move"].after).copy()
    texture = np.random.default_rng(0).integers(0, 2, ruined.shape[:2]) * 80
    grey = ruined.max(axis=2).astype(int) - ruined.min(axis=2) < 40
    ruined[grey] = np.clip(ruined[grey].astype(int) + texture[grey][:, None], 0, 255).astype(np.uint8)
    edits = {"move": folders.EDITS["move"]}
    name = f"{folders.SUBSET}/scene-00_edit_move.png"
    loaded = inputs.load(
        folders.write_run(tmp_path, submission=folders.zipped({name: folders.encoded(ruined)}), edits=edits)
    )
    (found,) = protocol.score(inputs=loaded, instruments=Instruments(DETECTOR, JUDGE, MsSsim())).ranked.samples
    assert found.explanation["locality"]["gate_passed"] is False
    assert (found.ic, found.sa, found.el) == (0, 0, 0)
    assert "rest of the image" in found.reason


def test_damage_elsewhere_costs_locality_only(reports, tmp_path):
    damaged = draw(folders.EDITS["move"].after, seed=2).copy()
    damaged[300:380, 350:500] = 90
    name = f"{folders.SUBSET}/scene-00_edit_move.png"
    found = of(run(tmp_path, folders.zipped({name: folders.encoded(damaged)})), "move")
    clean = of(reports["perfect"], "move")
    assert (found.ic, found.sa) == (clean.ic, pytest.approx(clean.sa, abs=0.01))
    assert found.el < clean.el - 3


def test_progress_counts_every_stage_to_its_end(tmp_path):
    lines: list[ProgressLine] = []
    run(tmp_path, folders.nothing(), progress=lines.append)
    stages = [line.stage for line in lines]
    assert stages == ["measure"] * 6 + ["judge"] * 6 + ["aggregate"]
    assert all(line.done == line.total for line in lines if line is lines[5] or line is lines[11] or line is lines[12])


def test_an_archive_that_is_no_zip_is_the_participants_fault(tmp_path):
    with pytest.raises(SubmissionError) as caught:
        run(tmp_path, b"no zip")
    assert caught.value.code == "not-a-zip"


@pytest.mark.parametrize("field", ["protocol", "detector", "judge"])
def test_a_run_that_names_another_version_is_refused(tmp_path, field):
    folder = folders.write_run(tmp_path, submission=folders.nothing())
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content | {field: "another-9"}))
    with pytest.raises(BenchmarkError, match="another-9"):
        protocol.score(inputs=inputs.load(folder), instruments=Instruments(DETECTOR, JUDGE, MsSsim()))


def test_a_defect_of_ours_is_not_blamed_on_the_participant(tmp_path):
    folder = folders.write_run(tmp_path, submission=folders.perfect())
    (folder / "originals/scene-00.png").write_bytes(b"lost")
    with pytest.raises(BenchmarkError):
        protocol.score(inputs=inputs.load(folder), instruments=Instruments(DETECTOR, JUDGE, MsSsim()))


def with_both_profiles(folder: Path, submission: bytes, **manifest: object) -> Path:
    """A run folder that is ranked by the fair profile and shown beside under the official one."""
    folders.write_run(folder, submission=submission)
    for name in ("manifest.json", "benchmark.json"):
        content = json.loads((folder / name).read_text())
        added = {"beside": ["gsi-official-1"], **(manifest if name == "manifest.json" else {})}
        (folder / name).write_text(json.dumps(content | added))
    return folder


class RememberingDetector(CountingDetector):
    """The real detector, which looks at each picture once however many runs show it."""

    known: ClassVar[dict[bytes, list[Detection]]] = {}

    def detect(self, *, image, target, camera) -> list[Detection]:
        shown = image.tobytes() + target.encode()
        if shown not in self.known:
            self.known[shown] = DETECTOR.detect(image=image, target=target, camera=camera)
        return self.known[shown]


def scored(
    folder: Path, *, originals: Originals | None = None, judge=JUDGE, detector: Detector | None = None
) -> dict[str, object]:
    """All of a report that does not tell how it was computed."""
    network = MsSsim() if originals is None else originals.network
    instruments = Instruments(detector or RememberingDetector(), judge, network, originals)
    report = protocol.score(inputs=inputs.load(folder), instruments=instruments)
    return report.model_dump(exclude={"timings": True, "manifest": {"threads"}})


def mixed() -> bytes:
    """Right, wrong, unreadable and missing edits."""
    scenes = {"move": folders.EDITS["move"].after, "rotate": folders.EDITS["rotate"].after, "remove": folders.SCENE}
    scenes |= {"place": folders.WRONG["place"], "view": folders.EDITS["view"].after}
    files = {f"{folders.SUBSET}/scene-00_edit_{n}.png": folders.encoded(draw(s, seed=2)) for n, s in scenes.items()}
    return folders.zipped(files | {f"{folders.SUBSET}/scene-00_edit_place.png": b"I am text"})


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Path, dict[str, object]]:
    """A run under both profiles, and what one thread without anything kept makes of it."""
    folder = with_both_profiles(tmp_path_factory.mktemp("both"), mixed())
    return folder, scored(folder)


def test_the_report_is_the_same_without_a_cache_with_a_cold_and_with_a_warm_one(both, tmp_path):
    folder, plain = both
    assert set(plain["results"]) == {"gsi-fair-1", "gsi-official-1"}
    for state in ("cold", "warm"):
        kept = Originals(network=MsSsim(), folder=tmp_path / "kept")
        assert scored(folder, originals=kept) == plain, state
        names = {path.name for path in (tmp_path / "kept").iterdir()}
        assert len(names) == 5  # the original and the true view, prepared for both profiles; and its SIFT features


def test_the_report_does_not_depend_on_the_number_of_threads(both, tmp_path):
    _, plain = both
    assert scored(with_both_profiles(tmp_path, mixed(), threads=3), detector=DETECTOR) == plain


def test_a_changed_original_is_never_served_from_what_was_kept(both, tmp_path):
    folder, plain = both
    changed = with_both_profiles(tmp_path / "run", mixed())
    pixels = draw(folders.SCENE).copy()
    pixels[:40, :200] = 90
    (changed / "originals/scene-00.png").write_bytes(folders.encoded(pixels))
    kept = Originals(network=MsSsim(), folder=tmp_path / "kept")
    assert scored(folder, originals=kept) == plain
    found = scored(changed, originals=kept)
    assert found == scored(changed)
    assert found["results"] != plain["results"]


def test_what_was_kept_for_another_distance_is_refused():
    with pytest.raises(ValueError, match="another perceptual distance"):
        Instruments(DETECTOR, JUDGE, MsSsim(), Originals(network=NETWORK))


class Says:
    """A judge that gives everything the same score."""

    name = JUDGE.name
    hermetic = False

    def __init__(self, score: float) -> None:
        self.score = score

    def provenance(self) -> dict[str, str]:
        return {}

    def judge_all(self, questions):
        for _ in questions:
            yield Judgement(self.score, "as always")


@pytest.mark.parametrize("profile", [FAIR, OFFICIAL], ids=lambda profile: profile.name)
def test_judging_only_where_the_edit_was_made_gives_the_numbers_of_judging_everything(both, profile):
    folder, _ = both
    loaded = inputs.load(folder)
    scenes = Scenes(inputs=loaded, detector=RememberingDetector(), originals=Originals(network=MsSsim()))
    with open_bundle(archive=loaded.archive, manifest=loaded.benchmark) as bundle:
        pictures = {task.sample.id: bundle.image(task.sample) for task in loaded.tasks}
    shown = {name: picture for name, picture in pictures.items() if isinstance(picture, Picture)}
    sights = [Sight(t, shown[t.sample.id].pixels, scenes, loaded.kind) for t in loaded.tasks if t.sample.id in shown]
    with side_by_side(partial(measure, profile=profile), sights, workers=1) as measured:
        items = list(measured)
    assert {item.done for item in items} == {True, False}
    items.append(replace(items[0], compliance=0.0, accuracy=0.5, locality=0.9))  # SA alone, as official rules can have
    for score in (0.0, 7.0, 10.0):
        answer = Answer(Judgement(score, "as always"))
        everything = [appraised(item, answer, profile) for item in items]
        needed = [appraised(item, answer if item.done else None, profile) for item in items]
        assert result_of(needed, profile).scores == result_of(everything, profile).scores
        for item, told in zip(items, needed, strict=True):
            if profile is OFFICIAL:
                assert (told.ic, told.sa, told.ac, told.el) == pytest.approx(officially(item, score))
        if profile is FAIR:
            assert {told.ac for told in needed} == {0, 10 * score}
    report = scored(folder, judge=Says(7.0))["results"][profile.name]["samples"]
    told = {sample["id"]: sample for sample in report}
    for item in items[:-1]:
        sample = appraised(item, Answer(Judgement(7.0, "as always")), profile)
        numbers = ("ic", "sa", "ac", "el", "avg")
        assert [told[sample.id][name] for name in numbers] == [getattr(sample, name) for name in numbers]
        assert ("appearance" in told[sample.id]["explanation"]) == item.done


def officially(item: Measured, score: float) -> tuple[float, ...]:
    """IC, SA, AC and EL as the official gates leave them, with a judgement of every sample."""
    values = {"s_0": {"compliance": item.compliance, "edit_score": item.accuracy}}
    locality = {"s_0": {"ssim": 0.0, "lpips": 1 - item.locality}}
    row = gated("s_0", ic=values, sa=values, el=locality, ac={"s_edit_0": score})
    return (100 * row.ic, 100 * row.sa, row.ac, row.el_lpips)
