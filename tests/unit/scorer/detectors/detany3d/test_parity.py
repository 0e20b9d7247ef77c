from __future__ import annotations

import numpy as np
import pytest
import torch

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.detectors.detany3d import parity
from scorer.detectors.detany3d.parity import BOXES, IMAGE, INTRINSICS, bound_of, part_of
from scorer.errors import ScorerError
from tests.unit.scorer.detectors.detany3d.making import boxes_of, image_of, reference_from

VALUES = {"a__map": torch.arange(2 * 12 * 8 * 16).view(2, 12, 8, 16).float(), "b": torch.arange(6.0).view(2, 3)}
WHOLE = VALUES["a__map"].numpy()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a__map", WHOLE),
        ("a__map", WHOLE.transpose(0, 3, 1, 2)),
        ("a__map", WHOLE.reshape(2, 96, 16)),
        ("a__map__sub", WHOLE[:, ::4, ::4, ::8]),
        ("a__map__sub", WHOLE.transpose(0, 3, 1, 2)[:, ::2, ::8, ::4]),
        ("a__map__every_4th_channel", WHOLE[:, ::4]),
        ("a__map_23", WHOLE[:, :, 2, 3]),
        ("b", np.arange(6).reshape(2, 3)),
    ],
)
def test_a_part_is_found_by_its_name_and_shape(name, wanted):
    np.testing.assert_array_equal(part_of(name, wanted.shape, VALUES), wanted)


@pytest.mark.parametrize(
    ("name", "shape"), [("c", (2, 3)), ("b", (3, 2)), ("b_00", (2,)), ("a__map__sub", (2, 5, 8, 16))]
)
def test_what_is_not_computed_has_no_part(name, shape):
    assert part_of(name, shape, VALUES) is None


def test_bounds_are_those_of_the_specification_and_grow_with_larger_values():
    assert bound_of("image_embeddings__every_16th_channel", np.full(3, 4.0)) == 1e-4
    assert bound_of("bboxes_2d", np.full(3, 970.0)) == bound_of("pred_K", np.full(3, 970.0)) == 2e-3
    assert bound_of("bboxes_3d", np.full(3, 5.0)) == bound_of("rot_mat", np.zeros((0, 3, 3))) == 1e-4
    assert bound_of("inter3__f3", np.full(3, -60.0)) == pytest.approx(1e-3)
    assert bound_of("in__batch_boxes", np.full(3, 800.0)) == 0


def row(expected, ours, name="x"):
    reference = parity.reference_of({BOXES: np.zeros((1, 4)), name: expected}, seed=0)
    (found,) = parity.compare(reference, {name: torch.as_tensor(ours)})
    return found


def test_a_difference_within_the_bound_passes_and_one_beyond_fails():
    assert row(np.ones(3), np.ones(3) + 5e-5).passed
    beyond = row(np.ones(3), np.ones(3) + 2e-4)
    assert not beyond.passed
    assert beyond.worst == pytest.approx(2e-4, rel=1e-2)


@pytest.mark.parametrize(
    ("expected", "ours"),
    [
        (np.ones(3), np.array([1, np.nan, 1])),
        (np.array([1, np.nan, 1]), np.ones(3)),
        (np.array([1, np.inf, 1]), np.array([1, np.inf, 1])),
        (np.ones(3), np.ones(4)),
        (np.array(["a"]), np.ones(1)),
    ],
    ids=["ours not a number", "theirs not a number", "infinite", "another shape", "no numbers"],
)
def test_what_cannot_be_compared_fails(expected, ours):
    assert not row(expected, ours).passed


@pytest.mark.parametrize("size", [(200, 300), (300, 200), (250, 250)], ids=str)
@pytest.mark.parametrize("count", [0, 5])
def test_files_of_every_orientation_and_number_of_boxes_are_compared_array_by_array(size, count, narrow):
    reference = reference_from(narrow, image=image_of(*size), boxes=boxes_of(count))
    rows = parity.check(narrow, reference)
    assert all(one.passed for one in rows)
    assert {one.name for one in rows} == reference.expected.keys()


def save(path, **arrays):
    plain = {IMAGE: np.zeros((8, 8, 3), np.uint8), BOXES: np.zeros((1, 4), "f4"), INTRINSICS: np.eye(3)}
    np.savez(path, **{name: one for name, one in (plain | arrays).items() if one is not None})
    return path


@pytest.mark.parametrize(
    ("name", "arrays", "seed"),
    [("x.npz", {}, 0), ("tiny_seed7_720x1280.npz", {}, 7), ("seed7.npz", {"seed": np.array(3)}, 3)],
)
def test_the_seed_is_what_the_file_says_then_its_name(name, arrays, seed, tmp_path):
    assert parity.read(save(tmp_path / name, **arrays)).seed == seed
    assert parity.read(tmp_path / name, seed=11).seed == 11


@pytest.mark.parametrize("broken", [{IMAGE: None}, {IMAGE: np.zeros((8, 8, 3))}, {BOXES: np.zeros((2, 3))}], ids=str)
def test_a_file_without_usable_inputs_is_refused_by_their_name(broken, tmp_path):
    (name,) = broken
    with pytest.raises(ScorerError, match=f"needs {name}"):
        parity.read(save(tmp_path / "x.npz", **broken))


def test_a_file_that_is_none_is_refused(tmp_path, capsys):
    (tmp_path / "x.npz").write_bytes(b"PK nothing of the kind")
    assert main(["parity", "detany3d", str(tmp_path / "x.npz")]) == ExitCode.DEFECT
    assert "cannot be read as a file of reference values" in capsys.readouterr().err
    assert main(["parity", "detany3d", str(tmp_path / "none.npz")]) == ExitCode.DEFECT
