from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from scorer.arrays_on_disk import ArraysOnDisk
from scorer.measures.lpips import Lpips
from scorer.official.imaging import UnmeasurableError, processed
from scorer.official.locality import Share, share_of
from scorer.originals import Originals, Picture, sift_of
from tests.unit.scorer.measures.test_lpips import NETWORK, WEIGHTS


def write(path: Path, *, seed: int = 0, size: tuple[int, int] = (60, 80)) -> Picture:
    rough = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    PillowImage.fromarray(rough).resize((size[1], size[0])).save(path)
    return Picture(path)


def equal(one: Share, other: Share) -> bool:
    pairs = zip((one.image, *one.moments, *one.features), (other.image, *other.moments, *other.features), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def fresh(picture: Picture) -> Share:
    return share_of(processed(np.asarray(PillowImage.open(picture.path))), network=NETWORK)


def test_a_share_from_memory_and_one_from_disk_are_the_one_that_was_made(tmp_path):
    picture, folder = write(tmp_path / "a.png"), tmp_path / "cache"
    made = Originals(network=NETWORK, folder=folder).share(picture)
    assert equal(made, fresh(picture))
    again = Originals(network=NETWORK, folder=folder)
    assert equal(again.share(picture), made)
    assert again.share(picture) is again.share(picture)
    assert len(list(folder.iterdir())) == 1


def test_another_picture_under_the_same_name_is_another_picture(tmp_path):
    originals = Originals(network=NETWORK, folder=tmp_path / "cache")
    first = originals.share(write(tmp_path / "a.png", seed=1))
    second = originals.share(write(tmp_path / "a.png", seed=2))
    assert not torch.equal(first.image, second.image)


def test_other_weights_find_nothing_of_the_old_ones(tmp_path):
    picture, folder = write(tmp_path / "a.png"), tmp_path / "cache"
    Originals(network=NETWORK, folder=folder).share(picture)
    doubled = {key: 2 * value if "lin" in key else -value for key, value in WEIGHTS.items()}
    other = Lpips(doubled, sha256="1" * 64)
    assert not torch.equal(
        Originals(network=other, folder=folder).share(picture).features[0], fresh(picture).features[0]
    )
    assert len(list(folder.iterdir())) == 2


def test_memory_is_bounded_and_forgets_what_was_used_longest_ago(tmp_path):
    pictures = [write(tmp_path / f"{seed}.png", seed=seed) for seed in range(3)]
    share = fresh(pictures[0])
    size = sum(array.nbytes for array in (share.image, *share.moments, *share.features))
    originals = Originals(network=NETWORK, memory_bytes=2 * size)
    kept = [originals.share(picture) for picture in pictures]
    assert originals.share(pictures[2]) is kept[2]
    assert originals.share(pictures[1]) is kept[1]
    assert originals.share(pictures[0]) is not kept[0]


def test_several_threads_that_ask_for_one_original_get_one_share(tmp_path):
    picture, originals = write(tmp_path / "a.png"), Originals(network=NETWORK)
    found: list[Share] = []
    threads = [threading.Thread(target=lambda: found.append(originals.share(picture))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(share) for share in found}) == 1


def test_filling_says_how_many_could_be_made(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    pictures = [write(tmp_path / "a.png"), Picture(tmp_path / "broken.png"), Picture(tmp_path / "none.png")]
    assert Originals(network=NETWORK, folder=tmp_path / "cache").fill(pictures, workers=2) == 1


def test_an_unreadable_or_a_too_small_original_is_unmeasurable(tmp_path):
    originals = Originals(network=NETWORK)
    with pytest.raises(UnmeasurableError, match="pixels a side"):
        originals.share(write(tmp_path / "small.png", size=(20, 20)))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UnmeasurableError, match=r"broken\.png cannot be read"):
        originals.share(Picture(tmp_path / "broken.png"))
    with pytest.raises(UnmeasurableError, match=r"none\.png cannot be read"):
        originals.share(Picture(tmp_path / "none.png"))


def test_sift_features_are_kept_too_and_are_opencvs(tmp_path):
    picture = write(tmp_path / "a.png", size=(240, 320))
    pixels = np.asarray(PillowImage.open(picture.path))
    points, descriptors = cv2.SIFT.create().detectAndCompute(pixels, None)
    for _ in range(2):
        found = Originals(network=NETWORK, folder=tmp_path / "cache").sift(picture)
        np.testing.assert_array_equal(found.descriptors, descriptors)
        np.testing.assert_array_equal(found.points, [point.pt for point in points])
    assert sift_of(np.zeros((40, 40, 3), dtype=np.uint8)).descriptors.shape == (0, 128)


def test_a_stated_hash_is_believed(tmp_path):
    picture = write(tmp_path / "a.png")
    digest = hashlib.sha256(picture.path.read_bytes()).hexdigest()
    originals = Originals(network=NETWORK)
    share = originals.share(Picture(picture.path, digest))
    assert originals.share(picture) is share


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


def test_what_cannot_be_written_is_returned_all_the_same(tmp_path):
    cache = ArraysOnDisk(tmp_path / "cache", most_bytes=10**6)
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").write_text("in the way")
    assert torch.equal(cache.get("a", lambda: arrays(1))["a"], arrays(1)["a"])
