from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from scorer.detectors.detany3d import config, model, seeded
from scorer.detectors.detany3d.model import DetAny3D
from scorer.detectors.detany3d.preprocess import ImageShapeError
from tests.conformance.conftest import VECTORS
from tests.unit.scorer.detectors.detany3d.making import INTRINSICS_VALUE, SMALL, boxes_of, image_of

PUBLISHED = {
    key: tuple(shape) for key, shape in json.loads((VECTORS / "detany3d" / "state_dict_keys.json").read_text()).items()
}


@pytest.fixture(scope="module")
def encoding(narrow):
    return narrow.encode(image_of())


def test_the_full_network_has_the_published_keys_and_shapes_of_the_way_to_boxes_and_no_others():
    with torch.device("meta"):
        found = {key: tuple(value.shape) for key, value in DetAny3D(config.full()).state_dict().items()}
    assert len(found) == 1568
    assert found.items() <= PUBLISHED.items()
    assert sum(int(np.prod(shape)) for shape in found.values()) == 1_054_982_083


def test_the_published_keys_left_out_serve_masks_points_and_the_depth_map():
    with torch.device("meta"):
        rest = PUBLISHED.keys() - DetAny3D(config.full()).state_dict().keys()
    words = (
        "num_batches_tracked",
        ".norm1.",
        ".norm2.",
        ".norm4.",
        "register_tokens",
        "mask",
        "global_layer.out",
        "ups",
    )
    words += (
        "rays_layers",
        "process_layers",
        "depth_mlp",
        "confidence",
        "to_depth",
        "point",
        "output_",
        "transformer2",
    )
    words += ("iou_prediction_head",)
    assert [key for key in rest if not any(word in key for word in words)] == []


def test_a_boxs_result_does_not_depend_on_the_boxes_beside_it_nor_on_turns(narrow, encoding, monkeypatch):
    boxes = boxes_of(5)
    together = narrow.decode(encoding, boxes, INTRINSICS_VALUE)
    monkeypatch.setattr(model, "BOXES_AT_ONCE", 2)
    apart = narrow.decode(encoding, boxes, INTRINSICS_VALUE)
    np.testing.assert_allclose(together.bbox_3d, apart.bbox_3d, atol=1e-5)
    np.testing.assert_allclose(together.rotation, apart.rotation, atol=1e-5)


@pytest.mark.parametrize("boxes", [np.zeros((0, 4)), []])
@pytest.mark.parametrize("intrinsics", [None, INTRINSICS_VALUE])
def test_no_boxes_give_no_results(boxes, intrinsics, narrow, encoding):
    found = narrow.decode(encoding, boxes, intrinsics)
    shapes = [one.shape for one in (found.bbox_3d, found.bbox_2d, found.rotation, found.iou, found.intrinsics)]
    assert shapes == [(0, 7), (0, 4), (0, 3, 3), (0,), (3, 3)]
    assert len(found) == 0


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (300, 300), (80, 1000)], ids=str)
def test_every_orientation_gives_finite_boxes_and_rotations(size, narrow):
    found = narrow.decode(narrow.encode(image_of(*size)), boxes_of(), INTRINSICS_VALUE)
    assert all(np.isfinite(one).all() for one in (found.bbox_3d, found.bbox_2d, found.rotation, found.iou))
    np.testing.assert_allclose(
        found.rotation @ found.rotation.transpose(0, 2, 1), np.eye(3)[None].repeat(3, 0), atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.det(found.rotation), 1, atol=1e-5)


def test_images_encoded_together_give_what_each_gives_alone(narrow):
    images = [image_of(200, 300, seed=seed) for seed in (0, 1)]
    for image, together in zip(images, narrow.encode_batch(images), strict=True):
        alone = narrow.encode(image)
        torch.testing.assert_close(together.embeddings, alone.embeddings, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(together.control, alone.control, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(together.intrinsics, alone.intrinsics, atol=1e-2, rtol=1e-4)


def test_images_of_several_shapes_are_refused_together(narrow):
    with pytest.raises(ValueError, match="one shape"):
        narrow.encode_batch([image_of(60, 80), image_of(80, 60)])


def test_an_image_of_which_nothing_is_left_on_the_grid_is_refused(narrow):
    with pytest.raises(ImageShapeError, match="2000 x 20 pixels is too elongated"):
        narrow.encode(np.zeros((20, 2000, 3), np.uint8))


def test_an_array_of_another_shape_is_refused_by_its_key():
    with pytest.raises(ValueError, match=r"sam\.image_encoder\.pos_embed must be shaped \(1, 64, 64, 64\)"):
        DetAny3D.filled(config.narrow(), lambda key, shape: torch.zeros(3))


def test_arrays_are_taken_over_and_not_copied():
    given = {}

    def tensor_of(key, shape):
        given[key] = seeded.tensor_of(key, shape, seed=0)
        return given[key]

    network = DetAny3D.filled(SMALL, tensor_of)
    assert all(value.data_ptr() == given[key].data_ptr() for key, value in network.state_dict().items())
