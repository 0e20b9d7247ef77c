"""Official folders with one small scene: a data set, a model's edited images, recorded detections and judgements."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scorer.official.replies import MARK
from scorer.official.truth import Detection
from tests.conformance.conftest import VECTORS
from tests.unit.scorer.official.scenes import CUP, PLATE, moved, seen, truth

WEIGHTS = VECTORS / "lpips_alex_seeded.npz"
MODEL = "eval/My_Model"


def picture(path: Path, *, seed: int = 0, patch: int = 0) -> None:
    """Coloured noise of 96 x 80 pixels, with a flat patch of some pixels a side."""
    pixels = np.random.default_rng(seed).integers(0, 256, (80, 96, 3), dtype=np.uint8)
    pixels[:patch, :patch] = 128
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, format="PNG")


def record(origin: Iterable[Detection], result: Iterable[Detection]) -> dict[str, Any]:
    def told(found: Iterable[Detection]) -> dict[str, Any]:
        rows = [
            {"bbox_3d": one.box.tolist(), "bbox_2d": one.rectangle.tolist(), "rotation_matrix": np.eye(3).tolist()}
            for one in found
        ]
        return {"detections": rows}

    return {"origin_result": told(origin), "new_result": told(result)}


GOOD = record([seen(PLATE), seen(CUP)], [seen(PLATE), seen(moved(CUP, x=1.0))])
UNCHANGED = record([seen(PLATE), seen(CUP)], [seen(PLATE), seen(CUP)])


def write(
    root: Path,
    *,
    prompts: Mapping[str, str],
    detections: Mapping[str, Any] | None = None,
    scores: Mapping[str, str] | None = None,
) -> None:
    """The scene ``s`` with one edit JSON and one edited image a query; a good move is recorded for every key."""
    data, images = root / "fine_dataset", root / MODEL / "generated_images_fine"
    picture(data / "s.png")
    images.mkdir(parents=True)
    for query, prompt in prompts.items():
        (data / f"s_edit_{query}.json").write_text(json.dumps(truth(prompt).fields))
        picture(images / f"s_edit_{query}.png", patch=8)
    cache = root / MODEL / "fine_eval" / "infer_cache.json"
    cache.parent.mkdir()
    cache.write_text(json.dumps({f"s_{query}": GOOD for query in prompts} | dict(detections or {})))
    replies = dict.fromkeys(prompts, "9") | dict(scores or {})
    judged = [
        {"meta": {"index": f"s_edit_{query}"}, "prediction": f'{MARK}{{"score": {score}}}{MARK}'}
        for query, score in replies.items()
    ]
    (root / "judged").mkdir()
    (root / "judged" / "predictions_fine_MyModel.json").write_text(json.dumps(judged))


def arguments(root: Path) -> list[str]:
    """The command line for those folders."""
    return [
        "official",
        *("--dataset", f"fine={root / 'fine_dataset'}", "--model", str(root / MODEL)),
        *("--judgements", str(root / "judged"), "--weights", str(WEIGHTS), "--out", str(root / "out")),
    ]
