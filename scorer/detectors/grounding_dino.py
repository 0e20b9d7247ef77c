"""GroundingDINO: which rectangles of an image answer to a name. Run through ``transformers``, from local files alone.

Four things are done here as the official evaluation does them, and not as ``transformers`` would: the size of the
image, the caption, the threshold on the raw answers, and the order. The number of rectangles and their order enter the
score, so a rectangle more or less is a difference of tenths there, not of decimals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from scorer.detectors.port import Image
from scorer.errors import ScorerError

THRESHOLD = 0.47
"""A rectangle answers where its best word is *more* likely than this."""
SHORT_SIDE, LONG_SIDE = 800, 1333
"""Pixels: what the short side is scaled to, and what the long one may have at most."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet, red, green, blue, 0..1."""

PUBLISHED = "IDEA-Research/grounding-dino-base"
"""The repository at huggingface.co whose files are meant."""
_NEEDED = ("config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt")
_DECIDING = (*_NEEDED, "tokenizer.json", "special_tokens_map.json", "added_tokens.json")
"""Files that can change an answer."""

_MARKS = {"[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
"""Where the vocabulary has what parts a caption; the network is built around these numbers."""


@dataclass(frozen=True, eq=False)
class Rectangles:
    """What answers to a name, in the order of the network's queries.

    ``boxes``: (N, 4) float32 [centre x, centre y, width, height], parts of the image's sides; ``scores``: (N,), in
    (0.47, 1].
    """

    boxes: Tensor
    scores: Tensor


class GroundingDino:
    """The network on one device. ``files``: sha256 of every file that decides its answers, by name."""

    def __init__(self, model: Any, tokenizer: Any, *, device: str = "cpu", files: Mapping[str, str]) -> None:
        self.files = dict(files)
        self._model, self._tokenizer = model.eval().requires_grad_(False).to(device), tokenizer
        self._device = device

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu", files: Mapping[str, str]) -> GroundingDino:
        """From a folder as ``transformers`` keeps models, with no word to the hub. Raises ScorerError."""
        # Loading takes seconds, and most runs need another detector.
        from transformers import AutoConfig, AutoTokenizer, GroundingDinoForObjectDetection
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            config = AutoConfig.from_pretrained(folder, local_files_only=True)
            config.disable_custom_kernels = True  # they would be fetched, and round differently
            loaded: Any = GroundingDinoForObjectDetection.from_pretrained(
                folder,
                config=config,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
            raise _unusable(folder, type(error).__name__) from error
        model, told = loaded
        # What a file lacks would be random, or known to nobody, without a word.
        if told["missing_keys"]:
            raise _unusable(folder, f"model.safetensors lacks {min(told['missing_keys'])}")
        if tokenizer.convert_tokens_to_ids(list(_MARKS)) != list(_MARKS.values()):
            raise _unusable(folder, "its vocabulary is not that of bert-base-uncased")
        return cls(model, tokenizer, device=device, files=files)

    def find(self, image: Image, target: str) -> Rectangles:
        """The rectangles of ``image`` (height, width, 3) that ``target`` names; none, where nothing does."""
        words = self._tokenizer(
            caption(target), return_tensors="pt", truncation=True, max_length=self._model.config.max_text_len
        ).to(self._device)
        pixels = prepared(image).to(self._device)
        mask = torch.ones((1, *pixels.shape[2:]), dtype=torch.int64, device=pixels.device)
        with torch.inference_mode():
            answer = self._model(pixel_values=pixels, pixel_mask=mask, **words)
        return chosen(answer.logits[0].float().cpu(), answer.pred_boxes[0].float().cpu())


def chosen(logits: Tensor, boxes: Tensor) -> Rectangles:
    """The queries whose best word is likely enough, in their order: no suppression, no sorting.

    ``logits``: (queries, words), -inf for no word; ``boxes``: (queries, 4).
    """
    scores = logits.sigmoid().amax(dim=1)
    kept = scores > THRESHOLD
    return Rectangles(boxes[kept].clone(), scores[kept].clone())


def caption(target: str) -> str:
    """What the network reads for a name: lower case, and ended by a full stop."""
    text = target.lower().strip()
    return text if text.endswith(".") else f"{text}."


def resized(height: int, width: int) -> tuple[int, int]:
    """The (height, width) at which the network sees an image of that size; at least one pixel a side.

    Where the long side would be too long, the short one is *rounded* before the long one is computed from it;
    ``transformers`` does not round, and is one pixel off for more than half of all wide sizes.
    """
    short, long = min(height, width), max(height, width)
    size = SHORT_SIDE
    if long / short * size > LONG_SIDE:
        size = max(1, round(LONG_SIDE * short / long))
    if size == short:
        return height, width
    other = max(1, int(size * long / short))
    return (other, size) if width < height else (size, other)


def prepared(image: Image) -> Tensor:
    """(1, 3, height, width) float32, normalised: scaled as bytes by Pillow's bilinear filter."""
    height, width = resized(*image.shape[:2])
    scaled = PillowImage.fromarray(image).resize((width, height), PillowImage.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(scaled)).permute(2, 0, 1).float() / 255
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return ((pixels - mean) / deviation)[None]


def locate(folder: Path) -> dict[str, str]:
    """The sha256 of every file that decides the answers, by name. Raises ScorerError that names what is missing."""
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ScorerError(
            f"GroundingDINO: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in {folder}. Get "
            f"{', '.join(_NEEDED)} and tokenizer.json of {PUBLISHED} (huggingface.co, Apache-2.0, 0.93 GB) into it, "
            "or name its folder as detector.grounding_dino in the file of instruments (docs/detector.md)"
        )
    return {name: _sha256(folder / name) for name in _DECIDING if (folder / name).is_file()}


def _unusable(folder: Path, why: str) -> ScorerError:
    return ScorerError(
        f"{folder} holds no GroundingDINO that can be used ({why}): get {PUBLISHED} again, whole (docs/detector.md)"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
