from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from skimage.metrics import structural_similarity

from scorer.official.imaging import UnmeasurableError, fitted, processed
from scorer.official.locality import Locality, for_lpips, kept_mask
from scorer.official.onepass import Job, measure_all
from scorer.originals import Originals, Picture
from tests.unit.scorer.measures.test_lpips import NETWORK

BOX = np.array([20.0, 10.0, 70.5, 60.9])


def write(path: Path, *, seed: int, size: tuple[int, int]) -> Path:
    rough = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    PillowImage.fromarray(rough).resize((size[1], size[0])).save(path)
    return path


def jobs(folder: Path) -> list[Job]:
    found = []
    for k, size in enumerate([(90, 120), (90, 120), (130, 100)]):
        original = write(folder / f"original{k}.png", seed=k, size=size)
        edited = write(folder / f"edited{k}.png", seed=10 + k, size=(size[0], size[1] + 7 * k))
        found.append(Job(Picture(original), size, edited, [BOX]))
    return found


def plainly(job: Job) -> Locality:
    """The whole maps, with scikit-image, as the official evaluation makes them."""
    one, other = (np.asarray(PillowImage.open(path)) for path in (job.original.path, job.edited))
    a, b = processed(one), processed(fitted(other, height=one.shape[0], width=one.shape[1]))
    kept = kept_mask(job.rectangles, height=a.shape[1], width=a.shape[2])
    x, y = (image.permute(1, 2, 0).numpy() for image in (a, b))
    similarity = structural_similarity(x, y, data_range=y.max() - y.min(), channel_axis=-1, full=True)[1]
    distance = NETWORK(for_lpips(a[None]), for_lpips(b[None]))[0, 0].numpy()
    error = ((x - y) ** 2)[kept].mean()
    return Locality(float(similarity[kept].mean()), float(distance[kept].mean()), float(error), int(kept.sum()))


def test_one_pass_gives_what_the_plain_procedure_gives(tmp_path):
    asked = jobs(tmp_path)
    found = list(measure_all(asked, originals=Originals(network=NETWORK, folder=tmp_path / "cache"), workers=2))
    for job, one in zip(asked, found, strict=True):
        expected = plainly(job)
        assert isinstance(one, Locality)
        assert one.ssim == pytest.approx(expected.ssim, abs=1e-5)
        assert one.lpips == pytest.approx(expected.lpips, rel=1e-5, abs=2e-5)
        assert one.mse == pytest.approx(expected.mse, rel=1e-4)
        assert one.kept == expected.kept


def test_the_numbers_do_not_depend_on_workers_order_or_cache(tmp_path):
    asked = jobs(tmp_path)
    cached = Originals(network=NETWORK, folder=tmp_path / "cache")
    first = list(measure_all(asked, originals=cached, workers=1))
    assert list(measure_all(asked, originals=cached, workers=3)) == first
    assert list(measure_all(asked[::-1], originals=Originals(network=NETWORK), workers=2)) == first[::-1]


def test_what_cannot_be_measured_gives_its_reason_and_stops_nothing(tmp_path):
    asked = jobs(tmp_path)
    asked[1].edited.write_bytes(b"no picture")
    before = torch.get_num_threads()
    found = list(measure_all(asked, originals=Originals(network=NETWORK), workers=2))
    assert [type(one) for one in found] == [Locality, UnmeasurableError, Locality]
    assert "edited1.png cannot be read" in str(found[1])
    assert torch.get_num_threads() == before
