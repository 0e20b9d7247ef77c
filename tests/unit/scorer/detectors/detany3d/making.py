"""An image that is shrunk, of which the short side is cropped, and what a network says of it, as a reference file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scorer.detectors.detany3d import config, parity, tracing
from scorer.detectors.detany3d.parity import BOXES, IMAGE, INTRINSICS, PROMPTS, Reference

SMALL = replace(config.narrow(), frame=448)
"""Every step of the network, of a quarter of the pixels."""

INTRINSICS_VALUE = np.array([[980.0, 0, 570], [0, 960, 365], [0, 0, 1]])


def image_of(height=747, width=1120, *, seed=0):
    """Smooth blobs and noise, (height, width, 3) uint8."""
    generator = np.random.default_rng(seed)
    coarse = np.kron(generator.uniform(0, 255, (height // 40 + 1, width // 40 + 1, 3)), np.ones((40, 40, 1)))
    noisy = coarse[:height, :width] * 0.8 + generator.uniform(0, 50, (height, width, 3))
    return noisy.astype(np.uint8)


def boxes_of(count=3, *, seed=0):
    """(count, 4) [cx, cy, w, h], float32."""
    generator = np.random.default_rng(seed)
    return np.concatenate([generator.uniform(0.3, 0.7, (count, 2)), generator.uniform(0.1, 0.5, (count, 2))], 1).astype(
        "f4"
    )


def reference_from(network, *, image=None, boxes=None) -> Reference:
    """Everything that the network computes, under the names of a reference file."""
    image = image_of() if image is None else image
    boxes = boxes_of() if boxes is None else boxes
    seen = tracing.see(network, image)
    values = tracing.values_of(seen, tracing.answer(network, seen.encoding, boxes, INTRINSICS_VALUE))
    arrays = {name: value.clone().numpy() for name, value in values.items()}
    arrays |= {IMAGE: image, BOXES: boxes, INTRINSICS: INTRINSICS_VALUE}
    assert len(arrays[PROMPTS]) == len(boxes)
    return parity.reference_of(arrays, seed=0)
