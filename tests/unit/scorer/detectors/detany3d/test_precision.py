from __future__ import annotations

import numpy as np
import pytest
import torch

from scorer.detectors.detany3d import seeded
from scorer.detectors.detany3d.deviation import Deviation, deviation_of
from scorer.detectors.detany3d.model import Boxes
from scorer.detectors.detany3d.precision import FAST, NAMES, PARITY
from tests.unit.scorer.detectors.detany3d.making import INTRINSICS_VALUE, SMALL, boxes_of, image_of

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(scope="module")
def fast():
    return seeded.network(SMALL, seed=0).use(FAST)


def test_a_networks_precision_is_parity_unless_said_otherwise(narrow):
    assert narrow.precision == PARITY


def test_switches_are_set_for_the_while_and_put_back():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    for precision, wanted in ((PARITY, ("highest", False)), (FAST, ("high", True))):
        with precision.active():
            assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == wanted
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


def test_what_only_a_gpu_has_is_off_elsewhere_and_the_record_says_so():
    assert FAST.on(GPU) == FAST
    here = FAST.on(CPU).recorded()
    assert here["autocast"] == "bfloat16"
    assert {here[name] for name in ("tf32", "compiled", "graphs", "on_device")} == {"off"}
    assert PARITY.recorded()["autocast"] == "none"
    assert list(NAMES) == ["parity", "fast"]


def test_the_fast_modes_deviation_on_boxes_is_there_and_bounded(narrow, fast):
    image, boxes = image_of(), boxes_of(8)
    exact, quick = (one.decode(one.encode(image), boxes, INTRINSICS_VALUE) for one in (narrow, fast))
    found = deviation_of(exact, quick)
    assert 0 < found.centre < 0.05
    assert 0 < found.size < 0.05
    assert 0 < found.yaw < 5
    assert 0 < found.rotation < 5
    assert 0 < found.box < 10
    assert 0 < found.focal < 0.05


def test_the_fast_mode_shortens_the_backbones_weights_and_no_others(narrow, fast):
    short = {key for key, value in fast.state_dict().items() if value.dtype == torch.bfloat16}
    assert "sam.image_encoder.blocks.0.attn.qkv.weight" in short
    assert not [key for key in short if "norm" in key or "depth_head" in key or "image_encoder" not in key]
    assert fast.state_dict().keys() == narrow.state_dict().keys()


def test_a_network_whose_weights_were_shortened_cannot_go_back(fast):
    with pytest.raises(ValueError, match="load them again"):
        fast.use(PARITY)


def boxes(**changed):
    plain = {
        "bbox_3d": np.array([[0, 0, 2, 1, 1, 1, 3.1]], "f4"),
        "bbox_2d": np.zeros((1, 4), "f4"),
        "rotation": np.eye(3, dtype="f4")[None],
        "iou": np.ones(1, "f4"),
        "intrinsics": np.diag([500, 500, 1]).astype("f4"),
    }
    return Boxes(**(plain | {name: np.asarray(value, "f4") for name, value in changed.items()}))


def test_a_deviation_is_told_in_the_units_of_boxes():
    turn = np.radians(10)
    turned = [[[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]]
    other = boxes(
        bbox_3d=[[0, 0.1, 2, 1, 1.1, 1, -3.1]],
        bbox_2d=[[0, 0, 0, -3]],
        rotation=turned,
        intrinsics=np.diag([510, 500, 1]),
    )
    found = deviation_of(boxes(), other)
    assert found == pytest.approx(Deviation(0.05, 0.1, np.degrees(2 * np.pi - 6.2), 10, 3, 0.02), rel=1e-4)
    assert deviation_of(boxes(), boxes()) == Deviation(0, 0, 0, 0, 0, 0)
