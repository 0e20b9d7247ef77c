from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from scorer.errors import ScorerError
from scorer.measures.lpips import SMALLEST_SIDE, Lpips, shapes


def seeded() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    drawn = {key: torch.randn(shape, generator=generator) for key, shape in shapes().items()}
    return {key: value.abs() if "lin" in key else value / value[0].numel() ** 0.5 for key, value in drawn.items()}


WEIGHTS = seeded()
NETWORK = Lpips(WEIGHTS, sha256="0" * 64)
PICTURES = torch.rand((3, 3, 72, 91), generator=torch.Generator().manual_seed(4)) * 2 - 1


def test_an_image_has_no_distance_from_itself():
    assert float(NETWORK(PICTURES, PICTURES).abs().max()) == 0


def test_the_map_has_the_size_of_the_images_and_does_not_depend_on_their_order():
    one = NETWORK(PICTURES[:1], PICTURES[1:2])
    assert one.shape == (1, 1, 72, 91)
    assert float(one.min()) >= 0 < float(one.max())
    torch.testing.assert_close(one, NETWORK(PICTURES[1:2], PICTURES[:1]))


def test_features_have_unit_length_wherever_anything_is_active():
    for found in NETWORK.features(PICTURES):
        lengths = torch.linalg.vector_norm(found, dim=1)
        assert bool(((lengths - 1).abs() < 1e-5).logical_or(lengths == 0).all())


def test_a_batch_gives_what_single_images_give():
    alone = [NETWORK.features(picture[None]) for picture in PICTURES]
    for k, together in enumerate(NETWORK.features(PICTURES)):
        torch.testing.assert_close(together, torch.cat([found[k] for found in alone]), rtol=1e-4, atol=1e-5)


def test_the_mean_over_a_mask_is_that_of_the_map():
    one, other = NETWORK.features(PICTURES[:1]), NETWORK.features(PICTURES)
    kept = torch.ones(72, 91, dtype=torch.bool)
    kept[10:40, 20:60] = False
    maps = NETWORK.compare(one, other, size=(72, 91))
    expected = [float(found[0][kept].double().mean()) for found in maps]
    assert NETWORK.mean_distance(one, other, kept=kept).tolist() == pytest.approx(expected, rel=1e-5)


def test_an_empty_mask_has_no_distance():
    one, other = NETWORK.features(PICTURES[:1]), NETWORK.features(PICTURES[1:2])
    assert NETWORK.mean_distance(one, other, kept=torch.zeros(72, 91)).tolist() == [0]


def test_the_smallest_side_is_the_smallest():
    assert len(NETWORK.features(torch.zeros(1, 3, SMALLEST_SIDE, SMALLEST_SIDE))) == 5
    with pytest.raises(ValueError, match="at least 31 pixels"):
        NETWORK.features(torch.zeros(1, 3, SMALLEST_SIDE - 1, 200))
    with pytest.raises(ValueError, match=r"\(n, 3, height, width\)"):
        NETWORK.features(torch.zeros(3, 64, 64))


def write(path: Path, weights: dict[str, torch.Tensor]) -> str:
    if path.suffix == ".npz":
        np.savez(path, **{key: value.numpy() for key, value in weights.items()})
    else:
        safetensors.torch.save_file(weights, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["weights.npz", "weights.safetensors"])
def test_both_kinds_of_file_give_the_same_network_and_its_hash(name, tmp_path):
    digest = write(tmp_path / name, WEIGHTS)
    loaded = Lpips.load(tmp_path / name, sha256=digest)
    assert loaded.sha256 == digest
    assert torch.equal(loaded(PICTURES[:1], PICTURES[1:2]), NETWORK(PICTURES[:1], PICTURES[1:2]))


def test_weights_that_are_not_lpips_are_refused_with_what_is_wrong(tmp_path):
    path, key = tmp_path / "weights.npz", "features.3.weight"
    for wrong, message in (
        ({k: v for k, v in WEIGHTS.items() if k != key}, "missing \\['features.3.weight'\\]"),
        (WEIGHTS | {"classifier.1.bias": torch.zeros(4)}, "not known \\['classifier.1.bias'\\]"),
        (WEIGHTS | {key: WEIGHTS[key][:5]}, "features.3.weight must be floats shaped"),
        (WEIGHTS | {key: WEIGHTS[key] / 0}, "not finite"),
    ):
        write(path, wrong)
        with pytest.raises(ScorerError, match=message):
            Lpips.load(path)


def test_a_file_with_another_hash_a_damaged_or_a_missing_one_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    write(path, WEIGHTS)
    with pytest.raises(ScorerError, match="not the ones asked for"):
        Lpips.load(path, sha256="0" * 64)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ScorerError, match="damaged"):
        Lpips.load(path)
    (tmp_path / "weights.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ScorerError, match="damaged"):
        Lpips.load(tmp_path / "weights.safetensors")
    with pytest.raises(ScorerError, match=r"\.npz or \.safetensors"):
        Lpips.load(Path(__file__))
    with pytest.raises(ScorerError, match="cannot be read"):
        Lpips.load(tmp_path / "none.npz")
