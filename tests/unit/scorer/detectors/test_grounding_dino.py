from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image as PillowImage

from scorer.detectors import grounding_dino
from scorer.detectors.grounding_dino import GroundingDino, caption, chosen, locate, prepared, resized
from scorer.errors import ScorerError
from tests.unit.scorer.detectors import tiny_grounding_dino


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_grounding_dino.write(tmp_path_factory.mktemp("grounding-dino"))


def image(*, height: int = 30, width: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("width", "height", "seen"),
    [
        (1344, 768, (762, 1333)),  # the rule of transformers gives 762 x 1332
        (1248, 704, (752, 1333)),
        (832, 480, (769, 1332)),
        (1920, 1440, (800, 1066)),
        (1920, 1080, (750, 1333)),
        (1024, 1024, (800, 800)),
        (1280, 800, (800, 1280)),  # as it is
        (768, 1344, (1333, 762)),  # portrait
        (800, 1400, (1333, 762)),  # its short side is right already, its long one is not
        (3, 9000, (3000, 1)),  # a thread: one pixel is left of its short side
    ],
)
def test_the_image_is_scaled_by_the_official_rule_to_the_pixel(width, height, seen):
    assert resized(height, width) == seen


def test_pixels_are_scaled_as_bytes_and_normalised_as_imagenets_are():
    picture = image()
    height, width = resized(30, 64)
    scaled = np.array(PillowImage.fromarray(picture).resize((width, height), PillowImage.Resampling.BILINEAR))
    found = prepared(picture)[0].numpy()
    expected = (scaled / 255.0 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(found.transpose(1, 2, 0), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("target", "read"),
    [("Red Chair", "red chair."), ("  cup ", "cup."), ("cup.", "cup."), ("", "."), ("Cup. ", "cup.")],
)
def test_a_caption_is_lower_case_stripped_and_ends_with_a_full_stop(target, read):
    assert caption(target) == read


def test_what_is_more_likely_than_the_threshold_is_kept_in_the_order_of_the_queries():
    exactly = torch.logit(torch.tensor(0.47, dtype=torch.float64)).float()
    while exactly.sigmoid() > 0.47:
        exactly = torch.nextafter(exactly, torch.tensor(-10.0))
    likely = torch.tensor([[-2.0, 0.5], [exactly, -9.0], [3.0, -torch.inf], [-0.1, -torch.inf]])
    boxes = torch.arange(16.0).view(4, 4)
    found = chosen(likely, boxes)
    assert found.boxes.tolist() == boxes[[0, 2, 3]].tolist()  # neither sorted by score nor suppressed
    assert found.scores.tolist() == pytest.approx([0.6225, 0.9526, 0.4750], abs=1e-4)


def test_boxes_that_cover_each_other_all_stay():
    found = chosen(torch.full((3, 2), 4.0), torch.full((3, 4), 0.5))
    assert len(found.boxes) == 3


def test_the_network_answers_with_its_raw_boxes_and_the_best_of_its_words(folder):
    network = GroundingDino.load(folder, files=locate(folder))
    found = network.find(image(), " Red CUP")
    words = network._tokenizer("red cup.", return_tensors="pt")
    pixels = prepared(image())
    with torch.inference_mode():
        answer = network._model(pixel_values=pixels, **words)
    scores = answer.logits[0].sigmoid().max(dim=1).values
    assert len(found.boxes) > 0
    torch.testing.assert_close(found.boxes, answer.pred_boxes[0][scores > 0.47])
    torch.testing.assert_close(found.scores, scores[scores > 0.47])
    nothing = network.find(image(), "cup " * 400)  # more words than it reads: cut, not refused
    assert nothing.boxes.shape[1] == 4


def test_every_file_that_decides_is_named_with_its_hash(folder):
    files = locate(folder)
    assert set(files) == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"}
    assert all(len(digest) == 64 for digest in files.values())


def test_a_folder_that_is_missing_says_what_to_get_and_where_to_put_it(tmp_path):
    with pytest.raises(ScorerError) as told:
        locate(tmp_path / "none")
    for word in ("model.safetensors", grounding_dino.PUBLISHED, "detector.grounding_dino", "docs/detector.md"):
        assert word in str(told.value)


def copied(folder, to, **content: bytes):
    to.mkdir()
    for path in folder.iterdir():
        (to / path.name).write_bytes(content.get(path.stem, path.read_bytes()))
    return to


def test_weights_that_are_those_of_another_network_are_refused(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text()) | {"decoder_ffn_dim": 24}
    other = copied(folder, tmp_path / "other", config=json.dumps(config).encode())
    with pytest.raises(ScorerError, match="holds no GroundingDINO that can be used"):
        GroundingDino.load(other, files={})


def test_weights_that_lack_a_part_are_refused_by_its_name_and_never_made_up(folder, tmp_path):
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    name = next(name for name in weights if "text_projection" in name)
    weights.pop(name)
    other = copied(folder, tmp_path / "other", model=safetensors.torch.save(weights, metadata={"format": "pt"}))
    with pytest.raises(ScorerError, match=f"lacks {name}"):
        GroundingDino.load(other, files={})


def test_a_folder_without_its_vocabulary_is_refused_and_nothing_is_asked_of_a_hub(folder, tmp_path):
    other = copied(folder, tmp_path / "other")
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        (other / name).unlink()
    with pytest.raises(ScorerError, match=r"tokenizer_config\.json, vocab\.txt are not in"):
        locate(other)
    with pytest.raises(ScorerError, match="its vocabulary is not that of bert-base-uncased"):
        GroundingDino.load(other, files={})
