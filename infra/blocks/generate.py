"""Renders the planned benchmark and the four sample submissions, and packs them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from infra.blocks.package import as_json, manifest_of, truth_of, webp, write_zip
from infra.blocks.plan import PlannedSample, plan_benchmark, subset_of
from infra.blocks.render import mitsuba, render
from infra.blocks.sampling import sample_scene
from infra.blocks.scene import Kind, Scene
from infra.blocks.textures import Pixels
from scorer.blocks.camera import Camera
from scorer.blocks.world import PlacedBox

EDITORS = ("perfect", "noisy", "nothing", "wrong-object")
_NOISE_LEVELS = 2.5
_SOFTNESS_PIXELS = 0.55


@dataclass(frozen=True)
class _Picture:
    """One picture to be rendered; every maker has a sampler seed, and so grain, of its own."""

    name: str
    scene: Scene
    maker: int


def generate(*, seed: int, out: Path, jobs: int, progress: Callable[[int, int], None]) -> None:
    """Write `blocks-public.zip`, `blocks-hidden.zip` and `submissions/*.zip` below ``out``; the same for the same seed.

    ``progress`` is called with pictures done and to do. Raises RendererMissingError when Mitsuba is not installed.
    """
    mitsuba()
    plan = plan_benchmark(seed)
    pictures = _pictures(plan)
    images: dict[str, Pixels] = {}
    progress(0, len(pictures))
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(_rendered, picture) for picture in pictures]
        for done in as_completed(waiting):
            name, image = done.result()
            images[name] = image
            progress(len(images), len(pictures))
    pack(plan, images, out, seed=seed)


def _pictures(plan: list[PlannedSample]) -> list[_Picture]:
    """Every picture once, those of a scene in a row."""
    pictures: dict[str, _Picture] = {}
    for sample in plan:
        task = sample.task
        for maker, (name, scene) in enumerate(
            (
                (f"original/{sample.scene.name}", sample.scene),
                (f"truth/{sample.id}", task.goal),
                (f"perfect/{sample.id}", task.goal),
                (f"noisy/{sample.id}", task.noisy),
                (f"wrong-object/{sample.id}", task.misdirected),
            )
        ):
            pictures[name] = _Picture(name, scene, max(0, maker - 1))
    return list(pictures.values())


def _rendered(picture: _Picture) -> tuple[str, Pixels]:
    return picture.name, render(picture.scene, seed=(picture.scene.look + picture.maker) % 2**31)


def pack(plan: Sequence[PlannedSample], images: Mapping[str, Pixels], out: Path, *, seed: int) -> None:
    """Write all zips from rendered images, named `original/<scene>`, `truth/<sample>` and `<editor>/<sample>`."""
    originals = {sample.scene.name: images[f"original/{sample.scene.name}"] for sample in plan}
    public = {f"originals/{name}.webp": webp(image) for name, image in originals.items()}
    write_zip(out / "blocks-public.zip", {**public, "benchmark.json": as_json(manifest_of(plan))})
    edits = {f"gt/{sample.id}.webp": webp(images[f"truth/{sample.id}"]) for sample in plan}
    write_zip(out / "blocks-hidden.zip", {**edits, "truth.json": as_json(truth_of(plan))})
    for editor in EDITORS:
        files = {
            f"{subset_of(sample.scene.kind)}/{sample.id}.webp": _submitted(editor, sample, images, seed=seed + number)
            for number, sample in enumerate(plan)
        }
        write_zip(out / "submissions" / f"{editor}.zip", files)


def _submitted(editor: str, sample: PlannedSample, images: Mapping[str, Pixels], *, seed: int) -> bytes:
    """What an editor hands in for one sample, encoded anew as editors do."""
    if editor == "nothing":
        return webp(images[f"original/{sample.scene.name}"], quality=90)
    image = images[f"{editor}/{sample.id}"]
    if editor == "noisy":
        return webp(_roughened(image, seed=seed), quality=80)
    return webp(image, quality=90)


def _roughened(image: Pixels, *, seed: int) -> Pixels:
    """A little soft and grainy, as generated images are."""
    soft = cv2.GaussianBlur(image, (0, 0), _SOFTNESS_PIXELS).astype(np.float64)
    grain = np.random.default_rng(seed).normal(0, _NOISE_LEVELS, image.shape)
    return np.clip(np.round(soft + grain), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class FreshScene:
    """A picture that no benchmark holds, with what is truly in it; for accuracy studies."""

    image: Pixels
    camera: Camera
    labels: list[str]
    boxes: list[PlacedBox]


def fresh_scene(seed: int, kind: Kind, *, blocks: int = 5, twins: int = 1, scale: float = 1.0) -> FreshScene:
    """A new scene, rendered at ``scale`` times the usual size. Raises RendererMissingError where Mitsuba is missing."""
    rng = np.random.default_rng([seed, 0xF2E5])
    scene = sample_scene(rng, name=f"fresh-{kind}-{seed}", kind=kind, count=blocks, twins=twins)
    image = render(scene, seed=seed, scale=scale)
    return FreshScene(image, scene.camera, [block.label for block in scene.blocks], scene.boxes())
