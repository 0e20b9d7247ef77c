"""GSI-Bench's detector, installed whole: a tiny random GroundingDINO, a narrow seeded DetAny3D, in one folder."""

from __future__ import annotations

from pathlib import Path

import torch

from scorer.detectors.detany3d import config, seeded, weights
from scorer.detectors.detany3d.model import DetAny3D
from scorer.detectors.grounded import GroundedDetector
from scorer.detectors.installed import FOLDER, DetectorSettings
from tests.unit.scorer.detectors import tiny_grounding_dino

ACCEPTED = DetectorSettings(accept_noncommercial_weights=True)
SEED = 3


def narrow() -> DetAny3D:
    """The network whose weights are installed."""
    return seeded.network(config.narrow(), seed=SEED)


def checkpoint(path: Path, *, network: DetAny3D, **changes: object) -> Path:
    """A checkpoint as the publishers write it: under ``state_dict``, beside other things, with more than is needed."""
    arrays: dict[str, object] = {**network.state_dict(), "sam.mask_decoder.output_upscaling.0.bias": torch.zeros(3)}
    arrays |= changes
    arrays = {key: value for key, value in arrays.items() if value is not None}
    torch.save({"state_dict": arrays, "epoch": 3}, path)
    return path


def install(folder: Path, *, network: DetAny3D | None = None) -> Path:
    """The folder of weights with both networks in it."""
    folder.mkdir(parents=True, exist_ok=True)
    tiny_grounding_dino.write(folder / FOLDER)
    made = checkpoint(folder / weights.PUBLISHED_FILE, network=network or narrow())
    weights.convert(made, folder=folder, network="narrow")
    made.unlink()
    return folder


class Counted:
    """The real detector, and how often its networks worked: ``found`` by GroundingDINO, ``encoded`` by DetAny3D."""

    def __init__(self, folder: Path) -> None:
        self.detector = GroundedDetector.of(ACCEPTED, folder=folder)
        self.found = self.encoded = 0
        first, second = self.detector.networks
        first._model.register_forward_hook(self._note_found)
        second.sam.image_encoder.register_forward_hook(self._note_encoded)

    def _note_found(self, *_: object) -> None:
        self.found += 1

    def _note_encoded(self, *_: object) -> None:
        self.encoded += 1
