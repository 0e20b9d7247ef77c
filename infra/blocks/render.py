"""Pictures of scenes by Mitsuba 3 (optional extra `blocks`), on the CPU, the same for the same seed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from infra.blocks.denoise import Array, Guides, denoised
from infra.blocks.scene import HEIGHT, WIDTH, Block, Scene
from infra.blocks.surroundings import Surroundings, Thing, surroundings_of
from infra.blocks.textures import Pixels
from scorer.blocks.world import COLOURS, MARKER_COLOUR, MARKER_X, MARKER_Z, yaw_matrix

if TYPE_CHECKING:
    from types import ModuleType

_MARKER_THICKNESS = 0.004  # of the block's height
_VARIANT = "scalar_rgb"
_SUN_DISTANCE = 60.0


class RendererMissingError(RuntimeError):
    """Mitsuba is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "Rendering needs Mitsuba 3: install the extra `blocks` (uv pip install --editable '.[blocks]')."
        )


def mitsuba() -> ModuleType:
    """The renderer, on its scalar CPU variant. Raises RendererMissingError."""
    try:
        mi = import_module("mitsuba")
    except ImportError as error:
        raise RendererMissingError from error
    if mi.variant() != _VARIANT:
        mi.set_variant(_VARIANT)
    return mi


def render(scene: Scene, *, seed: int, samples: int = 9, scale: float = 1.0) -> Pixels:
    """The scene as the camera sees it, (384, 512, 3) uint8 sRGB, or ``scale`` times that size.

    ``samples`` per pixel for each of the two lights; ``seed`` chooses them. Light is direct only: coloured light that
    blocks throw on the ground would blur their outlines, and a path of one bounce has hardly any noise.
    """
    mi = mitsuba()
    place = surroundings_of(scene.look, scene.kind)
    shapes = _place_shapes(mi, scene, place)
    for index, block in enumerate(scene.blocks):
        shapes |= _block_shapes(mi, scene, block, index)
    shapes["sensor"] = _sensor(mi, scene, round(WIDTH * scale), round(HEIGHT * scale), samples)
    sky = {"type": "constant", "radiance": {"type": "rgb", "value": list(place.sky)}}
    light = _lit(mi, shapes | {"light": _sun(mi, scene, place)}, seed=seed, by="emitter_samples")
    light = light + _lit(mi, shapes | {"light": sky}, seed=seed, by="bsdf_samples")
    return _srgb(denoised(light, _guides(mi, shapes, scene, seed=seed)))


def _lit(mi: ModuleType, parts: dict[str, Any], *, seed: int, by: str) -> Array:
    """Linear light (h, w, 3) of one lamp, sampled in the one way that has no noise where nothing stands before it."""
    direct = {"type": "direct", "hide_emitters": True, "emitter_samples": 0, "bsdf_samples": 0} | {by: 1}
    picture = mi.render(mi.load_dict({"type": "scene", "integrator": direct} | parts), seed=seed)
    return np.asarray(picture, dtype=np.float32)[..., :3]


def _guides(mi: ModuleType, parts: dict[str, Any], scene: Scene, *, seed: int) -> Guides:
    """What the same seed's rays hit."""
    aovs = {"type": "aov", "aovs": "albedo:albedo,normal:sh_normal,position:position"}
    channels = np.asarray(mi.render(mi.load_dict({"type": "scene", "integrator": aovs} | parts), seed=seed))
    albedo, normal, position = (channels[..., i : i + 3].astype(np.float32) for i in (0, 3, 6))
    origin = np.array([scene.pose.x, 0, scene.pose.z], dtype=np.float32)
    return Guides(albedo=albedo, normal=normal, position=position - origin)


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
        "film": {"type": "hdrfilm", "width": width, "height": height, "rfilter": {"type": "box"}},
        "sampler": {"type": "multijitter", "sample_count": samples},
    }


def _block_shapes(mi: ModuleType, scene: Scene, block: Block, index: int) -> dict[str, Any]:
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


