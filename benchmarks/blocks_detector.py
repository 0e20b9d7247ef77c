"""How accurate and how fast the Blocks detector is, measured on rendered scenes with known truth.

    python benchmarks/blocks_detector.py --fresh 24 --seed 1                (renders; needs the extra `blocks`)
    python benchmarks/blocks_detector.py --public blocks-public.zip --hidden blocks-hidden.zip

The first makes scenes that no benchmark holds. The second looks once at every original and every ground-truth edit of
a benchmark in zips or folders. Only this script, never the detector, knows the truth.
"""

from __future__ import annotations

import argparse
import json
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from scipy.optimize import linear_sum_assignment

from scorer.blocks.camera import Camera
from scorer.blocks.world import colour_of, wrap_angle
from scorer.detectors.blocks import BlocksDetector
from scorer.detectors.port import EVERYTHING, Detection, Image


class Folder(Protocol):
    """What pathlib.Path and zipfile.Path have in common and we need."""

    def joinpath(self, *other: str) -> Any:
        """The entry below this one."""


class View(NamedTuple):
    """One image with what is truly in it."""

    name: str
    subset: str
    image: Image
    camera: Camera
    objects: list[dict[str, Any]]


@dataclass
class Tally:
    """Errors of one group of images; metres, shares, radians and seconds."""

    images: int = 0
    objects: int = 0
    invented: int = 0
    centre: list[float] = field(default_factory=list)
    size: list[float] = field(default_factory=list)
    rotation: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The share of the true objects that were found."""
        return len(self.centre) / self.objects if self.objects else 1.0

    @property
    def flips(self) -> int:
        """Objects whose rotation is off by more than 45 degrees: the front was taken for another side."""
        return sum(angle > np.pi / 4 for angle in self.rotation)


def opened(path: Path) -> Folder:
    """A zip or a folder, to be read alike."""
    return zipfile.Path(path) if path.is_file() else path


def views(public: Folder, hidden: Folder) -> Iterator[View]:
    """Every original once, and every ground-truth edit."""
    benchmark = json.loads(public.joinpath("benchmark.json").read_bytes())
    truth = json.loads(hidden.joinpath("truth.json").read_bytes())["samples"]
    seen: set[str] = set()
    for sample in benchmark["samples"]:
        camera, answer = Camera.of(**sample["camera"]), truth[sample["id"]]
        if sample["original"] not in seen:
            seen.add(sample["original"])
            image = decoded(public.joinpath(sample["original"]).read_bytes())
            yield View(sample["original"], sample["subset"], image, camera, answer["objects"])
        image = decoded(hidden.joinpath(answer["gt_image"]).read_bytes())
        yield View(answer["gt_image"], sample["subset"], image, camera, answer["new_objects"])


def fresh_views(*, count: int, seed: int) -> Iterator[View]:
    """Newly rendered scenes, ``count`` of each kind with 3 to 6 blocks, stored as the benchmark's originals are."""
    from infra.blocks.generate import fresh_scene
    from infra.blocks.package import webp

    for kind in ("tabletop", "room"):
        for number in range(count):
            blocks = 3 + number % 4
            scene = fresh_scene(seed * 100_000 + number, kind, blocks=blocks, twins=min(number % 3, blocks - 2))
            objects = [
                {"label": label, "bbox_3d": box.bbox_3d, "rotation_matrix": box.rotation_matrix}
                for label, box in zip(scene.labels, scene.boxes, strict=True)
            ]
            yield View(f"fresh {kind} {number}", f"blocks-{kind}", decoded(webp(scene.image)), scene.camera, objects)


def decoded(data: bytes) -> Image:
    """An encoded image as (h, w, 3) uint8 RGB."""
    with PillowImage.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def untouched(image: Image) -> Image:
    """The image as it is."""
    return image


def jpeg(quality: int) -> Callable[[Image], Image]:
    """A degradation: JPEG at a quality and back."""

    def degrade(image: Image) -> Image:
        packed = BytesIO()
        PillowImage.fromarray(image).save(packed, format="JPEG", quality=quality)
        return decoded(packed.getvalue())

    return degrade


def measure(all_views: Iterable[View], *, degrade: Callable[[Image], Image] = untouched) -> dict[str, Tally]:
    """Tallies by subset."""
    detector, tallies = BlocksDetector(), dict[str, Tally]()
    for view in all_views:
        image = degrade(view.image)
        begin = time.process_time()
        found = detector.detect(image=image, target=EVERYTHING, camera=view.camera.data)
        seconds = time.process_time() - begin
        tally = tallies.setdefault(view.subset, Tally())
        tally.images += 1
        tally.seconds.append(seconds)
        count(tally, view, found)
    return tallies


