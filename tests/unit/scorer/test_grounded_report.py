"""From image files to a report with GSI-Bench's own detector: an official folder, read, run and scored."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from infra.benchmarks.editions import edition
from infra.benchmarks.findings import Findings
from infra.benchmarks.official import read_official
from scorer import inputs, protocol
from scorer.__main__ import main
from scorer.contract import Report
from scorer.judges.port import Judgement
from scorer.measures.msssim import MsSsim
from scorer.originals import Originals
from scorer.protocol import Instruments
from tests.unit.scorer.detectors import gsi_folder
from tests.unit.scorer.detectors.installing import Counted

SUBSET = "gsi-real"
SCALE, REMOVE = "room_0_edit_0", "room_0_edit_1"


@pytest.fixture(scope="module")
def official(installed, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("official") / "fine_dataset"
    gsi_folder.write(folder, detector=Counted(installed).detector)
    return folder


def encoded(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return stream.getvalue()


class FixedJudge:
    """Always of the same mind: what is tested here is the detector's part."""

    name = "fixed-judge-1"

    def provenance(self) -> dict[str, str]:
        return {}

    def judge_all(self, questions):
        for _ in questions:
            yield Judgement(7.0, "fixed")


def run_folder(folder: Path, official: Path, *, edited: np.ndarray, judge: str = "blocks-judge-1") -> Path:
    """What a worker lays out: the registered benchmark's files, and ``edited`` submitted for every sample."""
    part = edition(id=None, title=None, partial=True, judge=judge, perceptual="msssim-1")
    draft = read_official({"fine": official}, part, found=Findings())
    for name, file in draft.public.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(file.read_bytes())
    (folder / "truth").mkdir()
    (folder / "truth" / "truth.json").write_text(draft.truth.model_dump_json())
    (folder / "benchmark.json").write_text(draft.manifest.model_dump_json())
    manifest = {
        "submission": folder.name,
        "benchmark": draft.manifest.benchmark,
        "benchmark_version": "1",
        "subset": SUBSET,
        "protocol": "gsi-official-1",
        "beside": ["gsi-fair-1"],
        "detector": draft.manifest.detector,
        "judge": draft.manifest.judge,
        "perceptual": draft.manifest.perceptual,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with zipfile.ZipFile(folder / "submission.zip", "w") as archive:
        for sample in draft.manifest.samples:
            archive.writestr(f"{SUBSET}/{sample.id}.png", encoded(edited))
    return folder


def samples(report: Report, profile: str):
    return {sample.id: sample for sample in report.results[profile].samples}


def test_image_files_become_a_report_that_names_every_weight_and_follows_the_formulas(installed, official, tmp_path):
    folder = run_folder(tmp_path / "run", official, edited=gsi_folder.picture(0))
    settings = {"weights": str(installed), "detector": {"accept_noncommercial_weights": True}}
    (folder / "instruments.json").write_text(json.dumps(settings))
    assert main(["score", "--input", str(folder), "--output", str(tmp_path / "out")]) == 0
    report = Report.model_validate_json((tmp_path / "out" / "report.json").read_text())
    assert report.weights.keys() >= {"detany3d", "grounding-dino/config.json", "grounding-dino/model.safetensors"}
    assert report.versions["detector"] == "grounding-dino-detany3d"
    assert report.versions["detector_code"]
    assert report.versions["detector_device"].startswith("cpu")
    assert report.versions["detector_tf32"] == "off"
    scale = samples(report, "gsi-official-1")[SCALE]
    # The picture is the original's: the target was found, no candidate moved, so the official rule takes factor 1.
    stored = json.loads((official / f"{SCALE}.json").read_text())
    sides = np.array(stored["original_bbox_3d"][3:6])
    asked = np.array(stored["new_bbox_3d"][3:6]) / (sides + 1e-5)
    expected = 100 * np.exp(-np.mean(np.log(1 / (asked + 1e-5) + 1e-5) ** 2))
    assert scale.sa == pytest.approx(expected, abs=1e-6)
    assert scale.ic == 0
    assert scale.explanation["objects"]["origin_measured"]
    np.testing.assert_allclose(scale.explanation["objects"]["origin_box"], stored["original_bbox_3d"], atol=1e-4)
    assert scale.explanation["candidates"]["0"] != "chosen"
    remove = samples(report, "gsi-official-1")[REMOVE]
    assert (remove.ic, remove.sa) == (0, 0)  # it is still there
    assert samples(report, "gsi-fair-1")[SCALE].sa == 0


def test_a_second_submission_does_not_look_at_the_originals_again_and_gets_the_same_numbers(
    installed, official, tmp_path
):
    other = gsi_folder.picture(5)
    folders = [run_folder(tmp_path / f"run{i}", official, edited=other, judge=FixedJudge.name) for i in range(2)]
    work, reports = [], []
    for folder in folders:
        counted, network = Counted(installed), MsSsim()
        instruments = Instruments(
            detector=counted.detector,
            judge=FixedJudge(),
            perceptual=network,
            originals=Originals(network=network, folder=tmp_path / "kept"),
        )
        reports.append(protocol.score(inputs=inputs.load(folder), instruments=instruments))
        work.append((counted.found, counted.encoded))
    # Each run looks at two edited images, which are alike here and so are encoded once; the first at the original too.
    assert work == [(3, 2), (2, 1)]
    assert reports[0].results == reports[1].results
    assert reports[0].weights == reports[1].weights


def test_a_run_on_an_installation_without_the_weights_says_what_is_missing(official, tmp_path, capsys):
    folder = run_folder(tmp_path / "run", official, edited=gsi_folder.picture(0))
    (folder / "instruments.json").write_text(json.dumps({"weights": str(tmp_path / "none")}))
    assert main(["score", "--input", str(folder), "--output", str(tmp_path / "out")]) == 70
    told = capsys.readouterr().err
    for word in ("accept_noncommercial_weights", "detany3d.pth", "grounding-dino-base"):
        assert word in told
