"""Run folders made of drawn Blocks scenes: a small benchmark, its truth, and submissions edited in stated ways."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from scorer.blocks.camera import Camera
from scorer.blocks.world import PlacedBox
from scorer.detectors.port import Image
from tests.unit.scorer.blocks.drawing import Cuboid, Scene, draw, tabletop_camera

SUBSET = "blocks-tabletop"
WIDTH, HEIGHT = 512, 384

BLOCKS = (
    Cuboid("red", x=-0.22, z=0.80, yaw=0.3, size=(0.07, 0.06, 0.11)),
    Cuboid("blue", x=0.05, z=0.92, yaw=-0.5, size=(0.10, 0.05, 0.07)),
    Cuboid("green", x=0.26, z=0.78, yaw=1.2, size=(0.06, 0.08, 0.10)),
    Cuboid("red", x=0.14, z=1.22, yaw=2.0, size=(0.08, 0.07, 0.12)),
)
TARGET = 0
SCENE = Scene(tabletop_camera(), BLOCKS)
CAMERA_STEP = 0.08


@dataclass(frozen=True)
class Edit:
    """One sample: what is asked, and the true scene after it (in the new camera's level frame)."""

    operation: str
    instruction: str
    after: Scene
    target: int | None = TARGET


def with_target(change: Callable[[Cuboid], Cuboid | None], *, index: int = TARGET) -> Scene:
    changed = [change(block) if i == index else block for i, block in enumerate(BLOCKS)]
    return replace(SCENE, cuboids=tuple(block for block in changed if block is not None))


EDITS: Mapping[str, Edit] = {
    "move": Edit(
        "move", "Move the leftmost red block 10 centimeters to the right", with_target(lambda b: b.moved(x=0.10))
    ),
    "place": Edit(
        "place",
        "Place the leftmost red block 12 centimeters in front of the blue block",
        with_target(lambda b: replace(b, x=0.05, z=0.76)),
    ),
    "rotate": Edit(
        "rotate",
        "Rotate the leftmost red block 60 degrees clockwise",
        with_target(lambda b: b.moved(yaw=np.radians(60))),
    ),
    "scale": Edit("scale", "Make the leftmost red block 1.4 times larger", with_target(lambda b: b.moved(factor=1.4))),
    "remove": Edit("remove", "Remove the leftmost red block", with_target(lambda b: None)),
    "view": Edit(
        "view",
        "Move the camera 8 centimeters to the left",
        replace(SCENE, cuboids=tuple(block.moved(x=CAMERA_STEP) for block in BLOCKS)),
        target=None,
    ),
}
"""One true edit of every operation."""

WRONG: Mapping[str, Scene] = {
    "move": with_target(lambda b: b.moved(x=0.10), index=1),
    "place": with_target(lambda b: b.moved(z=-0.10), index=2),
    "rotate": with_target(lambda b: b.moved(yaw=np.radians(60)), index=2),
    "scale": with_target(lambda b: b.moved(factor=1.4), index=2),
    "remove": with_target(lambda b: None, index=1),
    "view": with_target(lambda b: b.moved(x=0.05), index=2),
}
"""The same acts done to another object."""


def encoded(image: Image, *, format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, format=format, **options)
    return stream.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def benchmark(edits: Mapping[str, Edit] = EDITS) -> dict[str, Any]:
    """The public manifest as plain JSON values."""
    camera = SCENE.camera
    samples = [
        {
            "id": f"scene-00_edit_{name}",
            "subset": SUBSET,
            "scene": "scene-00",
            "operation": edit.operation,
            "difficulty": "easy",
            "instruction": edit.instruction,
            "target": "" if edit.target is None else "red block",
            "original": "originals/scene-00.png",
            "width": WIDTH,
            "height": HEIGHT,
            "camera": {
                "intrinsics": camera.intrinsics.tolist(),
                "pitch": float(camera.pitch),
                "height": float(camera.height),
            },
        }
        for name, edit in edits.items()
    ]
    return {
        "schema": "gsi-benchmark/1",
        "benchmark": "blocks",
        "title": "Blocks",
        "protocol": "gsi-fair-1",
        "detector": "blocks-detector-1",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
        "subsets": [{"id": SUBSET, "title": "Tabletop", "samples": len(samples)}],
        "samples": samples,
    }


def truth(edits: Mapping[str, Edit] = EDITS) -> dict[str, Any]:
    """The hidden part as plain JSON values."""
    return {
        "schema": "gsi-truth/1",
        "samples": {f"scene-00_edit_{name}": _truth_of(name, edit) for name, edit in edits.items()},
    }


def _truth_of(name: str, edit: Edit) -> dict[str, Any]:
    camera = SCENE.camera
    sample: dict[str, Any] = {
        "prompt": edit.instruction,
        "target": "" if edit.target is None else "red block",
        "camera_intrinsics": camera.intrinsics.tolist(),
        "target_index": edit.target,
        "objects": [_object(block, camera) for block in BLOCKS],
        "new_objects": [_object(block, camera) for block in edit.after.cuboids],
        "gt_image": f"gt/scene-00_edit_{name}.png",
    }
    if edit.target is not None:
        before = _object(BLOCKS[edit.target], camera)
        sample |= {"original_bbox_3d": before["bbox_3d"], "rotation_matrix": before["rotation_matrix"]}
    if edit.target is not None and edit.operation != "remove":
        after = _object(edit.after.cuboids[edit.target], camera)
        sample |= {"new_bbox_3d": after["bbox_3d"], "new_rotation_matrix": after["rotation_matrix"]}
    return sample


def _object(block: Cuboid, camera: Camera) -> dict[str, Any]:
    placed: PlacedBox = block.box(camera)
    return {
        "label": f"{block.colour} block",
        "bbox_3d": placed.bbox_3d.tolist(),
        "rotation_matrix": placed.rotation_matrix.tolist(),
    }


def write_run(folder: Path, *, submission: bytes, edits: Mapping[str, Edit] = EDITS) -> Path:
    """A run's input folder with everything that scoring reads."""
    for name in ("originals", "truth/gt"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "originals/scene-00.png").write_bytes(encoded(draw(SCENE)))
    for name, edit in edits.items():
        (folder / f"truth/gt/scene-00_edit_{name}.png").write_bytes(encoded(draw(edit.after, seed=1)))
    manifest = {
        "schema": "gsi-run/1",
        "submission": "submission-1",
        "benchmark": "blocks",
        "benchmark_version": "1",
        "subset": SUBSET,
        "protocol": "gsi-fair-1",
        "detector": "blocks-detector-1",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
        "threads": 1,
        "seed": 0,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "benchmark.json").write_text(json.dumps(benchmark(edits)))
    (folder / "truth/truth.json").write_text(json.dumps(truth(edits)))
    (folder / "submission.zip").write_bytes(submission)
    return folder


def perfect() -> bytes:
    return zipped({f"{SUBSET}/scene-00_edit_{n}.png": encoded(draw(e.after, seed=2)) for n, e in EDITS.items()})


def nothing() -> bytes:
    same = encoded(draw(SCENE))
    return zipped({f"{SUBSET}/scene-00_edit_{name}.png": same for name in EDITS})


def wrong_object() -> bytes:
    return zipped({f"{SUBSET}/scene-00_edit_{n}.png": encoded(draw(s, seed=2)) for n, s in WRONG.items()})
