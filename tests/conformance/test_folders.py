"""The official example folders under every profile, through the one procedure that scores submissions."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from scorer.__main__ import main
from scorer.deviations import FAIR, OFFICIAL, TABLE, Deviation, Profile
from scorer.errors import ScorerError
from scorer.folders.score import Networks, Scored, score
from scorer.measures.lpips import Lpips
from scorer.official.conformance.folder import Folder
from scorer.official.dataset import Layout

VECTORS = Path(__file__).parent / "vectors"
WEIGHTS = VECTORS / "lpips_alex_seeded.npz"
NETWORK = Lpips.load(WEIGHTS)
DATASETS = ("fine", "mesatask")


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    with Folder(VECTORS).tree("e2e") as folder:
        yield folder


def scored(tree: Path, dataset: str, profile: Profile) -> Scored:
    layout = Layout(dataset, tree / f"{dataset}_dataset", tree / "eval" / "Demo_Model")
    networks = Networks(lambda: NETWORK, kept=True)
    return score(layout, profile=profile, networks=networks, judgements=tree / "mllm", say=lambda line: None)


@pytest.mark.parametrize("dataset", DATASETS)
def test_without_deviations_the_one_procedure_gives_the_official_summary(tree, dataset):
    expected = json.loads((tree / "expected/EVAL_output_summary.json").read_text())[dataset]["DemoModel"]
    found = scored(tree, dataset, OFFICIAL).result.scores.overall
    assert found.ic == pytest.approx(expected["instruction_compliance"], abs=1e-3)
    assert found.sa == pytest.approx(expected["spatial_accuracy"], abs=1e-3)
    assert found.ac == pytest.approx(expected["ac"], abs=1e-3)
    assert found.el == pytest.approx(expected["edit_locality"]["lpips"], abs=1e-2)
    assert found.avg == pytest.approx(expected["average"], abs=1e-2)


def test_without_deviations_every_sample_gets_its_official_ic_and_sa(tree):
    folder = tree / "expected/fine_eval"
    ic = json.loads((folder / "instruction-compliance_eval_results.json").read_text())
    for sample in scored(tree, "fine", OFFICIAL).result.samples:
        if sample.explanation.get("appearance", {}).get("score") in (None, 0):
            continue  # the judge's zero takes the rest along in the summary, not in the official result file
        assert sample.ic == 100 * ic[sample.id]["compliance"], sample.id


def test_counting_missing_images_adds_what_nobody_edited_and_takes_no_image_of_another_size(tree):
    official = scored(tree, "fine", OFFICIAL).result
    counted = scored(tree, "fine", OFFICIAL.switched(on=[Deviation.COUNT_MISSING])).result
    assert counted.scores.overall.n == official.scores.overall.n + 1
    assert counted.missing == ["3db0a1c8f3_frame_003340_0", "5748ce6f01_frame_000900_1"]
    assert counted.scores.overall.sa < official.scores.overall.sa


def test_the_fair_profile_pays_nothing_for_objects_that_did_not_change(tree):
    assert {s.id: s.sa for s in scored(tree, "mesatask", OFFICIAL).result.samples}["kitchen_counter_7_1"] > 80
    fair = {sample.id: sample for sample in scored(tree, "mesatask", FAIR.switched(off=[])).result.samples}
    assert fair["kitchen_counter_7_1"].sa == fair["kitchen_counter_7_1"].ic == 0


def test_a_reply_that_is_missing_is_an_error_under_the_fair_profile_and_a_zero_under_the_official(tree):
    with pytest.raises(ScorerError, match="has no reply for 5748ce6f01_frame_000900_edit_0"):
        scored(tree, "fine", OFFICIAL.switched(on=[Deviation.STRICT_APPEARANCE]))
    found = {sample.id: sample for sample in scored(tree, "fine", OFFICIAL).result.samples}
    assert found["5748ce6f01_frame_000900_0"].ac == 0


def test_a_recorded_detection_of_another_image_is_used_by_the_official_rules_alone(tree, tmp_path):
    copied = tmp_path / "tree"
    shutil.copytree(tree, copied)
    cache = copied / "eval/Demo_Model/mesatask_eval/infer_cache.json"
    records = json.loads(cache.read_text())
    records["desk-v2_2"]["image_sha256"] = "0" * 64
    cache.write_text(json.dumps(records))
    assert scored(copied, "mesatask", OFFICIAL).result.scores.overall.n == 9
    with pytest.raises(ScorerError, match=r"no detections are recorded for desk-v2_edit_2\.png as it is"):
        scored(copied, "mesatask", OFFICIAL.switched(on=[Deviation.FRESH_DETECTIONS]))


def test_names_with_the_marker_and_neighbours_files_follow_their_switches(tree, tmp_path):
    copied = tmp_path / "tree"
    shutil.copytree(tree, copied)
    images = copied / "eval/Demo_Model/generated_images_mesatask"
    (images / "desk-v2_edit_0.png").rename(images / "desk-v2_rgb_edit_0.png")
    official = scored(copied, "mesatask", OFFICIAL)
    assert "desk-v2_rgb_edit_0.png" in official.ignored
    truth = copied / "mesatask_dataset"
    (truth / "desk-v2_gtedit_0.png").rename(truth / "desk-v2_gtedit_01.png")
    (images / "desk-v2_rgb_edit_0.png").rename(images / "desk-v2_edit_0.png")
    by_prefix = {s.id: s.ic for s in scored(copied, "mesatask", OFFICIAL).result.samples}
    exact = {
        s.id: s.ic for s in scored(copied, "mesatask", OFFICIAL.switched(on=[Deviation.EXACT_FILES])).result.samples
    }
    assert by_prefix["desk-v2_0"] > 0
    assert exact["desk-v2_0"] == 0


def test_a_network_built_anew_for_each_image_gives_the_same_numbers(tree):
    built = []

    def build() -> Lpips:
        built.append(1)
        return NETWORK

    layout = Layout("mesatask", tree / "mesatask_dataset", tree / "eval/Demo_Model")
    anew = score(
        layout, profile=OFFICIAL, networks=Networks(build, kept=False), judgements=tree / "mllm", say=lambda line: None
    )
    assert len(built) == 9
    assert anew.result == scored(tree, "mesatask", OFFICIAL).result


def test_the_command_scores_under_any_profile_and_writes_every_sample(tree, tmp_path, capsys):
    arguments = ["official", "--model", str(tree / "eval/Demo_Model"), "--judgements", str(tree / "mllm")]
    arguments += ["--weights", str(WEIGHTS), "--out", str(tmp_path)]
    data = str(tree / "mesatask_dataset")
    assert main([*arguments, "--dataset", f"mesatask_dataset={data}", "--profile", "gsi-fair-1"]) == 0
    (file,) = tmp_path.iterdir()
    content = json.loads(file.read_text())
    assert content["profile"] == "gsi-fair-1"
    assert len(content["result"]["deviations"]) == len(TABLE) == 24
    assert content["weights"] == {"lpips-alex-0.1": NETWORK.sha256}
    assert {sample["status"] for sample in content["result"]["samples"]} == {"scored"}
    assert "mesatask: ic" in capsys.readouterr().err
    assert main([*arguments, "--dataset", f"mesatask_dataset={data}"]) == 70
    assert "under the official rules the name is mesatask" in capsys.readouterr().err
    assert main([*arguments, "--dataset", f"mesatask={data}", "--deviate", "gated-accuracy"]) == 0
    assert (tmp_path / "DemoModel_mesatask_gsi-official-1+gated-accuracy.json").exists()


NETWORKS = Networks(lambda: NETWORK, kept=True)
SWITCHED = [FAIR.switched(off=[one]) for one in Deviation] + [OFFICIAL.switched(on=[one]) for one in Deviation]


@pytest.fixture(scope="module")
def judged(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example folders with a reply for every image."""
    folder = tmp_path_factory.mktemp("judged") / "tree"
    shutil.copytree(tree, folder)
    for dataset in DATASETS:
        replies = [
            {"meta": {"index": path.stem}, "prediction": '||V^=^V||{"reasoning": "as it was", "score": 8}||V^=^V||'}
            for path in sorted((folder / f"{dataset}_dataset").glob("*_edit_*.json"))
        ]
        for path in (folder / "mllm").glob(f"*{dataset}_DemoModel.json"):
            path.write_text(json.dumps(replies))
    return folder


