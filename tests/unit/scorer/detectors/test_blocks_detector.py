import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.blocks.world import COLOURS, wrap_angle
from scorer.detectors.blocks import BlocksDetector
from scorer.detectors.port import Detection, Image
from tests.unit.scorer.blocks.drawing import Cuboid, Scene, draw, random_scene, room_camera, tabletop_camera

DETECTOR = BlocksDetector()
CUBOID = Cuboid("red", 0.05, 0.9, 0.6, (0.1, 0.07, 0.06))


def detect(image: Image, target: str = "*", *, camera=None) -> list[Detection]:
    return DETECTOR.detect(image=image, target=target, camera=(camera or tabletop_camera()).data)


def jpeg(image: Image, quality: int) -> Image:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def nearest(detections: list[Detection], cuboid: Cuboid, scene: Scene) -> Detection:
    centre = cuboid.box(scene.camera).bbox_3d[:3]
    same = [found for found in detections if found.label == cuboid.colour]
    assert same, f"nothing {cuboid.colour} was found"
    return min(same, key=lambda found: float(np.linalg.norm(found.bbox_3d[:3] - centre)))


class Errors:
    """Largest errors over the objects of a scene; a lost or an invented object fails at once."""

    def __init__(self, scene: Scene, detections: list[Detection]) -> None:
        assert len(detections) == len(scene.cuboids)
        pairs = [(cuboid.box(scene.camera), nearest(detections, cuboid, scene)) for cuboid in scene.cuboids]
        self.centre = max(float(np.linalg.norm(box.bbox_3d[:3] - found.bbox_3d[:3])) for box, found in pairs)
        self.size = max(float(np.abs(found.bbox_3d[3:6] / box.bbox_3d[3:6] - 1).max()) for box, found in pairs)
        turns = [wrap_angle(float(found.bbox_3d[6] - box.bbox_3d[6])) for box, found in pairs]
        self.degrees = float(np.degrees(np.abs(turns).max()))
        self.rotation = max(float(np.abs(found.rotation_matrix - box.rotation_matrix).max()) for box, found in pairs)


@pytest.mark.parametrize("seed", range(6))
def test_tabletop_cuboids_are_found_to_millimetres(seed):
    scene = random_scene(np.random.default_rng(seed), room=False)
    errors = Errors(scene, detect(draw(scene, seed=seed), camera=scene.camera))
    assert errors.centre < 0.005
    assert errors.size < 0.06
    assert errors.degrees < 3
    assert errors.rotation < 0.06


@pytest.mark.parametrize("seed", range(6))
def test_room_cuboids_are_found_to_centimetres(seed):
    scene = random_scene(np.random.default_rng(seed), room=True)
    errors = Errors(scene, detect(draw(scene, seed=seed), camera=scene.camera))
    assert errors.centre < 0.03
    assert errors.size < 0.06
    assert errors.degrees < 3


@pytest.mark.parametrize("seed", range(4))
def test_compression_and_noise_cost_little_accuracy(seed):
    scene = random_scene(np.random.default_rng(seed), room=False)
    errors = Errors(scene, detect(jpeg(draw(scene, noise=4, blur=0.8, seed=seed), 75), camera=scene.camera))
    assert errors.centre < 0.012
    assert errors.degrees < 8


@pytest.mark.parametrize("quarter", range(8))
def test_the_front_is_told_from_the_back_and_the_sides(quarter):
    cuboid = replace(CUBOID, yaw=wrap_angle(0.3 + quarter * np.pi / 4))
    (found,) = detect(draw(Scene(tabletop_camera(), (cuboid,))))
    assert np.degrees(abs(wrap_angle(float(found.bbox_3d[6] - cuboid.yaw)))) < 3
    assert found.bbox_3d[3] == pytest.approx(0.1, rel=0.06)
    assert found.bbox_3d[5] == pytest.approx(0.06, rel=0.06)


def test_only_the_colour_that_was_asked_for_is_found_under_the_name_that_was_asked_for():
    scene = Scene(tabletop_camera(), (CUBOID, replace(CUBOID, colour="blue", x=-0.2)))
    image = draw(scene)
    assert [found.label for found in detect(image, "blue block")] == ["blue block"]
    assert [found.label for found in detect(image, "green block")] == []
    assert [found.label for found in detect(image, "teapot")] == []
    assert sorted(found.label for found in detect(image, "")) == ["blue", "red"]


def test_two_objects_of_one_colour_are_two_detections():
    scene = Scene(tabletop_camera(), (CUBOID, replace(CUBOID, x=-0.2, yaw=-1.0)))
    assert len(detect(draw(scene), "red block")) == 2


@pytest.mark.parametrize(
    ("x", "z", "yaw"), [(0.16, 0.0, -0.5), (0.14, 0.02, 1.2), (-0.03, 0.1, 0.9), (0.15, -0.1, 2.0)]
)
def test_two_objects_of_one_colour_that_touch_in_the_image_are_still_two(x, z, yaw):
    other = replace(CUBOID, x=x, z=0.9 + z, yaw=yaw, size=(0.08, 0.06, 0.07))
    scene = Scene(tabletop_camera(), (CUBOID, other))
    assert Errors(scene, detect(draw(scene))).centre < 0.01


