"""What GSI-Bench's detector needs of an installation: the operator's word on its terms, two networks' files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import StringConstraints

from scorer.contract import Strict
from scorer.detectors import grounding_dino
from scorer.detectors.detany3d import weights as detany3d
from scorer.errors import ScorerError

FOLDER = "grounding-dino-base"
"""Where GroundingDINO lies in the folder of weights, if the settings name no other."""
TERMS = (
    "DetAny3D's weights are under NON-COMMERCIAL terms that the operator must accept: read docs/detector.md, then "
    'write {"detector": {"accept_noncommercial_weights": true}} into the file of instruments (GSI_INSTRUMENTS)'
)

T = TypeVar("T")


class DetectorSettings(Strict):
    """How GSI-Bench's detector runs here.

    ``accept_noncommercial_weights``: whoever operates this installation has read the terms of DetAny3D's weights and
    keeps them. ``grounding_dino``: its folder; None: ``grounding-dino-base`` in the folder of weights. ``device``: as
    torch names it. ``mode``: ``parity`` computes as the reference does.
    """

    accept_noncommercial_weights: bool = False
    grounding_dino: Annotated[str, StringConstraints(min_length=1, max_length=1000)] | None = None
    device: Annotated[str, StringConstraints(pattern=r"^(cpu|cuda(:[0-9]{1,3})?)$")] = "cpu"
    mode: Literal["parity", "fast"] = "parity"


@dataclass(frozen=True)
class Files:
    """The files of both networks, found and checked. ``sha256``: by name, for reports."""

    grounding_dino: Path
    detany3d: Path
    network: str
    sha256: Mapping[str, str]

    @classmethod
    def find(cls, settings: DetectorSettings, *, folder: Path) -> Files:
        """In the folder of weights. Raises ScorerError that says everything that is missing, and where to get it."""
        wrong = [] if settings.accept_noncommercial_weights else [TERMS]
        first = Path(settings.grounding_dino) if settings.grounding_dino else folder / FOLDER
        found = _tried(lambda: grounding_dino.locate(first), wrong)
        kept = _tried(lambda: detany3d.locate(folder), wrong)
        if wrong or found is None or kept is None:
            raise ScorerError(". ALSO: ".join(wrong))
        sha256 = {detany3d.NAME: kept.sha256} | {f"grounding-dino/{name}": digest for name, digest in found.items()}
        return cls(first, kept.path, detany3d.network_of(kept.path), sha256)


def _tried(find: Callable[[], T], wrong: list[str]) -> T | None:
    try:
        return find()
    except ScorerError as error:
        wrong.append(str(error))
        return None