def run(tree: Path, dataset: str, profile: Profile) -> Scored:
    layout = Layout(dataset, tree / f"{dataset}_dataset", tree / "eval" / "Demo_Model")
    return score(layout, profile=profile, networks=NETWORKS, judgements=tree / "mllm", say=lambda line: None)


def only(tree: Path, folder: Path, stem: str, dataset: str = "mesatask") -> Path:
    """A copy with a single image of a data set."""
    shutil.copytree(tree, folder)
    for path in (folder / f"eval/Demo_Model/generated_images_{dataset}").iterdir():
        if path.stem != stem:
            path.unlink()
    return folder


ONE_OF_EACH = (
    "office_table--0001_edit_0",
    "dining_table_12_edit_0",
    "kitchen_counter_7_edit_0",
    "desk-v2_edit_0",
    "desk-v2_edit_2",
)
"""A move, a rotation, a change of size, a change of view, a removal."""


@pytest.fixture(scope="module")
def few(judged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "tree"
    shutil.copytree(judged, folder)
    for path in (folder / "eval/Demo_Model/generated_images_mesatask").iterdir():
        if path.stem not in ONE_OF_EACH:
            path.unlink()
    return folder


@pytest.mark.parametrize("profile", SWITCHED, ids=lambda profile: profile.name)
def test_every_deviation_can_be_switched_alone_without_a_crash(few, profile):
    scored = [one for one in run(few, "mesatask", profile).result.samples if one.status == "scored"]
    assert len(scored) == len(ONE_OF_EACH)
    assert {one.operation for one in scored} == {"move", "rotate", "scale", "view", "remove"}


@pytest.mark.parametrize("harm", ["missing", "broken"])
def test_a_view_whose_true_view_cannot_be_used_is_a_view_that_scores_nothing(judged, tmp_path, harm):
    folder = only(judged, tmp_path / "tree", "desk-v2_edit_0")
    true = folder / "mesatask_dataset/desk-v2_gtedit_0.png"
    true.unlink() if harm == "missing" else true.write_bytes(b"nothing")
    for profile in (OFFICIAL, FAIR, OFFICIAL.switched(on=[Deviation.VIEW_PROGRESS])):
        found = {one.id: one for one in run(folder, "mesatask", profile).result.samples}["desk-v2_0"]
        assert (found.operation, found.ic, found.sa, found.reason) == ("view", 0, 0, "there is no true view")


def test_a_change_of_view_without_any_true_view_is_no_removal(judged):
    found = {one.id: one for one in run(judged, "mesatask", FAIR).result.samples}["desk-v2_1"]
    assert (found.operation, found.ic, found.sa, found.reason) == ("view", 0, 0, "there is no true view")


def test_both_gates_take_the_accuracy_of_a_view_that_is_less_than_half_alike(judged, tmp_path):
    folder = only(judged, tmp_path / "tree", "desk-v2_edit_0")
    gates = OFFICIAL.switched(on=[Deviation.HALF_COMPLIANCE, Deviation.GATED_ACCURACY])
    for level in (0, 255):
        path = folder / "eval/Demo_Model/generated_images_mesatask/desk-v2_edit_0.png"
        with Image.open(path) as image:
            size = image.size
        Image.effect_noise(size, 200 + level / 10).convert("RGB").save(path)
        plain = run(folder, "mesatask", OFFICIAL).result.samples[0]
        assert 0 < plain.ic < 50
        gated = run(folder, "mesatask", gates).result.samples[0]
        assert (gated.ic, gated.sa) == (0, 0)


def test_a_recorded_box_that_is_nan_or_huge_stops_no_profile(judged, tmp_path):
    folder = only(judged, tmp_path / "tree", "desk-v2_edit_2")
    cache = folder / "eval/Demo_Model/mesatask_eval/infer_cache.json"
    records = json.loads(cache.read_text())
    found = records["desk-v2_2"]["new_result"]["detections"]
    for value in (float("nan"), 3e9):
        found.append({**found[0], "bbox_3d": [value] * 7})
    cache.write_text(json.dumps(records))
    for profile in (OFFICIAL, FAIR):
        (one,) = (one for one in run(folder, "mesatask", profile).result.samples if one.id == "desk-v2_2")
        assert one.status == "scored"
        assert 0 <= one.sa <= 100


def test_a_picture_that_is_a_bomb_is_unreadable_and_a_broken_original_is_named(judged, tmp_path):
    folder = only(judged, tmp_path / "tree", "desk-v2_edit_2")
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + bytes(4)
    )
    (folder / "eval/Demo_Model/generated_images_mesatask/desk-v2_edit_2.png").write_bytes(bomb)
    for profile in (OFFICIAL, FAIR):
        found = {one.id: one for one in run(folder, "mesatask", profile).result.samples}["desk-v2_2"]
        assert found.status == "unreadable"
        assert "DecompressionBombError" in found.reason
    for original in (folder / "mesatask_dataset").glob("desk-v2.*"):
        original.write_bytes(bomb)
        with pytest.raises(ScorerError, match=original.name):
            run(folder, "mesatask", FAIR)
