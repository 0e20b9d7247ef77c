"""DetAny3D against values of the official code, and proof that these values would tell every quirk got wrong.

Each mutation puts one plausible mistake into the network with the references' own weights and must fail in the arrays
that it concerns. The image is encoded once; mutations of what comes later start from there.
Mutations of the encoder are in tests/unit/scorer/detectors/detany3d/test_encoder_mutations.py.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as f

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.detectors.detany3d import camera_depth, config, decode, decoder, parity, prompt, rays, seeded, tracing
from scorer.detectors.detany3d.parity import IMAGE, INTRINSICS, Reference
from scorer.detectors.detany3d.tracing import Seen
from scorer.detectors.detany3d.two_way import Layer
from tests.conformance.conftest import VECTORS

pytestmark = pytest.mark.timeout(1200)  # two images of the real widths, on one thread

CROPPED, WHOLE = (VECTORS / "detany3d" / f"tiny_seed0_{size}.npz" for size in ("853x1280", "720x1280"))


class Encoded(NamedTuple):
    reference: Reference
    seen: Seen


@pytest.fixture(scope="module")
def network():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads that wait for one another are slower than one where others work too
    yield seeded.network(config.tiny(), seed=0)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def one(network):
    """The image of which the short side is cropped, so that every offset shows."""
    reference = parity.read(CROPPED)
    return Encoded(reference, tracing.see(network, reference.arrays[IMAGE]))


def rows_of(network, one, *, boxes=None, intrinsics=None, seen=None, change=lambda values: values):
    reference, seen = one.reference, one.seen if seen is None else seen
    boxes = reference.boxes if boxes is None else boxes
    given = reference.arrays[INTRINSICS] if intrinsics is None else intrinsics
    return parity.compare(
        reference, change(tracing.values_of(seen, tracing.answer(network, seen.encoding, boxes, given)))
    )


def failures(*arguments, **keywords):
    return {row.name for row in rows_of(*arguments, **keywords) if not row.passed}


def again(network, one):
    """The camera and depth head once more, on the features at hand."""
    return tracing.look(network, one.seen.inputs, one.seen.features)


def test_every_array_agrees_with_the_official_code(network, one):
    rows = rows_of(network, one)
    assert [row for row in rows if not row.passed] == []
    assert len(rows) == 28


def test_the_command_compares_every_array_and_names_the_one_that_differs(network, tmp_path, capsys):
    """The other file, one value of it altered: the rest agrees with the official code."""
    arrays = dict(np.load(WHOLE))
    arrays["pred_K"][0, 0, 2] += 0.01
    np.savez(tmp_path / WHOLE.name, **arrays)
    arguments = ["parity", "detany3d", str(tmp_path / WHOLE.name), "--tiny", "--threads", "1"]
    assert main(arguments) == ExitCode.DEFECT
    told = capsys.readouterr()
    assert told.err == f"scorer: 1 of 28 arrays differ from {WHOLE.name}: pred_K\n"
    assert told.out.count("passed") == 27
    assert told.out.count("FAILED") == 1


def test_without_boxes_there_are_empty_results_and_the_image_still_agrees(network, one):
    arrays = one.reference.arrays
    of_boxes = {key for key in arrays if key.startswith(("bboxes", "rot_mat", "ret__", "prompt__", "decoder__"))}
    cut = {
        key: value[:0] if key in of_boxes | {parity.PROMPTS, parity.BOXES} else value for key, value in arrays.items()
    }
    rows = rows_of(network, Encoded(parity.reference_of(cut, seed=0), one.seen))
    assert [row for row in rows if not row.passed] == []
    assert {row.name for row in rows if 0 in row.shape} == of_boxes | {parity.PROMPTS}


SOLID = {"bboxes_3d", "bboxes_3d_predK"}
HEADS = SOLID | {"bboxes_2d", "rot_mat", "decoder__hs"}


def test_a_crop_offset_that_is_subtracted_is_noticed(network, one, monkeypatch):
    shifted = one.seen.inputs.frame.resized[0] // 2 - one.seen.inputs.frame.crop[0] // 2
    assert shifted > 0
    plain = tracing.box_prompts
    monkeypatch.setattr(tracing, "box_prompts", lambda *a: plain(*a) - torch.tensor([0, shifted, 0, shifted]))
    assert failures(network, one) >= HEADS | {"in__batch_boxes", "prompt__sparse"}


def rounded(boxes, frame):
    (height, width), (rows, columns) = frame.original, frame.resized
    whole = boxes * torch.tensor([width, height, width, height])
    corners = torch.cat([whole[:, :2] - whole[:, 2:] / 2, whole[:, :2] + whole[:, 2:] / 2], dim=1)
    return (corners * torch.tensor([columns / width, rows / height] * 2)).round().to(torch.int64)


def test_boxes_that_are_rounded_instead_of_truncated_are_noticed(network, one, monkeypatch):
    monkeypatch.setattr(tracing, "box_prompts", rounded)
    assert failures(network, one) >= HEADS | {"in__batch_boxes", "prompt__sparse"}


def test_a_missing_half_pixel_at_the_corners_is_noticed(network, one, monkeypatch):
    monkeypatch.setattr(
        prompt.PromptEncoder, "sparse", lambda self, boxes, of=prompt.PromptEncoder.sparse: of(self, boxes - 0.5)
    )
    assert failures(network, one) >= HEADS | {"prompt__sparse"}


def direct_positions(self):
    at = (torch.arange(self.grid) + 0.5) / self.grid
    return self.pe_layer(torch.stack(torch.meshgrid(at, at, indexing="xy"), dim=-1)).permute(2, 0, 1)[None]


def test_a_positional_encoding_without_the_grid_of_64_is_noticed(network, one, monkeypatch):
    monkeypatch.setattr(prompt.PromptEncoder, "dense_positions", direct_positions)
    assert failures(network, one) >= HEADS


def test_a_first_layer_with_a_residual_is_noticed(network, one, monkeypatch):
    monkeypatch.setattr(
        Layer, "_among_tokens", lambda self, q, at, of=Layer._among_tokens: of(self, q, at) + q * self.first
    )
    assert failures(network, one) >= HEADS | {"decoder__control_q"}


def test_a_first_layer_with_positions_is_noticed(network, one, monkeypatch):
    def placed(self, q, at):
        return self.self_attn(q + at, q + at, q) if self.first else q + self.self_attn(q + at, q + at, q)

    monkeypatch.setattr(Layer, "_among_tokens", placed)
    assert failures(network, one) >= HEADS | {"decoder__control_q"}


def test_control_that_the_second_transformer_does_not_get_is_noticed(network, one):
    still = one.seen._replace(encoding=_with(one.seen.encoding, control=torch.zeros_like(one.seen.encoding.control)))
    assert failures(network, one, seen=still) >= HEADS | {"decoder__control_q"}


def _with(encoding, **changed):
    return replace(encoding, **changed)


def test_padding_after_the_control_convolutions_instead_of_before_is_noticed(network, one):
    rows, columns = one.seen.inputs.frame.grid
    control = one.seen.encoding.control[:, :, :rows, :columns]
    bare = f.pad(control, (0, 56 - columns, 0, 56 - rows))  # without the biases
    seen = one.seen._replace(encoding=_with(one.seen.encoding, control=bare))
    assert failures(network, one, seen=seen) >= HEADS | {"decoder__control_q"}


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_fixed_candidate_is_noticed(which, network, one, monkeypatch):
    plain = decoder._chosen
    monkeypatch.setattr(
        decoder, "_chosen", lambda heads, tokens, best: plain(heads, tokens, torch.full_like(best, which))
    )
    chosen = set(one.reference.arrays["ret__pred_box_ious"].argmax(axis=1).tolist())
    assert (failures(network, one) >= (HEADS - {"decoder__hs"})) == (chosen != {which})


def test_a_candidate_chosen_by_the_masks_token_is_noticed(network, one, monkeypatch):
    monkeypatch.setattr(decoder, "_IOU_TOKEN", 0)
    assert "ret__pred_box_ious" in failures(network, one)


def test_a_yaw_from_the_projected_centre_is_noticed(network, one):
    def change(values):
        centre, box = values["ret__pred_center_2d"] * 896, values["bboxes_2d"]
        matrix = values["pred_K"][0]
        step = torch.atan2(centre[:, 0] - matrix[0, 2], matrix[0, 0]) - torch.atan2(
            box[:, 0] - matrix[0, 2], matrix[0, 0]
        )
        return values | {name: _turned(values[name], step) for name in SOLID}

    assert failures(network, one, change=change) == SOLID


def _turned(boxes, step):
    return torch.cat([boxes[:, :6], boxes[:, 6:] + step[:, None]], dim=1)


def test_a_yaw_from_the_given_intrinsics_is_noticed(network, one, monkeypatch):
    given = torch.from_numpy(one.reference.arrays[INTRINSICS]).float()
    plain = decode.yaw_of
    monkeypatch.setattr(decode, "yaw_of", lambda angle, column, predicted: plain(angle, column, given))
    assert failures(network, one) == SOLID


def test_a_yaw_that_is_not_wrapped_is_noticed(network, one, monkeypatch):
    """Angle classes beyond pi are meant as negative angles."""
    plain = decode.yaw_of
    monkeypatch.setattr(decode, "yaw_of", lambda *a: plain(*a) % (2 * math.pi))
    assert failures(network, one) == SOLID


def test_a_depth_left_in_the_virtual_camera_is_noticed(network, one):
    def change(values):
        moved = values["bboxes_3d"].clone()
        moved[:, :3] *= values["bboxes_3d_predK"][:, 2:3] / moved[:, 2:3]
        return values | {"bboxes_3d": moved}

    assert failures(network, one, change=change) == {"bboxes_3d"}


def test_a_depth_over_both_predicted_focal_lengths_is_noticed(network, one):
    """Only the predicted fx counts, although both real focal lengths do."""

    def change(values):
        matrix, moved = values["pred_K"][0], values["bboxes_3d"].clone()
        moved[:, :3] *= (matrix[0, 0] / matrix[1, 1]).sqrt()
        return values | {"bboxes_3d": moved}

    assert failures(network, one, change=change) == {"bboxes_3d"}


def test_given_intrinsics_that_are_rescaled_to_the_frame_are_noticed(network, one):
    frame, given = one.seen.inputs.frame, one.reference.arrays[INTRINSICS].copy()
    given[:2] *= frame.resized[1] / frame.original[1]
    assert failures(network, one, intrinsics=given) == {"bboxes_3d"}


def test_rotations_by_columns_are_noticed(network, one, monkeypatch):
    plain = decode.rotation_of
    monkeypatch.setattr(decode, "rotation_of", lambda pose: plain(pose).transpose(1, 2))
    assert failures(network, one) == {"rot_mat"}


@pytest.mark.parametrize("levels", [(0, 1, 2, 3), (1, 2, 3, 3), (1, 2, 2, 3)])
def test_other_levels_of_the_camera_tokens_are_noticed(levels, network, one, monkeypatch):
    monkeypatch.setattr(camera_depth, "CAMERA_LEVELS", levels)
    found = failures(network, one, seen=again(network, one))
    assert found >= HEADS | {"pred_K", "depth__camera_features"}


def test_other_levels_of_the_scale_tokens_are_noticed(network, one, monkeypatch):
    monkeypatch.setattr(camera_depth, "GLOBAL_LEVELS", (3, 2))
    found = failures(network, one, seen=again(network, one))
    assert found >= HEADS | {"depth__metric_features"}
    assert "pred_K" not in found


def test_rays_that_are_shrunk_without_antialiasing_are_noticed(network, one, monkeypatch):
    def plain(x, **keywords):
        return f.interpolate(x, **(keywords | {"antialias": False}))

    monkeypatch.setattr(rays, "f", type("F", (), {"interpolate": staticmethod(plain), "normalize": f.normalize}))
    assert failures(network, one, seen=again(network, one)) >= {"depth__metric_features"}


def test_sine_codes_with_x_before_y_are_noticed(network, one, monkeypatch):
    plain = camera_depth.sine_positions

    def swapped(size, width, **keywords):
        return plain(size, width, **keywords).roll(width // 2, dims=1)

    monkeypatch.setattr(camera_depth, "sine_positions", swapped)
    assert failures(network, one, seen=again(network, one)) >= HEADS | {"pred_K", "depth__camera_features"}


def test_the_command_refuses_a_file_without_values(tmp_path, capsys):
    arrays = dict(np.load(CROPPED))
    path = tmp_path / "inputs.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if key in (IMAGE, parity.BOXES, INTRINSICS)})
    assert main(["parity", "detany3d", str(path), "--tiny"]) == ExitCode.DEFECT
    assert "nothing to compare" in capsys.readouterr().err
