"""Pictures of scenes by Mitsuba 3 (optional extra `blocks`), on the CPU, the same for the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from infra.blocks.scene import HEIGHT, WIDTH, Block, Scene
from infra.blocks.textures import Look, look_of
from scorer.blocks.world import COLOURS, MARKER_COLOUR, MARKER_X, MARKER_Z, yaw_matrix

if TYPE_CHECKING:
    from types import ModuleType

Pixels = npt.NDArray[np.uint8]
_MARKER_THICKNESS = 0.004  # of the block's height
_VARIANT = "scalar_rgb"


class RendererMissingError(RuntimeError):
    """Mitsuba is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Rendering needs Mitsuba 3: install the extra `blocks` (uv pip install --editable '.[blocks]')."
        )


def mitsuba() -> ModuleType:
    """The renderer, on its scalar CPU variant. Raises RendererMissingError."""
    try:
        import mitsuba as mi
    except ImportError as error:
        raise RendererMissingError from error
    if mi.variant() != _VARIANT:
        mi.set_variant(_VARIANT)
    return mi


def render(scene: Scene, *, seed: int, samples: int = 36, scale: float = 1.0) -> Pixels:
    """The scene as the camera sees it, (384, 512, 3) uint8 sRGB, or ``scale`` times that size."""
    mi = mitsuba()
    width, height = round(WIDTH * scale), round(HEIGHT * scale)
    described = {"type": "scene", "integrator": {"type": "path", "max_depth": 2, "hide_emitters": True}}
    described |= _surroundings(mi, scene, look_of(scene.look, scene.kind))
    described["sensor"] = _sensor(mi, scene, width, height, samples)
    for index, block in enumerate(scene.blocks):
        described |= _block(mi, scene, block, index)
    linear = np.asarray(mi.render(mi.load_dict(described), seed=seed, spp=samples))
    # Every pixel has its own random sequence: what an edit does not touch keeps even its noise.
    return np.asarray(cv2.fastNlMeansDenoisingColored(_srgb(linear), None, 2, 2, 5, 13), dtype=np.uint8)


def _sensor(mi: ModuleType, scene: Scene, width: int, height: int, samples: int) -> dict[str, Any]:
    camera, pose = scene.camera, scene.pose
    forward = yaw_matrix(pose.pan) @ [0.0, np.sin(camera.pitch), np.cos(camera.pitch)]
    origin = np.array([pose.x, 0.0, pose.z])
    look = mi.ScalarTransform4f().look_at(origin=origin.tolist(), target=(origin + forward).tolist(), up=[0, -1, 0])
    return {
        "type": "perspective",
        "fov": float(np.degrees(2 * np.arctan(WIDTH / 2 / camera.intrinsics[0, 0]))),
        "fov_axis": "x",
        "near_clip": 0.01,
        "to_world": look,
        "film": {"type": "hdrfilm", "width": width, "height": height, "rfilter": {"type": "tent"}},
        "sampler": {"type": "multijitter", "sample_count": samples},
    }


def _block(mi: ModuleType, scene: Scene, block: Block, index: int) -> dict[str, Any]:
    w, h, length = block.size
    centre = np.array([block.x, scene.camera.height - h / 2, block.z])
    thickness = _MARKER_THICKNESS * h
    marker_size = ((MARKER_X[1] - MARKER_X[0]) * w, thickness, (MARKER_Z[1] - MARKER_Z[0]) * length)
    marker_at = (sum(MARKER_X) / 2 * w, -h / 2 - thickness / 2, sum(MARKER_Z) / 2 * length)
    turn = yaw_matrix(block.yaw)
    return {
        f"block_{index}": _cuboid(mi, centre, turn, block.size, _diffuse(COLOURS[block.colour])),
        f"marker_{index}": _cuboid(mi, centre + turn @ marker_at, turn, marker_size, _diffuse(MARKER_COLOUR)),
    }


def _cuboid(
    mi: ModuleType, centre: npt.ArrayLike, turn: npt.ArrayLike, size: npt.ArrayLike, surface: dict[str, Any]
) -> dict[str, Any]:
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(turn) * (np.asarray(size, dtype=float) / 2)
    matrix[:3, 3] = np.asarray(centre)
    return {"type": "cube", "to_world": mi.ScalarTransform4f(matrix.tolist()), "bsdf": surface}


def _diffuse(colour: tuple[float, float, float]) -> dict[str, Any]:
    return {"type": "diffuse", "reflectance": {"type": "rgb", "value": _linear(np.array(colour) / 255).tolist()}}


def _textured(mi: ModuleType, image: Pixels, repeats: float) -> dict[str, Any]:
    bitmap = mi.Bitmap(np.ascontiguousarray(image))
    repeat = mi.ScalarTransform4f().scale([repeats, repeats, 1])
    texture = {"type": "bitmap", "bitmap": bitmap, "filter_type": "bilinear", "to_uv": repeat}
    return {"type": "diffuse", "reflectance": texture}


def _surroundings(mi: ModuleType, scene: Scene, look: Look) -> dict[str, Any]:
    """Ground, walls and light. Everything is pale or grey: only blocks are saturated."""
    still = np.eye(3)
    ground = scene.camera.height
    unit = 1.0 if scene.kind == "room" else 0.25
    far, wide = look.wall_distance, 12 * unit
    flat = mi.ScalarTransform4f().rotate([1, 0, 0], 90)
    parts: dict[str, Any] = {
        "sky": {"type": "constant", "radiance": {"type": "rgb", "value": look.ambient}},
        "lamp": {
            "type": "rectangle",
            "to_world": mi.ScalarTransform4f().look_at(
                origin=[look.lamp_x * unit, -2.2 * unit, 0.8 * unit], target=[0, ground, 3.2 * unit], up=[0, 0, 1]
            )
            @ mi.ScalarTransform4f().scale([1.1 * unit, 1.1 * unit, 1]),
            "emitter": {"type": "area", "radiance": {"type": "rgb", "value": look.lamp}},
        },
        "ground": {
            "type": "rectangle",
            "to_world": mi.ScalarTransform4f().translate([0, ground, 0])
            @ flat
            @ mi.ScalarTransform4f().scale([wide, wide, 1]),
            "bsdf": _textured(mi, look.ground, wide / look.ground_metres / unit),
        },
        "wall": _cuboid(mi, [0, ground - 2 * unit, far + 0.1], still, [40 * unit, 8 * unit, 0.2], _diffuse(look.wall)),
        "skirting": _cuboid(
            mi,
            [0, ground - 0.05 * unit, far - 0.01 * unit],
            still,
            [40 * unit, 0.1 * unit, 0.03 * unit],
            _diffuse(look.skirting),
        ),
    }
    if look.side_wall is not None:
        side = look.side_wall * unit
        parts["side"] = _cuboid(
            mi, [side, ground - 2 * unit, 0], still, [0.2, 8 * unit, 40 * unit], _diffuse(look.wall)
        )
    return parts


def _linear(srgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _srgb(linear: npt.NDArray[np.floating[Any]]) -> Pixels:
    bounded = np.clip(linear, 0, 1)
    encoded = np.where(bounded <= 0.0031308, 12.92 * bounded, 1.055 * bounded ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(encoded * 255), dtype=np.uint8)
