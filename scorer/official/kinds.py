"""The data sets of GSI-Bench and their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Kind = Literal["real", "synthetic"]

DATASETS: Mapping[str, Kind] = MappingProxyType(
    {"fine": "real", "mesatask": "synthetic", "robothor": "synthetic", "bathroom": "synthetic"}
)
"""The kind decides the locality gate."""
