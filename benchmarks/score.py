"""What measuring edit locality costs, beside the calling pattern of the official evaluation, on one machine.

    python benchmarks/score.py [--rounds 5] [--images 8] [--weights FILE] [--sizes 1024x768 1920x1440]

Each round measures, one after the other on the same images:

bare      the convolutions of AlexNet alone, on one processed image, all threads: the least that a pass can cost
together  the same, as many images at a time as there are threads, one thread each: how ours computes
official  the official calling pattern: three modes; in each, for each image, decode both pictures, process both,
          scikit-image's SSIM, an AlexNet of 61 million parameters built anew and filled, both pictures through it,
          five enlarged maps, the mask, the squared error; nothing is kept
cold      one pass of ours, as ``python -m scorer official`` makes it, nothing kept beforehand
cached    the same, the originals' share made before

All give the same numbers (the largest differences are printed). Times are seconds per image; ratios are medians of each
round's ratio, because other work on the machine then hits both sides. 441 images are extrapolated.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from folders import BOXES, Job, make_jobs
from PIL import Image as PillowImage
from skimage.metrics import structural_similarity
from torch import nn

from scorer.measures import tensors
from scorer.measures.lpips import Lpips
from scorer.official.dataset import Layout
from scorer.official.imaging import Frame, Image, processed
from scorer.official.locality import Locality, for_lpips, kept_mask
from scorer.official.run import evaluate
from scorer.official.sample import Evaluator
from scorer.originals import Originals
from scorer.side_by_side import side_by_side

SEEDED = Path(__file__).parents[1] / "tests" / "conformance" / "vectors" / "lpips_alex_seeded.npz"
MODES = 3
SET = 441
"""Images of one data set of GSI-Bench, about."""
TAPS = (1, 4, 7, 9, 11)
SHIFT = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
SCALE = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)


class Round(NamedTuple):
    """Seconds per image."""

    bare: float
    together: float
    official: float
    cold: float
    cached: float


def alexnet() -> nn.ModuleDict:
    """All of AlexNet, the classifier included, with its random initial values: what is built for every image."""
    backbone = nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU()),
        *(nn.MaxPool2d(3, 2), nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(), nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU()),
    )
    classifier = nn.Sequential(nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000))
    return nn.ModuleDict({"features": backbone, "classifier": classifier})


class Official:
    """The official calling pattern. ``stored`` stands for the file of weights, already read into memory."""

    def __init__(self, weights: Path) -> None:
        arrays = tensors.parse(weights.read_bytes(), name=weights.name)
        self.heads = [arrays[f"lpips.lin{k}.model.1.weight"] for k in range(len(TAPS))]
        self.stored = alexnet().state_dict() | {key: value for key, value in arrays.items() if "lin" not in key}

    def measure(self, job: Job) -> Locality:
        """One image in one mode."""
        original, edited = (np.asarray(PillowImage.open(path).convert("RGB")) for path in job)
        a, b = processed(original), processed(edited)
        kept = kept_mask(BOXES, height=a.shape[1], width=a.shape[2])
        x, y = (np.ascontiguousarray(image.permute(1, 2, 0).numpy()) for image in (a, b))
        _, similarity = structural_similarity(x, y, data_range=y.max() - y.min(), channel_axis=-1, full=True)
        distance = self._map(for_lpips(a[None]), for_lpips(b[None]))
        mask = torch.from_numpy(kept)[None, None].float()
        mean_distance = (distance * mask).sum() / mask.sum().clamp(min=1e-6)
        error = ((x - y) ** 2)[kept].mean()
        return Locality(float(similarity[kept].mean()), float(mean_distance), float(error), int(kept.sum()))

    def _map(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        network = alexnet().requires_grad_(False)
        network.load_state_dict(self.stored)
        enlarge = nn.Upsample(size=x.shape[2:], mode="bilinear", align_corners=False)
        maps = []
        for one, other, head in zip(self._taps(network, x), self._taps(network, y), self.heads, strict=True):
            maps.append(enlarge(nn.functional.conv2d((one - other) ** 2, head)))
        return torch.stack(maps).sum(dim=0).detach()

    def _taps(self, network: nn.ModuleDict, x: torch.Tensor) -> list[torch.Tensor]:
        found, x = [], (x - SHIFT) / SCALE
        for position, layer in enumerate(network["features"]):
            x = layer(x)
            if position in TAPS:
                found.append(x / (torch.sqrt((x**2).sum(dim=1, keepdim=True)) + 1e-10))
        return found


def bare_forward(weights: Path, image: Image) -> Callable[[], object]:
    """The convolutions on one processed image, in the memory layout that is fastest on processors."""
    network = alexnet()["features"].to(memory_format=torch.channels_last)
    arrays = tensors.parse(weights.read_bytes(), name=weights.name)
    network.load_state_dict({key.removeprefix("features."): v for key, v in arrays.items() if "lin" not in key})
    x = for_lpips(processed(image)[None]).contiguous(memory_format=torch.channels_last)

    def forward() -> object:
        with torch.inference_mode():
            return network(x)

    return forward


def timed(function: Callable[[], object], *, repeat: int = 1) -> float:
    """Seconds per call."""
    began = time.perf_counter()
    for _ in range(repeat):
        function()
    return (time.perf_counter() - began) / repeat


def measure_rounds(layout: Layout, jobs: list[Job], *, weights: Path, rounds: int, workers: int) -> list[Round]:
    """The rounds, after one that warms up and compares the numbers."""
    network, official = Lpips.load(weights), Official(weights)
    forward = bare_forward(weights, np.asarray(PillowImage.open(jobs[0].edited)))
    kept = Originals(network=network, memory_bytes=4 << 30)

    def together() -> None:
        with side_by_side(lambda _: forward(), jobs, workers=workers) as found:
            list(found)

    def ours(originals: Originals) -> list[Locality]:
        part = evaluate(layout, evaluator=Evaluator(network, originals=originals), say=lambda _: None, threads=workers)
        return [record.locality for record in part.records if record.locality is not None]

    compare(ours(kept), [official.measure(job) for job in jobs[:2]])
    forward()
    found = []
    for k in range(rounds):
        job = jobs[k % len(jobs)]
        found.append(
            Round(
                bare=timed(forward, repeat=len(jobs)),
                together=timed(together) / len(jobs),
                cached=timed(lambda: ours(kept)) / len(jobs),
                cold=timed(lambda: ours(Originals(network=network))) / len(jobs),
                official=timed(lambda job=job: official.measure(job), repeat=MODES),
            )
        )
        found[-1] = found[-1]._replace(official=found[-1].official * MODES)
    return found


def compare(ours: list[Locality], official: list[Locality]) -> None:
    """Print the largest differences. Raises AssertionError where they exceed the official tolerances."""
    pairs = list(zip(ours, official, strict=False))
    ssim = max(abs(one.ssim - other.ssim) for one, other in pairs)
    lpips = max(abs(one.lpips - other.lpips) for one, other in pairs)
    assert len(pairs) == len(official)
    assert all(one.kept == other.kept for one, other in pairs)
    assert ssim < 1e-5
    assert lpips < 2e-5
    print(f"  largest differences: SSIM {ssim:.1e}, LPIPS {lpips:.1e}")


def show(rounds: list[Round]) -> None:
    """One line for each way, with its ratio to the bare forward and to the official pattern."""
    print(f"  {'':10}{'s/image':>9}{f's/{SET}':>9}{'x bare':>9}{'x together':>12}{'official x':>12}")
    for name in Round._fields:
        values = [getattr(one, name) for one in rounds]
        seconds = statistics.median(values)
        to_bare = statistics.median(value / one.bare for value, one in zip(values, rounds, strict=True))
        to_best = statistics.median(value / one.together for value, one in zip(values, rounds, strict=True))
        faster = statistics.median(one.official / value for value, one in zip(values, rounds, strict=True))
        print(f"  {name:10}{seconds:9.3f}{seconds * SET:9.0f}{to_bare:9.2f}{to_best:12.2f}{faster:12.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--weights", type=Path, default=SEEDED, help="of LPIPS; values do not matter for time")
    parser.add_argument("--sizes", nargs="+", default=["1024x768", "1920x1440"])
    options = parser.parse_args()
    workers = torch.get_num_threads()
    print(f"torch {torch.__version__}, {workers} threads, {options.rounds} rounds of {options.images} images")
    for size in options.sizes:
        width, height = (int(side) for side in size.split("x"))
        print(f"{size}, compared at {Frame.of(height, width).compared[::-1]}")
        with tempfile.TemporaryDirectory() as folder:
            layout = Layout("fine", Path(folder) / "fine", Path(folder) / "model")
            jobs = make_jobs(layout, images=options.images, width=width, height=height)
            print(f"  edited images: {statistics.mean(job.edited.stat().st_size for job in jobs) / 1e6:.1f} MB as PNG")
            show(measure_rounds(layout, jobs, weights=options.weights, rounds=options.rounds, workers=workers))


if __name__ == "__main__":
    main()
