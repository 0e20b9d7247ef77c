from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from scorer.arrays_on_disk import ArraysOnDisk
from scorer.comparing import Preparation
from scorer.measures.lpips import Lpips
from scorer.measures.msssim import MsSsim
from scorer.measures.port import Perceptual
from scorer.official.imaging import Image, UnmeasurableError, processed
from scorer.official.locality import Share, share_of, view_share
from scorer.official.viewpoint import sift_of
from scorer.originals import Originals, Picture
from tests.unit.scorer.measures.test_lpips import NETWORK, WEIGHTS

PREPARATIONS = [Preparation(whole, plain) for whole in (False, True) for plain in (False, True)]


def pixels(*, seed: int = 0, size: tuple[int, int] = (60, 80)) -> Image:
    rough = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(PillowImage.fromarray(rough).resize((size[1], size[0])))


def picture_of(*, seed: int = 0, size: tuple[int, int] = (60, 80)) -> Picture:
    return Picture.of_pixels(pixels(seed=seed, size=size))


def unreadable() -> Image:
    raise UnmeasurableError("the picture cannot be read")


def forbidden() -> Image:
    raise AssertionError("these pixels are not needed")


def equal(one: Share, other: Share) -> bool:
    pairs = zip((one.image, *one.moments, *one.features), (other.image, *other.moments, *other.features), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def fresh(picture: Picture) -> Share:
    return share_of(processed(picture.read()), network=NETWORK)


def test_a_share_from_memory_and_one_from_disk_are_the_one_that_was_made(tmp_path):
    picture, folder = picture_of(), tmp_path / "cache"
    made = Originals(network=NETWORK, folder=folder).share(picture)
    assert equal(made, fresh(picture))
    again = Originals(network=NETWORK, folder=folder)
    assert equal(again.share(picture), made)
    assert again.share(picture) is again.share(picture)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("network", [NETWORK, MsSsim()], ids=["lpips", "msssim"])
def test_every_preparation_is_kept_alone_and_with_or_without_weights(tmp_path, network: Perceptual):
    picture, image = picture_of(size=(90, 120)), pixels(size=(90, 120))
    expected: list[tuple[Callable[[Originals, Picture], Share], Share]] = [
        *((lambda kept, one, p=p: kept.share(one, p), p.share(image, network)) for p in PREPARATIONS),
        (Originals.view, view_share(image, network=network)),
    ]
    for look in (picture, Picture(picture.sha256, forbidden)):  # first made, then found on disk without its pixels
        kept = Originals(network=network, folder=tmp_path / "cache")
        for ask, share in expected:
            found = ask(kept, look)
            assert equal(found, share)
            pairs = zip(found.features, share.features, strict=True)
            assert all(one.stride() == other.stride() for one, other in pairs)
    assert len(list((tmp_path / "cache").iterdir())) == len(expected)


def test_two_networks_share_no_folder_entry(tmp_path):
    for network in (NETWORK, MsSsim()):
        Originals(network=network, folder=tmp_path / "cache").share(picture_of())
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_other_pixels_or_another_shape_are_another_picture():
    assert picture_of(seed=1).sha256 != picture_of(seed=2).sha256
    flat = np.zeros((40, 60, 3), dtype=np.uint8)
    assert Picture.of_pixels(flat).sha256 != Picture.of_pixels(flat.reshape(60, 40, 3)).sha256


def test_the_folder_is_its_owners_alone(tmp_path):
    Originals(network=MsSsim(), folder=tmp_path / "cache")
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_other_weights_find_nothing_of_the_old_ones(tmp_path):
    picture, folder = picture_of(), tmp_path / "cache"
    Originals(network=NETWORK, folder=folder).share(picture)
    doubled = {key: 2 * value if "lin" in key else -value for key, value in WEIGHTS.items()}
    other = Lpips(doubled, sha256="1" * 64)
    assert not torch.equal(
        Originals(network=other, folder=folder).share(picture).features[0], fresh(picture).features[0]
    )
    assert len(list(folder.iterdir())) == 2


def test_memory_is_bounded_and_forgets_what_was_used_longest_ago():
    pictures = [picture_of(seed=seed) for seed in range(3)]
    share = fresh(pictures[0])
    size = sum(array.nbytes for array in (share.image, *share.moments, *share.features))
    originals = Originals(network=NETWORK, memory_bytes=2 * size)
    kept = [originals.share(picture) for picture in pictures]
    assert originals.share(pictures[2]) is kept[2]
    assert originals.share(pictures[1]) is kept[1]
    assert originals.share(pictures[0]) is not kept[0]


def test_several_threads_that_ask_for_one_original_get_one_share():
    picture, originals = picture_of(), Originals(network=NETWORK)
    found: list[Share] = []
    threads = [threading.Thread(target=lambda: found.append(originals.share(picture))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(share) for share in found}) == 1


def test_an_unreadable_or_a_too_small_original_is_unmeasurable_and_not_kept(tmp_path):
    originals = Originals(network=NETWORK, folder=tmp_path / "cache")
    with pytest.raises(UnmeasurableError, match="pixels a side"):
        originals.share(picture_of(size=(20, 20)))
    with pytest.raises(UnmeasurableError, match="cannot be read"):
        originals.share(Picture("0" * 64, unreadable))
    assert list((tmp_path / "cache").iterdir()) == []


def test_sift_features_are_kept_too_and_are_opencvs(tmp_path):
    image = pixels(size=(240, 320))
    points, descriptors = cv2.SIFT.create().detectAndCompute(image, None)
    picture = Picture.of_pixels(image)
    for look in (picture, Picture(picture.sha256, forbidden)):
        found = Originals(network=NETWORK, folder=tmp_path / "cache").sift(look)
        np.testing.assert_array_equal(found.descriptors, descriptors)
        np.testing.assert_array_equal(found.points, [point.pt for point in points])
        assert found.size == (240, 320)
    assert sift_of(np.zeros((40, 40, 3), dtype=np.uint8)).descriptors.shape == (0, 128)


def arrays(value: float) -> dict[str, torch.Tensor]:
    return {"a": torch.full((1000,), value, dtype=torch.float32)}


def test_a_damaged_file_of_the_cache_is_made_again(tmp_path):
    cache = ArraysOnDisk(tmp_path, most_bytes=10**6)
    cache.get("key", lambda: arrays(1))
    (tmp_path / "key.safetensors").write_bytes(b"damaged")
    assert torch.equal(cache.get("key", lambda: arrays(2))["a"], arrays(2)["a"])
    assert torch.equal(cache.get("key", lambda: arrays(3))["a"], arrays(2)["a"])


def test_the_folder_is_bounded_and_forgets_what_was_used_longest_ago(tmp_path):
    cache = ArraysOnDisk(tmp_path, most_bytes=2 * 4200)
    for k, key in enumerate("ab"):
        cache.get(key, lambda: arrays(1))
        os.utime(tmp_path / f"{key}.safetensors", (k, k))
    cache.get("a", lambda: arrays(2))
    cache.get("c", lambda: arrays(3))
    assert {path.stem for path in tmp_path.iterdir()} == {"a", "c"}


def test_a_folder_that_may_only_be_read_is_read_all_the_same(tmp_path, monkeypatch):
    cache = ArraysOnDisk(tmp_path, most_bytes=10**6)
    cache.get("a", lambda: arrays(1))

    def refused(*_: object) -> None:
        raise OSError(errno.EROFS, "read-only file system")

    monkeypatch.setattr(os, "utime", refused)
    assert torch.equal(cache.get("a", lambda: arrays(2))["a"], arrays(1)["a"])


def test_what_cannot_be_written_is_returned_all_the_same(tmp_path):
    cache = ArraysOnDisk(tmp_path / "cache", most_bytes=10**6)
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").write_text("in the way")
    assert torch.equal(cache.get("a", lambda: arrays(1))["a"], arrays(1)["a"])
