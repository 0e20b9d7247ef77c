"""DetAny3D's weights: a published checkpoint, checked array by array, kept as arrays alone.

Every array on the way to boxes must be there in its shape: what the official program skips in silence (a key that does
not match) is an error here, by name. Everything else in a checkpoint (the depth map's decoder, masks) is left out.
"""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from scorer import weights
from scorer.detectors.detany3d import config
from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.model import DetAny3D
from scorer.errors import ScorerError
from scorer.weights import Kept

NAME = "detany3d"
"""Their name among the kept weights."""
PUBLISHED_FILE = "detany3d.pth"
PUBLISHED_SHA256 = "cd5f737ddbf3ceb64f969141672d04c0a3d785ad3b8a72668619a530840cd217"
"""Of the file in the publishers' folder, as a mirror states it; the file was not at hand when this was written."""
GET = (
    f"get {PUBLISHED_FILE} (4.3 GB, NON-COMMERCIAL) from the folder that the README of github.com/OpenDriveLab/DetAny3D"
    f" links under Checkpoints, then run `python -m scorer convert-weights {PUBLISHED_FILE}` (docs/detector.md)"
)
NETWORKS: Mapping[str, Callable[[], Config]] = MappingProxyType(
    {"full": config.full, "tiny": config.tiny, "narrow": config.narrow}
)
"""Sizes by name: ``full`` is the published one, the others are for tests."""

_SHOWN = 5
"""Arrays that are named of each kind of trouble."""
_SAM, _DINO = "sam.", "sam.image_encoder.dino."


@dataclass(frozen=True)
class Overlays:
    """Files that fill in what a checkpoint lacks: SAM ViT-H's and DINOv2 ViT-L/14's published weights."""

    sam: Path | None = None
    dinov2: Path | None = None

    @property
    def files(self) -> list[Path]:
        """Those that are named."""
        return [path for path in (self.sam, self.dinov2) if path is not None]


@dataclass
class _Trouble:
    missing: list[str] = field(default_factory=list)
    misshapen: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def wanted(network: Config) -> dict[str, tuple[int, ...]]:
    """Every array on the way to boxes, with its shape."""
    with torch.device("meta"):
        empty = DetAny3D(network)
    return {key: tuple(value.shape) for key, value in empty.state_dict().items()}


def convert(checkpoint: Path, *, folder: Path, network: str = "full", overlays: Overlays | None = None) -> Kept:
    """Check a checkpoint and keep its arrays in the folder of weights; needs memory for them twice (9 GB).

    ``network``: which of ``NETWORKS`` it is of. Raises ScorerError that says which file is wrong, and how.
    """
    overlays = overlays or Overlays()
    shapes = wanted(NETWORKS[network]())
    given = _filled_in(read(checkpoint), overlays)
    arrays = _required(given, shapes, file=checkpoint.name)
    made_from = {path.name: weights.sha256_of(path) for path in (checkpoint, *overlays.files)}
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{NAME}.{os.getpid()}.partial"
    try:
        safetensors.torch.save_file(arrays, partial, metadata={"network": network})
        return weights.keep(NAME, partial, made_from=made_from, folder=folder)
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any]:
    """What a ``.pth`` file holds under its names, read without running anything that stands in it."""
    if not path.is_file():
        raise ScorerError(f"there is no file {path}")
    try:
        # Old files cannot be mapped; new ones are, so that only what is wanted takes memory.
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ScorerError(
            f"{path.name} is damaged, or no file of weights alone ({type(error).__name__}): get it again"
        ) from error
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict):
        raise ScorerError(f"{path.name} holds no named arrays, neither at its top nor under state_dict")
    return found


def locate(folder: Path) -> Kept:
    """The kept file, checked: hash, names and shapes. Raises ScorerError that says what to get and where."""
    kept = weights.locate(NAME, folder=folder, remedy=GET)
    try:
        with safe_open(kept.path, framework="pt") as file:
            found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise _outdated(kept.path) from error
    if found != wanted(NETWORKS[network_of(kept.path)]()):
        raise _outdated(kept.path)
    return kept


def network_of(path: Path) -> str:
    """Which of ``NETWORKS`` a kept file is of. Raises ScorerError where it does not say."""
    with safe_open(path, framework="pt") as file:
        name = (file.metadata() or {}).get("network", "")
    if name not in NETWORKS:
        raise _outdated(path)
    return str(name)


def load(path: Path, *, device: str = "cpu") -> DetAny3D:
    """The network of a kept file, on that device; its arrays are held once."""
    shape = NETWORKS[network_of(path)]()
    with safe_open(path, framework="pt", device=device) as file:
        return DetAny3D.filled(shape, lambda key, _: file.get_tensor(key))


def _outdated(path: Path) -> ScorerError:
    return ScorerError(f"{path} was made by another version of the scorer: delete it, then {GET}")


def _filled_in(given: dict[str, Any], overlays: Overlays) -> dict[str, Any]:
    """A checkpoint over what the overlays give; its own arrays win, as they do in the official program."""
    below: dict[str, Any] = {}
    if overlays.sam is not None:
        below |= {f"{_SAM}{key}": value for key, value in read(overlays.sam).items()}
        # The second transformer of the decoder begins as a copy of SAM's.
        one, two = "sam.mask_decoder.transformer.", "sam.mask_decoder.transformer2."
        below |= {key.replace(one, two): value for key, value in below.items() if key.startswith(one)}
    if overlays.dinov2 is not None:
        below |= {f"{_DINO}{key}": value for key, value in read(overlays.dinov2).items()}
    return below | given


def _required(given: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], *, file: str) -> dict[str, Tensor]:
    """Every wanted array, float32, each with memory of its own. Raises ScorerError with all that is wrong."""
    trouble, arrays = _Trouble(), {}
    for key, shape in shapes.items():
        value = given.get(key)
        if not isinstance(value, Tensor):
            trouble.missing.append(key)
        elif tuple(value.shape) != shape:
            trouble.misshapen.append(f"{key} is {tuple(value.shape)}, not {shape}")
        elif not value.is_floating_point() or not torch.isfinite(value).all():
            trouble.broken.append(key)
        else:
            arrays[key] = value.to(torch.float32, copy=True, memory_format=torch.contiguous_format)
    told = [
        *_told("missing", trouble.missing, of=len(shapes)),
        *_told("of another shape", trouble.misshapen, of=len(shapes)),
        *_told("not finite numbers", trouble.broken, of=len(shapes)),
    ]
    if told:
        raise ScorerError(f"{file} is no whole checkpoint of DetAny3D: {'; '.join(told)}. {_remedy(trouble, given)}")
    return arrays


def _told(what: str, names: list[str], *, of: int) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"{len(names)} of {of} arrays are {what} ({', '.join(names[:_SHOWN])}{more})"]


def _remedy(trouble: _Trouble, given: Mapping[str, Any]) -> str:
    if not any(key.startswith(_SAM) for key in given):
        first = next(iter(given), "nothing")
        return f"Names of DetAny3D begin with `{_SAM}`, here the first is `{first}`: {GET}"
    if trouble.missing and not trouble.misshapen and not trouble.broken:
        return (
            f"Either {GET}; or, if its publishers mean the backbones to come from their own files, name those with "
            "--sam sam_vit_h_4b8939.pth and --dinov2 dinov2_vitl14_pretrain.pth"
        )
    return f"Its publishers may have another network by now; {GET}"
