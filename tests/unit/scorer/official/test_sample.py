"""One sample: what the evaluator measures in one pass is what the plain procedure gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from scorer.measures.lpips import Lpips
from scorer.official.dataset import RecordedDetector
from scorer.official.imaging import fitted, processed
from scorer.official.locality import Boxes, Locality, excluded, for_lpips, kept_mask, view_share, view_similarity
from scorer.official.names import match
from scorer.official.sample import Evaluator, Record
from scorer.originals import Originals
from tests.unit.scorer.official import folders
from tests.unit.scorer.official.scenes import CUP, LENS, PLATE, moved, seen, turned

NETWORK = Lpips.load(folders.WEIGHTS)
VIEW = "View the scene from the left."


@pytest.fixture
def sample(tmp_path) -> Path:
    """The edited image of a good move; it is of another size than its original."""
    folders.write(tmp_path, prompts={"0": "Move the cup 100 centimeters to the right."})
    edited = tmp_path / folders.MODEL / "generated_images_fine/s_edit_0.png"
    pixels = np.random.default_rng(5).integers(0, 256, (84, 100, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(edited)
    return edited


def evaluated(edited: Path, originals: Originals | None = None) -> Record:
    data = edited.parents[3] / "fine_dataset"
    found = RecordedDetector({"s_0": folders.GOOD}).find
    return Evaluator(NETWORK, originals=originals).evaluate(match(edited, dataset=data), kind="real", find=found)


def plainly(edited: Path) -> Locality:
    """The whole maps, with scikit-image, as the official evaluation makes them."""
    one, other = (np.asarray(Image.open(path)) for path in (edited.parents[3] / "fine_dataset/s.png", edited))
    a, b = processed(one), processed(fitted(other, height=one.shape[0], width=one.shape[1]))
    before, after = (
        Boxes.of([d.box for d in side], [d.rectangle for d in side])
        for side in ([seen(PLATE), seen(CUP)], [seen(PLATE), seen(moved(CUP, x=1.0))])
    )
    rectangles = excluded(before, after, box=CUP, rotation=turned(0), intrinsics=LENS)
    kept = kept_mask(rectangles, height=a.shape[1], width=a.shape[2])
    x, y = (image.permute(1, 2, 0).numpy() for image in (a, b))
    similarity = structural_similarity(x, y, data_range=y.max() - y.min(), channel_axis=-1, full=True)[1]
    distance = NETWORK(for_lpips(a[None]), for_lpips(b[None]))[0, 0].numpy()
    error = ((x - y) ** 2)[kept].mean()
    return Locality(float(similarity[kept].mean()), float(distance[kept].mean()), float(error), int(kept.sum()))


def test_one_pass_gives_what_the_plain_procedure_gives(sample):
    found, expected = evaluated(sample).locality, plainly(sample)
    assert found is not None
    assert found.ssim == pytest.approx(expected.ssim, abs=1e-5)
    assert found.lpips == pytest.approx(expected.lpips, rel=1e-5, abs=2e-5)
    assert found.mse == pytest.approx(expected.mse, rel=1e-4)
    assert found.kept == expected.kept


def test_a_changed_original_under_the_same_name_is_measured_anew(sample, tmp_path):
    kept = Originals(network=NETWORK, folder=tmp_path / "kept")
    before = evaluated(sample, kept)
    folders.picture(tmp_path / "fine_dataset/s.png", seed=9)
    assert evaluated(sample, kept).locality == evaluated(sample).locality != before.locality


def test_a_broken_original_ends_the_sample_as_the_official_program_ends(sample, tmp_path):
    original = tmp_path / "fine_dataset/s.png"
    whole = original.read_bytes()
    for content, error in ((b"no image", "UnidentifiedImageError"), (whole[: len(whole) // 2], "OSError")):
        original.write_bytes(content)
        found = evaluated(sample)
        assert (found.status, found.official) == ("official_abort", error)
        assert "s.png is unreadable" in str(found.reason)


def test_a_true_view_is_prepared_once_and_counts_nothing_where_it_is_unusable(sample, tmp_path):
    data = tmp_path / "fine_dataset"
    description = json.loads((data / "s_edit_0.json").read_text())
    (data / "s_edit_0.json").write_text(json.dumps(description | {"prompt": VIEW}))
    true = data / "s_gtedit_0.png"
    folders.picture(true, seed=3)
    folders.picture(sample, seed=4)
    goal, edited = (np.asarray(Image.open(path)) for path in (true, sample))
    expected = view_similarity(view_share(goal, network=NETWORK), edited, network=NETWORK)
    folder = tmp_path / "kept"
    for _ in range(2):
        outcome = evaluated(sample, Originals(network=NETWORK, folder=folder)).outcome
        assert outcome is not None
        assert (outcome.ic, outcome.sa) == (expected, expected)
        assert len(list(folder.iterdir())) == 2  # the original's share and the true view's
    whole = true.read_bytes()
    Image.new("RGB", (50, 60)).save(true)
    small = true.read_bytes()
    for content in (small, b"no image", whole[: len(whole) // 2]):
        true.write_bytes(content)
        outcome = evaluated(sample).outcome
        assert outcome is not None
        assert (outcome.ic, outcome.sa) == (0, 0)
