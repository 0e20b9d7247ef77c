"""Proof that the values of a reference file tell every quirk of the encoder got wrong.

On the narrow network, whose values stand for the official ones here: it is the code that agrees with the official
values in tests/conformance/test_detany3d.py, and each mutation has to leave the arrays before it alone and to fail in
those after it. Every mutation encodes anew, in a fraction of a second.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as f

from scorer.detectors.detany3d import (
    adapter,
    dinov2,
    extractor,
    image_encoder,
    parity,
    preprocess,
    sam_vit,
    spatial_prior,
)
from scorer.detectors.detany3d.layers import as_tokens
from tests.unit.scorer.detectors.detany3d.making import reference_from

BOXES = {"bboxes_2d", "bboxes_3d", "bboxes_3d_predK", "rot_mat"}
DINO = {f"dino__{kind}{level}" for kind in ("feat", "cls") for level in range(4)}
LATER = BOXES | {"image_embeddings", "pred_K", "inter3__f3", "inter3__cls"}


@pytest.fixture(scope="module")
def reference(narrow):
    return reference_from(narrow)


@pytest.fixture
def failures(narrow, reference):
    return lambda: {row.name for row in parity.check(narrow, reference) if not row.passed}


def test_the_unchanged_network_agrees(failures):
    assert failures() == set()


def with_functional(monkeypatch, module, **functions):
    """Give one module other functions for some of torch's."""
    monkeypatch.setattr(module, "f", SimpleNamespace(**{**vars(f), **functions}))


def resizing(**changed):
    return lambda x, **keywords: f.interpolate(x, **(keywords | changed))


def test_resizing_the_image_without_antialiasing_is_noticed(failures, monkeypatch):
    with_functional(monkeypatch, preprocess, interpolate=resizing(antialias=False))
    assert failures() >= DINO | LATER


def test_padding_that_centres_the_sam_image_is_noticed(failures, monkeypatch):
    def centred(x, pads):
        _, across, _, down = pads
        return f.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))

    with_functional(monkeypatch, preprocess, pad=centred)
    found = failures()
    assert found >= LATER
    assert not found & DINO


def test_taps_that_are_moved_are_noticed(failures, monkeypatch, narrow):
    monkeypatch.setattr(narrow.sam.image_encoder.dino, "taps", (0, 1, 2, 4))
    found = failures()
    assert found >= LATER | {f"dino__feat{level}" for level in range(3)}
    assert "dino__feat3" not in found


def test_taps_without_the_final_normalisation_are_noticed(failures, monkeypatch, narrow):
    monkeypatch.setattr(narrow.sam.image_encoder.dino.norm, "forward", lambda x: x)
    assert failures() >= DINO | LATER


def test_positions_resized_by_the_historical_factor_are_noticed(failures, monkeypatch):
    def by_factor(x, *, size, **keywords):
        factors = [(side + 0.1) / 37 for side in size]
        return f.interpolate(x, scale_factor=factors, recompute_scale_factor=False, **keywords)

    with_functional(monkeypatch, dinov2, interpolate=by_factor)
    assert failures() >= DINO | LATER


def test_positions_of_sam_resized_linearly_are_noticed(failures, monkeypatch):
    with_functional(monkeypatch, image_encoder, interpolate=resizing(mode="bilinear"))
    found = failures()
    assert found >= LATER
    assert not found & DINO


def test_relative_positions_with_a_scaled_query_are_noticed(failures, monkeypatch):
    plain = sam_vit.Attention._positions
    monkeypatch.setattr(
        sam_vit.Attention, "_positions", lambda self, q, side: plain(self, q * q.shape[-1] ** -0.5, side)
    )
    assert failures() >= LATER


def test_relative_positions_of_rows_and_columns_swapped_are_noticed(failures, monkeypatch):
    plain = sam_vit.Attention._positions

    def swapped(self, q, side):
        return plain(self, q, side).roll(side, dims=-1)

    monkeypatch.setattr(sam_vit.Attention, "_positions", swapped)
    assert failures() >= LATER


