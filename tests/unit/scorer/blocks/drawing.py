"""A quick flat-shaded rasteriser of Blocks scenes: exact geometry, simple light. It needs no renderer."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import COLOURS, MARKER_COLOUR, PlacedBox, marker_corners, standing_box, yaw_matrix
from scorer.detectors.port import Image

SUPERSAMPLING = 4
FACES = {
    "top": [(-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)],
    "front": [(-1, -1, -1), (1, -1, -1), (1, 1, -1), (-1, 1, -1)],
    "back": [(-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)],
    "left": [(-1, -1, -1), (-1, -1, 1), (-1, 1, 1), (-1, 1, -1)],
    "right": [(1, -1, -1), (1, -1, 1), (1, 1, 1), (1, 1, -1)],
}
NORMALS = {"top": (0, -1, 0), "front": (0, 0, -1), "back": (0, 0, 1), "left": (-1, 0, 0), "right": (1, 0, 0)}
LIGHT = np.array([-0.45, -0.8, -0.4])


@dataclass(frozen=True)
class Cuboid:
    """A cuboid standing on the ground; metres and radians in the level frame."""

    colour: str
    x: float
    z: float
    yaw: float
    size: tuple[float, float, float]

    def box(self, camera: Camera) -> PlacedBox:
        return standing_box(camera=camera, x=self.x, z=self.z, yaw=self.yaw, size=self.size)

    def moved(self, *, x: float = 0.0, z: float = 0.0, yaw: float = 0.0, factor: float = 1.0) -> Cuboid:
        w, h, length = (factor * v for v in self.size)
        return replace(self, x=self.x + x, z=self.z + z, yaw=self.yaw + yaw, size=(w, h, length))


@dataclass(frozen=True)
class Scene:
    camera: Camera
    cuboids: tuple[Cuboid, ...]
    ground: tuple[int, int, int] = (176, 168, 158)


def tabletop_camera() -> Camera:
    return Camera.of(intrinsics=[[560, 0, 256], [0, 560, 192], [0, 0, 1]], pitch=np.radians(33), height=0.6)


def room_camera() -> Camera:
    return Camera.of(intrinsics=[[480, 0, 256], [0, 480, 192], [0, 0, 1]], pitch=np.radians(27), height=2.2)


def draw(
    scene: Scene,
    *,
    width: int = 512,
    height: int = 384,
    noise: float = 1.5,
    blur: float = 0.5,
    seed: int = 0,
) -> Image:
    """The scene with ``noise`` grey levels of Gaussian noise and ``blur`` pixels of softness."""
    canvas = np.empty((height * SUPERSAMPLING, width * SUPERSAMPLING, 3), dtype=np.float32)
    canvas[:] = linear(scene.ground) * np.linspace(0.8, 1.0, canvas.shape[0], dtype=np.float32)[:, None, None]
    for cuboid in sorted(scene.cuboids, key=lambda c: -np.hypot(c.x, c.z)):
        paint(canvas, scene.camera, cuboid)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    if blur > 0:
        small = cv2.GaussianBlur(small, (0, 0), blur)
    levels = 255 * np.clip(small, 0, 1) ** (1 / 2.2)
    noisy = levels + np.random.default_rng(seed).normal(0, noise, levels.shape)
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def linear(colour: npt.ArrayLike) -> npt.NDArray[np.float32]:
    return ((np.asarray(colour, dtype=np.float32) / 255) ** 2.2).astype(np.float32)


def paint(canvas: npt.NDArray[np.float32], camera: Camera, cuboid: Cuboid) -> None:
    turn = yaw_matrix(cuboid.yaw)
    half = np.array(cuboid.size) / 2
    centre = np.array([cuboid.x, camera.height - half[1], cuboid.z])
    albedo = linear(COLOURS[cuboid.colour])
    for name, corners in FACES.items():
        normal = turn @ np.array(NORMALS[name], dtype=float)
        face = np.array(corners) * half @ turn.T + centre
        if normal @ face.mean(axis=0) >= 0:
            continue
        shade = 0.35 + 0.65 * max(0.0, float(normal @ LIGHT) / float(np.linalg.norm(LIGHT)))
        fill(canvas, camera.project(camera.to_camera(face)), albedo * shade)
        if name == "top":
            marker = marker_corners(cuboid.size) @ turn.T + centre
            fill(canvas, camera.project(camera.to_camera(marker)), linear(MARKER_COLOUR) * shade)


def fill(canvas: npt.NDArray[np.float32], polygon: FloatArray, colour: npt.NDArray[np.float32]) -> None:
    if not np.isfinite(polygon).all():
        return
    # The pixel with index i covers [i, i + 1], OpenCV's vertices sit on pixel centres.
    vertices = np.round((polygon * SUPERSAMPLING - 0.5) * 256).astype(np.int32)
    cv2.fillConvexPoly(canvas, vertices, colour.tolist(), cv2.LINE_8, 8)


def random_scene(rng: np.random.Generator, *, room: bool, count: int = 5) -> Scene:
    """A scene whose cuboids keep the benchmark's guarantees: inside the image and apart from each other."""
    base = room_camera() if room else tabletop_camera()
    camera = replace(base, pitch=base.pitch + rng.uniform(-0.05, 0.05), height=base.height * rng.uniform(0.9, 1.1))
    sizes, distances, sideways = ((0.35, 1.1), (2.6, 4.6), 1.6) if room else ((0.05, 0.13), (0.62, 1.2), 0.4)
    found: list[Cuboid] = []
    taken = np.zeros((384, 512), dtype=np.uint8)
    for _ in range(4000):
        if len(found) == count:
            break
        w, h, length = rng.uniform(*sizes, 3)
        if 0.9 < w / length < 1.1:
            continue
        cuboid = Cuboid(
            colour=str(rng.choice(list(COLOURS))),
            x=rng.uniform(-sideways, sideways),
            z=rng.uniform(*distances),
            yaw=rng.uniform(-np.pi, np.pi),
            size=(w, h, length),
        )
        shape = footprint(camera, cuboid)
        if shape is None or (taken & cv2.dilate(shape, np.ones((13, 13), np.uint8))).any():
            continue
        taken |= shape
        found.append(cuboid)
    return Scene(camera, tuple(found), ground=tuple(int(v) for v in rng.integers(120, 200, 1).repeat(3)))


def footprint(camera: Camera, cuboid: Cuboid) -> npt.NDArray[np.uint8] | None:
    """The silhouette as a mask, or None where the cuboid breaks the benchmark's guarantees."""
    half = np.array(cuboid.size) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = signs * half @ yaw_matrix(cuboid.yaw).T + np.array([cuboid.x, camera.height - half[1], cuboid.z])
    pixels = camera.project(camera.to_camera(corners))
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    if not np.isfinite(pixels).all() or low.min() < 8 or high[0] > 504 or high[1] > 376 or (high - low).max() < 28:
        return None
    mask = np.zeros((384, 512), dtype=np.uint8)
    hull = cv2.convexHull(np.round(pixels).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, 1)
    return mask
