"""The benchmark's files: public manifest, hidden truth, images, as zips that are the same for the same content."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from infra.blocks.plan import KINDS, PlannedSample, subset_of
from infra.blocks.scene import HEIGHT, WIDTH, Scene
from infra.blocks.textures import Pixels
from scorer.contract import BenchmarkManifest, Truth

QUALITY = 92
_TIMESTAMP = (2026, 1, 1, 0, 0, 0)
_DECIMALS = 6
_DESCRIPTION = (
    "A small benchmark in the manner of GSI-Syn: rendered tabletop and room scenes of coloured cuboids with exact "
    "geometry. It is scored by a detector and a judge that need no downloads; its numbers cannot be compared with "
    "those of GSI-Bench."
)


def webp(image: Pixels, *, quality: int = QUALITY) -> bytes:
    """An image as WebP."""
    out = io.BytesIO()
    Image.fromarray(image).save(out, "WEBP", quality=quality, method=6)
    return out.getvalue()


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """A zip whose bytes depend on names and contents alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_TIMESTAMP)
            entry.external_attr = 0o644 << 16
            packed = not name.endswith(".webp")  # images are compressed already
            entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            archive.writestr(entry, files[name], compresslevel=9 if packed else None)


def manifest_of(plan: Sequence[PlannedSample]) -> dict[str, Any]:
    """The public manifest (checked against the contract): nothing in it tells where anything is."""
    manifest = {
        "schema": "gsi-benchmark/1",
        "benchmark": "blocks",
        "title": "Blocks",
        "description": _DESCRIPTION,
        "license": "CC0-1.0",
        "protocol": "gsi-fair-1",
        "beside": ["gsi-official-1"],
        "detector": "blocks-detector-1",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
        "subsets": [
            {
                "id": subset_of(kind),
                "title": f"Blocks {kind.title()}",
                "samples": sum(sample.scene.kind == kind for sample in plan),
            }
            for kind in KINDS
            if any(sample.scene.kind == kind for sample in plan)
        ],
        "samples": [_public_sample(sample) for sample in plan],
    }
    BenchmarkManifest.model_validate(manifest)
    return manifest


def _public_sample(sample: PlannedSample) -> dict[str, Any]:
    scene, task = sample.scene, sample.task
    return {
        "id": sample.id,
        "subset": subset_of(scene.kind),
        "scene": scene.name,
        "operation": task.operation,
        "difficulty": sample.difficulty,
        "instruction": task.instruction,
        "target": task.target,
        "original": f"originals/{scene.name}.webp",
        "width": WIDTH,
        "height": HEIGHT,
        "camera": {
            "intrinsics": _numbers(scene.camera.intrinsics),
            "pitch": round(scene.camera.pitch, _DECIMALS),
            "height": round(scene.camera.height, _DECIMALS),
        },
    }


def truth_of(plan: Sequence[PlannedSample]) -> dict[str, Any]:
    """The hidden truth (checked against the contract)."""
    truth = {"schema": "gsi-truth/1", "samples": {sample.id: _hidden_sample(sample) for sample in plan}}
    Truth.model_validate(truth)
    return truth


def _hidden_sample(sample: PlannedSample) -> dict[str, Any]:
    task = sample.task
    objects, new_objects = _objects(sample.scene), _objects(task.goal)
    hidden: dict[str, Any] = {
        "prompt": task.instruction,
        "target": task.target,
        "camera_intrinsics": _numbers(sample.scene.camera.intrinsics),
        "target_index": task.target_index,
        "objects": objects,
        "new_objects": new_objects,
        "gt_image": f"gt/{sample.id}.webp",
    }
    if task.target_index is not None:
        before = objects[task.target_index]
        hidden |= {"original_bbox_3d": before["bbox_3d"], "rotation_matrix": before["rotation_matrix"]}
        if task.operation != "remove":
            after = new_objects[task.target_index]
            hidden |= {"new_bbox_3d": after["bbox_3d"], "new_rotation_matrix": after["rotation_matrix"]}
    return hidden


def _objects(scene: Scene) -> list[dict[str, Any]]:
    return [
        {
            "label": block.label,
            "bbox_3d": _numbers(box.bbox_3d),
            "rotation_matrix": _numbers(box.rotation_matrix),
        }
        for block, box in zip(scene.blocks, scene.boxes(), strict=True)
    ]


def as_json(value: Mapping[str, Any]) -> bytes:
    """Readable JSON, the same for the same value."""
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def _numbers(array: Any) -> Any:
    return np.round(np.asarray(array, dtype=float), _DECIMALS).tolist()