def test_a_global_table_that_is_cut_instead_of_interpolated_is_noticed(failures, monkeypatch):
    plain = sam_vit._table
    monkeypatch.setattr(
        sam_vit, "_table", lambda codes, side: plain(codes[len(codes) // 2 - side + 1 :][: 2 * side - 1], side)
    )
    assert failures() >= LATER


def to_the_corner(x, grid):
    rows, columns = (round(side * grid / max(x.shape[2:])) for side in x.shape[2:])
    return f.pad(f.interpolate(x, size=(rows, columns), mode="bilinear"), (0, grid - columns, 0, grid - rows))


def test_dino_features_padded_at_the_bottom_instead_of_centred_are_noticed(failures, monkeypatch):
    monkeypatch.setattr(adapter, "centred", to_the_corner)
    found = failures()
    assert found >= LATER
    assert not found & DINO


def test_a_fusion_whose_bias_is_missing_in_the_padding_is_noticed(failures, monkeypatch):
    def early(self, x, dino):
        y = self.dino_conv(dino.permute(0, 3, 1, 2))
        return self.alpha * x + (1 - self.alpha) * adapter.centred(y, self.grid).permute(0, 2, 3, 1)

    monkeypatch.setattr(adapter.Interaction, "fused", early)
    assert failures() >= LATER


def test_a_fusion_with_its_shares_swapped_is_noticed(failures, monkeypatch):
    def swapped(self, x, dino):
        y = self.dino_conv(adapter.centred(dino.permute(0, 3, 1, 2), self.grid))
        return (1 - self.alpha) * x + self.alpha * y.permute(0, 2, 3, 1)

    monkeypatch.setattr(adapter.Interaction, "fused", swapped)
    assert failures() >= LATER


def test_a_class_token_that_does_not_sample_around_the_centre_is_noticed(failures, monkeypatch):
    plain = extractor.references

    def moved(*arguments, **keywords):
        found = plain(*arguments, **keywords)
        found[-1] = 0
        return found

    monkeypatch.setattr(image_encoder, "references", moved)
    found = failures()
    assert found >= {f"inter{stage}__cls" for stage in range(4)} | {"pred_K"}
    assert "image_embeddings" not in found  # the side branch does not flow back
    assert "inter0__f3" not in found


def test_offsets_in_the_order_of_columns_and_rows_swapped_are_noticed(failures, monkeypatch):
    with_functional(
        monkeypatch, extractor, grid_sample=lambda x, at, **keywords: f.grid_sample(x, at.flip(-1), **keywords)
    )
    found = failures()
    assert found >= BOXES | {"inter0__f3", "inter0__cls", "pred_K"}
    assert "image_embeddings" not in found


def test_samples_with_aligned_corners_are_noticed(failures, monkeypatch):
    def aligned(x, at, **keywords):
        return f.grid_sample(x, at, **(keywords | {"align_corners": True}))

    with_functional(monkeypatch, extractor, grid_sample=aligned)
    assert failures() >= BOXES | {"inter0__f3", "inter0__cls", "pred_K"}


def test_an_enlargement_read_at_other_pixels_is_noticed(failures, monkeypatch):
    def unflipped(x, weight, bias):
        return f.conv2d(x, weight.transpose(0, 1) / 4, bias, stride=2)

    monkeypatch.setattr(adapter, "quarter_after_up", unflipped)
    found = failures()
    assert found >= BOXES | {f"inter{stage}__f3" for stage in range(4)}
    assert not found & {f"inter{stage}__cls" for stage in range(4)}


def test_a_detail_map_read_at_other_pixels_is_noticed(failures, monkeypatch):
    monkeypatch.setattr(spatial_prior, "quarter", lambda x: f.avg_pool2d(x, kernel_size=2, stride=4))
    assert failures() >= BOXES | {"inter0__f3"}


def test_level_codes_that_are_left_out_are_noticed(failures, monkeypatch):
    def bare(prior, level_embed):
        return torch.cat([as_tokens(one) for one in (prior.c2, prior.c3, prior.c4)], dim=1)

    monkeypatch.setattr(image_encoder, "levels_of", bare)
    assert failures() >= BOXES | {"inter0__f3", "pred_K"}
