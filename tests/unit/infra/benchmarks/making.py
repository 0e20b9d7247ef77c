"""Small official data set folders with real pictures, and numbers that can be looked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 64, 48
CANARIES = ("0.7316243", "1.9283746", "2.3571113", "0.4142135", "0.9210609")
"""Beginnings of hidden numbers: none of them may ever be seen outside of the hidden part."""

IDENTITY = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
TURNED = [[0.9210609, 0.0, 0.3894183], [0.0, 1.0, 0.0], [-0.3894183, 0.0, 0.9210609]]
BOX = [0.7316243, 0.1, 2.3571113, 0.4142135, 0.3, 0.2, 0.0]
INTRINSICS = [[91.5, 0.0, 32.0], [0.0, 91.5, 24.0], [0.0, 0.0, 1.0]]


def picture(seed: int, *, size: tuple[int, int] = (WIDTH, HEIGHT), mode: str = "RGB") -> Image.Image:
    """A picture that no other seed gives; ``size``: width, height."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


def edit(prompt: str, **fields: Any) -> dict[str, Any]:
    """The edit JSON of a cup; a field that is None is left out."""
    whole = {
        "prompt": prompt,
        "target": "cup",
        "original_bbox_3d": BOX,
        "camera_intrinsics": INTRINSICS,
        "rotation_matrix": IDENTITY,
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


MOVE = edit("Move the cup 30 centimeters to the right.", new_bbox_3d=[1.9283746, *BOX[1:]])
ROTATE = edit("Rotate the cup 23 degrees clockwise.", new_bbox_3d=BOX, new_rotation_matrix=TURNED)
SCALE = edit("Make the cup larger.", new_bbox_3d=[*BOX[:3], 0.8, 0.6, 0.4, 0.0])
REMOVE = edit("Please remove the cup.")
VIEW = edit("Move the camera forward by 0.5 meters.", original_bbox_3d=None, rotation_matrix=None)


def write(folder: Path, name: str, content: dict[str, Any]) -> None:
    """One edit JSON."""
    (folder / name).write_text(json.dumps(content))


def change(folder: Path, name: str, **fields: Any) -> None:
    """Set fields of an edit JSON; None takes one away."""
    content = {**json.loads((folder / name).read_text()), **fields}
    write(folder, name, {field: value for field, value in content.items() if value is not None})


def fine(root: Path) -> Path:
    """Two photographs, four edits, the ids 2 and 10 among them."""
    folder = root / "fine_dataset"
    folder.mkdir(parents=True)
    picture(1).save(folder / "room_frame_10.jpg", quality=95)
    picture(2).save(folder / "room_frame_100.png")
    write(folder, "room_frame_10_edit_10.json", REMOVE)
    write(folder, "room_frame_10_edit_2.json", MOVE)
    write(folder, "room_frame_100_edit_0.json", ROTATE)
    write(folder, "room_frame_100_edit_1.json", SCALE)
    return folder


def robothor(root: Path) -> Path:
    """A rendered room with a change of view, its true edit, and the true edit of a query that begins alike."""
    folder = root / "robothor_dataset"
    folder.mkdir(parents=True)
    picture(3).save(folder / "FloorPlan1.png")
    write(folder, "FloorPlan1_edit_1.json", VIEW)
    write(folder, "FloorPlan1_edit_10.json", MOVE)
    picture(4).save(folder / "FloorPlan1_gtedit_1.png")
    picture(5).save(folder / "FloorPlan1_after_gtedit_10.png")
    return folder
