from __future__ import annotations

import numpy as np
import pytest
import torch

from scorer.official.imaging import MEAN, Frame, UnmeasurableError, fitted, processed

PICTURE = np.random.default_rng(0).integers(0, 256, (300, 410, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("size", "scaled", "cut", "start", "compared"),
    [
        ((768, 1024), (672, 896), (672, 896), (0, 0), (768, 896)),
        ((250, 333), (673, 896), (672, 896), (0, 0), (250, 333)),
        ((500, 333), (896, 597), (896, 588), (0, 4), (500, 333)),
        ((1440, 1920), (672, 896), (672, 896), (0, 0), (896, 896)),
        ((6, 400), (13, 896), (0, 896), (6, 0), (6, 400)),
    ],
)
def test_the_frame_is_896_long_and_cut_to_multiples_of_14(size, scaled, cut, start, compared):
    frame = Frame.of(*size)
    assert (frame.scaled, frame.cut, frame.start, frame.compared) == (scaled, cut, start, compared)


def test_boxes_go_to_the_frame_and_back():
    frame = Frame.of(500, 333)
    box = np.array([0.0, 0.0, 333.0, 500.0])
    np.testing.assert_allclose(frame.to_frame(box), [-4, 0, 593, 896], atol=1e-9)
    np.testing.assert_allclose(frame.to_original(frame.to_frame(box)), box, atol=1e-9)
    np.testing.assert_allclose(frame.matrix @ [333, 500, 1], [593, 896, 1], atol=1e-9)


def test_a_small_picture_is_compared_in_the_left_top_window_of_its_enlargement():
    window, frame = processed(PICTURE), Frame.of(300, 410)
    planes = torch.tensor(PICTURE).permute(2, 0, 1)[None].float()
    larger = torch.nn.functional.interpolate(planes, size=frame.scaled, mode="bilinear", antialias=True)[0].flip(0)
    (top, left), (height, width) = frame.start, (300, 410)
    assert tuple(window.shape) == (3, height, width)
    torch.testing.assert_close(window, larger[:, top : top + height, left : left + width], atol=1e-3, rtol=0)


def test_a_large_picture_is_padded_with_the_mean_colour():
    large = np.full((1440, 1920, 3), 200, dtype=np.uint8)
    found = processed(large, order="rgb")
    assert tuple(found.shape) == (3, 896, 896)
    np.testing.assert_allclose(found[:, 672:].amin(dim=(1, 2)), MEAN, rtol=1e-6)
    np.testing.assert_allclose(found[:, 672:].amax(dim=(1, 2)), MEAN, rtol=1e-6)
    np.testing.assert_allclose(found[:, :672], 200, rtol=1e-6)


def test_the_order_of_channels_is_blue_green_red_unless_asked_otherwise():
    assert torch.equal(processed(PICTURE).flip(0), processed(PICTURE, order="rgb"))


def test_an_edited_picture_of_the_right_size_is_left_alone_and_another_is_resized():
    assert fitted(PICTURE, height=300, width=410) is PICTURE
    assert fitted(PICTURE, height=150, width=205).shape == (150, 205, 3)
    by_pillow, by_opencv = (fitted(PICTURE, height=90, width=80, by=by) for by in ("pillow-bicubic", "opencv-linear"))
    assert (by_pillow != by_opencv).any()


def test_a_picture_too_thin_to_be_scaled_is_unmeasurable():
    with pytest.raises(UnmeasurableError, match="4000 x 1 pixels"):
        processed(np.zeros((1, 4000, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="at least one pixel"):
        Frame.of(0, 5)
