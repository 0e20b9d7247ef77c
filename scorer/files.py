"""The kinds of file that cross the scorer's border, by name; their JSON Schemas are committed in ``docs/schemas``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scorer.chunks import Chunk, ChunkSize
from scorer.contract import BenchmarkManifest, ProgressLine, Report, RunManifest, Strict, Truth, Verdict

FILES: Mapping[str, type[Strict]] = MappingProxyType(
    {
        "benchmark": BenchmarkManifest,
        "truth": Truth,
        "verdict": Verdict,
        "run": RunManifest,
        "progress": ProgressLine,
        "chunk": Chunk,
        "chunk-size": ChunkSize,
        "report": Report,
    }
)
