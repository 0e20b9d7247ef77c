"""What DetAny3D costs, in parity and in fast mode, and how far the fast mode's boxes are from parity's.

    python benchmarks/detector.py [--network tiny|full|narrow] [--device cpu|cuda] [--batch 1] [--rounds 3] [--boxes 3]
                                  [--size 960x1280] [--modes parity fast]

For each mode, with seeded weights (arithmetic is what costs, not what was learnt):

images/s      end to end: pixels in memory to boxes in space; images of one batch are encoded together
encoder/s     the same images through the backbones alone
peak          most memory: of the GPU as torch counts it; of the process, all modes so far, on a CPU
share         operations of the backbones per second over the rate of one large matrix product, measured here in the
              mode's own type. Counted: products and convolutions that are needed; what is computed for alignment is not
deviation     largest difference of the fast mode's boxes from parity's, see scorer/detectors/detany3d/deviation.py

Medians over the rounds, after one round that is not counted (it compiles, where the mode compiles).
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from scorer.detectors.detany3d import config, seeded
from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.deviation import Deviation, deviation_of
from scorer.detectors.detany3d.model import Boxes, DetAny3D
from scorer.detectors.detany3d.precision import NAMES, Precision
from scorer.detectors.detany3d.preprocess import inputs_of

NETWORKS = {"full": config.full, "tiny": config.tiny, "narrow": config.narrow}
INTRINSICS = np.array([[1150.0, 0, 640], [0, 1150, 480], [0, 0, 1]])


class Cost(NamedTuple):
    """Of one mode. Rates in images or operations per second, memory in bytes."""

    images: float
    encoder: float
    memory: int
    operations: float
    product: float
    boxes: list[Boxes]
    recorded: dict[str, str]


def measure(options: argparse.Namespace, precision: Precision) -> Cost:
    """Build the network in that mode, run it, forget it."""
    device = torch.device(options.device)
    network = seeded.network(NETWORKS[options.network](), seed=0).to(device).use(precision)
    images, boxes = pictures(options), prompts(options.boxes)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    answers: list[Boxes] = []

    def end_to_end() -> None:
        answers[:] = [network.decode(one, boxes, INTRINSICS) for one in network.encode_batch(images)]

    whole = seconds(end_to_end, options.rounds, device)
    with torch.inference_mode(), network.precision.active():
        inputs = inputs_of(torch.from_numpy(np.stack(images)), network.config)
        backbones = seconds(lambda: network.features(inputs), options.rounds, device)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else resident()
    count = len(images)
    work = operations(network.config, options) * count
    with network.precision.active():
        product = product_rate(device, network.precision.dtype or torch.float32)
    recorded = network.precision.recorded()
    return Cost(count / whole, count / backbones, peak, work / backbones, product, answers, recorded)


def pictures(options: argparse.Namespace) -> list[np.ndarray]:
    """Different pictures of one size."""
    height, width = map(int, options.size.split("x"))
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (options.batch, height // 32 + 1, width // 32 + 1, 3), dtype=np.uint8)
    return [np.kron(one, np.ones((32, 32, 1), np.uint8))[:height, :width] for one in coarse]


def prompts(count: int) -> np.ndarray:
    """(count, 4) relative [cx, cy, w, h]."""
    generator = np.random.default_rng(1)
    return np.concatenate([generator.uniform(0.3, 0.7, (count, 2)), generator.uniform(0.1, 0.5, (count, 2))], axis=1)


def seconds(work: Callable[[], object], rounds: int, device: torch.device) -> float:
    """Median of the rounds, after one that does not count."""
    found = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(time.perf_counter() - begin)
    return statistics.median(found[1:])


def resident() -> int:
    """Most memory that this process ever held, in bytes (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def operations(shape: Config, options: argparse.Namespace) -> float:
    """Of the backbones on one image, two for each multiplication with addition; counted without computing."""
    height, width = map(int, options.size.split("x"))
    with torch.device("meta"):
        network, images = DetAny3D(shape), torch.zeros(1, height, width, 3, dtype=torch.uint8)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            inputs = inputs_of(images, shape)
            network.sam.image_encoder(inputs.sam, inputs.dino)
    return counter.get_total_flops() - alignment(shape)


def alignment(shape: Config) -> float:
    """Operations that only the longer vectors of the relative positions cost: queries, keys and values padded alike."""
    d, tokens, total = shape.sam_width // shape.sam_heads, shape.grid**2, 0.0
    for index in range(shape.sam_depth):
        side = shape.grid if index in shape.sam_global else shape.sam_window
        longer = -(-(d + 2 * side) // 8) * 8
        total += 2 * tokens * side**2 * shape.sam_heads * 2 * (longer - d)
    return total


def product_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of one large matrix product."""
    side = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2 * side**3 / seconds(lambda: a @ b, 10, device)


def worst(one: list[Boxes], other: list[Boxes]) -> Deviation:
    """Over all images."""
    return Deviation(*map(max, zip(*map(deviation_of, one, other), strict=True)))


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, default="tiny")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--boxes", type=int, default=3)
    parser.add_argument("--size", default="960x1280", help="rows x columns")
    parser.add_argument("--modes", nargs="+", choices=NAMES, default=list(NAMES))
    options = parser.parse_args()
    card = (
        torch.cuda.get_device_name() if options.device.startswith("cuda") else torch.backends.cpu.get_cpu_capability()
    )
    print(f"{options.network}, {options.device} ({card}), torch {torch.__version__}, {torch.get_num_threads()} threads")
    costs = {}
    for name in options.modes:
        costs[name] = one = measure(options, NAMES[name])
        gc.collect()
        print(f"{name}: {', '.join(f'{key} {value}' for key, value in one.recorded.items() if key != 'mode')}")
        print(f"  {one.images:.3f} images/s end to end, {one.encoder:.3f} encoder/s, peak {one.memory / 2**30:.1f} GiB")
        rates = f"{one.operations / 1e12:.3f} of {one.product / 1e12:.3f} T operations/s"
        print(f"  backbones: {rates}, share {one.operations / one.product:.0%}")
    if len(costs) == len(NAMES):
        found = worst(costs["parity"].boxes, costs["fast"].boxes)
        print("deviation of fast from parity:", ", ".join(f"{k} {v:.2g}" for k, v in found._asdict().items()))


if __name__ == "__main__":
    main()