def test_the_box_in_the_image_surrounds_the_object():
    (found,) = detect(draw(Scene(tabletop_camera(), (CUBOID,)), noise=0))
    picture = draw(Scene(tabletop_camera(), (CUBOID,)), noise=0)
    empty = draw(Scene(tabletop_camera(), ()), noise=0)
    ys, xs = np.nonzero(np.abs(picture.astype(int) - empty).max(axis=2) > 40)
    assert found.bbox_2d == pytest.approx([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], abs=1.5)


def test_an_object_without_a_marker_is_less_certain():
    scene = Scene(tabletop_camera(), (CUBOID,))
    image = draw(scene)
    (marked,) = detect(image)
    white = image.min(axis=2) > 120
    x1, y1, x2, y2 = marked.bbox_2d.astype(int)
    inner = np.zeros_like(white)
    inner[y1 + 4 : y2 - 4, x1 + 12 : x2 - 12] = True
    painted = image.copy()
    painted[cv2.dilate((white & inner).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = COLOURS["red"]
    (plain,) = detect(painted)
    assert plain.score < marked.score


def test_an_object_cut_off_by_the_border_is_still_found_with_less_certainty():
    scene = Scene(tabletop_camera(), (replace(CUBOID, x=-0.43),))
    (found,) = detect(draw(scene))
    assert found.score < 0.8
    assert found.bbox_2d[0] >= 0


def test_a_turned_camera_sees_the_same_scene_from_its_own_frame():
    camera = room_camera()
    cuboid = Cuboid("teal", 0.4, 3.4, 0.8, (0.8, 0.6, 0.5))
    pan = np.radians(8)
    x, z = cuboid.x * np.cos(pan) - cuboid.z * np.sin(pan), cuboid.x * np.sin(pan) + cuboid.z * np.cos(pan)
    scene = Scene(camera, (replace(cuboid, x=x, z=z, yaw=cuboid.yaw - pan),))
    errors = Errors(scene, detect(draw(scene), camera=camera))
    assert errors.centre < 0.02


def strange_images() -> dict[str, Image]:
    rng = np.random.default_rng(5)
    hue = np.full((384, 512, 3), 255, dtype=np.uint8)
    hue[..., 0] = np.linspace(0, 179, 512).astype(np.uint8)
    stripes = np.zeros((384, 512, 3), dtype=np.uint8)
    stripes[::8] = stripes[1::8] = stripes[2::8] = (255, 0, 0)
    coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return {
        "noise": rng.integers(0, 256, (384, 512, 3), dtype=np.uint8),
        "confetti": cv2.resize(coarse, (512, 384), interpolation=cv2.INTER_NEAREST),
        "clouds": cv2.resize(coarse, (512, 384), interpolation=cv2.INTER_CUBIC),
        "rainbow": cv2.cvtColor(hue, cv2.COLOR_HSV2RGB),
        "stripes": stripes,
        "black": np.zeros((384, 512, 3), dtype=np.uint8),
        "white": np.full((384, 512, 3), 255, dtype=np.uint8),
        "all red": np.full((384, 512, 3), COLOURS["red"], dtype=np.uint8),
        "one pixel": np.full((1, 1, 3), 200, dtype=np.uint8),
        "a strip": np.full((17, 3000, 3), COLOURS["blue"], dtype=np.uint8),
    }


@pytest.mark.parametrize("camera", [tabletop_camera(), room_camera()], ids=["tabletop", "room"])
@pytest.mark.parametrize("name", list(strange_images()))
def test_any_picture_gives_a_list_of_finite_detections_in_bounded_time(name, camera):
    begin = time.process_time()
    found = detect(strange_images()[name], camera=camera)
    assert time.process_time() - begin < 4
    for one in found:
        assert np.isfinite(one.bbox_3d).all()
        assert np.isfinite(one.rotation_matrix).all()
        assert (one.bbox_2d >= 0).all()
        assert 0 <= one.score <= 1


@settings(max_examples=25, deadline=None)
@given(
    boxes=st.lists(
        st.tuples(
            st.sampled_from(list(COLOURS)),
            st.integers(-40, 520),
            st.integers(-40, 400),
            st.integers(1, 300),
            st.integers(1, 300),
        ),
        max_size=8,
    )
)
def test_any_arrangement_of_coloured_rectangles_is_survived(boxes):
    image = np.full((384, 512, 3), 140, dtype=np.uint8)
    for colour, x, y, width, height in boxes:
        cv2.rectangle(image, (x, y), (x + width, y + height), COLOURS[colour], -1)
    for one in detect(image):
        assert np.isfinite(one.bbox_3d).all()


@pytest.mark.parametrize(
    "wrong", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 4), np.uint8), np.zeros((5, 5, 3), np.float32)]
)
def test_an_array_that_is_no_rgb_image_is_refused(wrong):
    with pytest.raises(ValueError, match="uint8"):
        detect(wrong)


def test_the_same_image_gives_the_same_numbers():
    image = draw(random_scene(np.random.default_rng(2), room=True))
    first, second = detect(image), detect(image)
    assert all(np.array_equal(a.bbox_3d, b.bbox_3d) for a, b in zip(first, second, strict=True))
