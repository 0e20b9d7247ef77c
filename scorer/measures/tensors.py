"""Named arrays in files that hold nothing but numbers: ``.npz`` and ``.safetensors``, never pickles."""

from __future__ import annotations

from io import BytesIO
from zipfile import BadZipFile

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError

from scorer.errors import ScorerError


def parse(content: bytes, *, name: str) -> dict[str, torch.Tensor]:
    """The arrays of a file's content; ``name`` says which format it is (by its ending) and appears in errors.

    Raises ScorerError where the ending is unknown or the content is damaged.
    """
    try:
        if name.endswith(".npz"):
            with np.load(BytesIO(content), allow_pickle=False) as archive:
                return {key: torch.from_numpy(archive[key]) for key in archive.files}
        if name.endswith(".safetensors"):
            return safetensors.torch.load(content)
    except (ValueError, TypeError, EOFError, KeyError, BadZipFile, SafetensorError) as error:
        raise ScorerError(f"{name} is damaged: {error}") from error
    raise ScorerError(f"{name}: weights are .npz or .safetensors files")