def count(tally: Tally, view: View, found: list[Detection]) -> None:
    """Match detections to the truth one to one (same colour, within half the object's largest side) and add up."""
    tally.objects += len(view.objects)
    pairs = list(matched(view.objects, found))
    tally.invented += len(found) - len(pairs)
    lost = len(view.objects) - len(pairs)
    if lost or len(found) > len(pairs):
        tally.notes.append(f"{view.name}: {lost} lost, {len(found) - len(pairs)} invented")
    for truth, detection in pairs:
        box = np.array(truth["bbox_3d"], dtype=np.float64)
        centre = float(np.linalg.norm(detection.bbox_3d[:3] - box[:3]))
        size = float(np.abs(detection.bbox_3d[3:6] / box[3:6] - 1).max())
        angle = rotation_between(np.array(truth["rotation_matrix"]), detection.rotation_matrix)
        tally.centre.append(centre)
        tally.size.append(size)
        tally.rotation.append(angle)
        if angle > 0.15 or size > 0.15:
            tally.notes.append(
                f"{view.name}: {truth['label']} off by {100 * centre:.1f} cm, {100 * size:.0f} %,"
                f" {np.degrees(angle):.0f} degrees (score {detection.score:.2f})"
            )


def matched(objects: list[dict[str, Any]], found: list[Detection]) -> Iterator[tuple[dict[str, Any], Detection]]:
    """Pairs of a true object and its detection."""
    if not objects or not found:
        return
    cost = np.full((len(objects), len(found)), 1e6)
    for row, truth in enumerate(objects):
        box = np.array(truth["bbox_3d"], dtype=np.float64)
        for column, detection in enumerate(found):
            distance = float(np.linalg.norm(detection.bbox_3d[:3] - box[:3]))
            if colour_of(truth["label"]) == detection.label and distance < box[3:6].max() / 2:
                cost[row, column] = distance
    for i, j in zip(*linear_sum_assignment(cost), strict=True):
        if cost[i, j] < 1e6:
            yield objects[i], found[j]


def rotation_between(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """The angle between two rotation matrices, radians, 0..pi."""
    return abs(wrap_angle(float(np.arccos(np.clip((np.trace(first.T @ second) - 1) / 2, -1, 1)))))


def table(tallies: dict[str, Tally]) -> str:
    """The tallies as a Markdown table."""
    head = "| subset | images | objects | recall | invented | centre cm | size % | rotation ° | flips | CPU s |"
    lines = [head, "|" + "---|" * 10]
    for subset, tally in sorted(tallies.items()):
        centre, size, rotation = (
            spread(values, scale)
            for values, scale in ((tally.centre, 100.0), (tally.size, 100.0), (tally.rotation, float(np.degrees(1))))
        )
        lines.append(
            f"| {subset} | {tally.images} | {tally.objects} | {tally.recall:.4f} | {tally.invented} | {centre} |"
            f" {size} | {rotation} | {tally.flips} | {np.median(tally.seconds):.2f} |"
        )
    return "\n".join(lines)


def spread(values: list[float], scale: float) -> str:
    """Median / 90th percentile / maximum."""
    if not values:
        return "–"
    return " / ".join(f"{scale * float(v):.2f}" for v in np.percentile(values, [50, 90, 100]))


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fresh", type=int, metavar="N", help="render N new scenes of each kind")
    parser.add_argument("--seed", type=int, default=1, help="other seeds, other fresh scenes")
    parser.add_argument("--public", type=Path, help="the public part of a benchmark, a zip or a folder")
    parser.add_argument("--hidden", type=Path, help="the hidden part, a zip or a folder")
    parser.add_argument(
        "--jpeg", type=int, nargs="*", default=[], metavar="QUALITY", help="also after JPEG compression"
    )
    arguments = parser.parse_args()
    if arguments.fresh:
        every = list(fresh_views(count=arguments.fresh, seed=arguments.seed))
    elif arguments.public and arguments.hidden:
        every = list(views(opened(arguments.public), opened(arguments.hidden)))
    else:
        parser.error("give --fresh, or both --public and --hidden")
    cv2.setNumThreads(1)
    report("as stored", measure(every))
    for quality in arguments.jpeg:
        report(f"after JPEG at quality {quality}", measure(every, degrade=jpeg(quality)))


def report(title: str, tallies: dict[str, Tally]) -> None:
    """Print the table and what stood out."""
    print(f"\n{title} (median / 90th percentile / maximum)\n")
    print(table(tallies))
    for subset, tally in sorted(tallies.items()):
        for note in tally.notes:
            print(f"{subset}: {note}")


if __name__ == "__main__":
    main()