def _place_shapes(mi: ModuleType, scene: Scene, place: Surroundings) -> dict[str, Any]:
    ground, far = scene.camera.height, place.ground_depth
    half_wide, half_deep = 9.0, far  # a rectangle from behind the camera to the far edge
    bitmap = mi.Bitmap(np.ascontiguousarray(place.ground))
    repeat = mi.ScalarTransform4f().scale([2 * half_wide / place.ground_metres, 2 * half_deep / place.ground_metres, 1])
    surface = {
        "type": "diffuse",
        "reflectance": {"type": "bitmap", "bitmap": bitmap, "filter_type": "bilinear", "to_uv": repeat},
    }
    flat = (
        mi.ScalarTransform4f().translate([0, ground, 0])
        @ mi.ScalarTransform4f().rotate([1, 0, 0], 90)
        @ mi.ScalarTransform4f().scale([half_wide, half_deep, 1])
    )
    shapes: dict[str, Any] = {"ground": {"type": "rectangle", "to_world": flat, "bsdf": surface}}
    for number, thing in enumerate(place.things):
        shapes |= _thing_shapes(mi, thing, ground, f"thing_{number}")
    return shapes


def _thing_shapes(mi: ModuleType, thing: Thing, ground: float, name: str) -> dict[str, Any]:
    x, y, z = thing.centre
    surface = _diffuse((thing.grey * (1 + thing.warmth), thing.grey, thing.grey * (1 - thing.warmth)))
    if thing.shape == "box":
        return {name: _cuboid(mi, (x, ground + y, z), np.eye(3), thing.size, surface)}
    top, radius = ground + y - thing.size[1] / 2, thing.size[0] / 2
    lid = (
        mi.ScalarTransform4f().translate([x, top, z])
        @ mi.ScalarTransform4f().rotate([1, 0, 0], 90)
        @ mi.ScalarTransform4f().scale([radius, radius, 1])
    )
    foot = [x, top + thing.size[1], z]
    return {
        name: {"type": "cylinder", "p0": foot, "p1": [x, top, z], "radius": radius, "bsdf": surface},
        f"{name}_lid": {"type": "disk", "to_world": lid, "bsdf": surface},
    }


def _sun(mi: ModuleType, scene: Scene, place: Surroundings) -> dict[str, Any]:
    """A far disk whose light on a level white surface is ``place.sun``."""
    target = np.array([0.0, scene.camera.height, 3.0 if scene.kind == "room" else 0.9])
    origin = target + _SUN_DISTANCE * np.array(place.to_sun)
    radius = _SUN_DISTANCE * place.sun_radius
    solid_angle = np.pi * place.sun_radius**2
    radiance = np.array(place.sun) * np.pi / (solid_angle * -place.to_sun[1])
    aim = mi.ScalarTransform4f().look_at(origin=origin.tolist(), target=target.tolist(), up=[0, 0, 1])
    return {
        "type": "disk",
        "to_world": aim @ mi.ScalarTransform4f().scale([radius, radius, 1]),
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": radiance.tolist()}},
    }


def _cuboid(
    mi: ModuleType, centre: npt.ArrayLike, turn: npt.ArrayLike, size: npt.ArrayLike, surface: dict[str, Any]
) -> dict[str, Any]:
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(turn) * (np.asarray(size, dtype=float) / 2)
    matrix[:3, 3] = np.asarray(centre)
    return {"type": "cube", "to_world": mi.ScalarTransform4f(matrix.tolist()), "bsdf": surface}


def _diffuse(colour: tuple[float, float, float]) -> dict[str, Any]:
    value = _linear(np.clip(np.array(colour) / 255, 0, 1)).tolist()
    return {"type": "diffuse", "reflectance": {"type": "rgb", "value": value}}


def _linear(srgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def _srgb(linear: npt.NDArray[np.floating[Any]]) -> Pixels:
    bounded = np.clip(linear, 0, 1)
    encoded = np.where(bounded <= 0.0031308, 12.92 * bounded, 1.055 * bounded ** (1 / 2.4) - 0.055)
    return np.asarray(np.round(encoded * 255), dtype=np.uint8)
