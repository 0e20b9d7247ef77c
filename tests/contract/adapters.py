"""The three runners as the suite sees them: how each is made around a small program, and what each promises."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from server.scoring import bubblewrap_runner
from server.scoring.bubblewrap_runner import BubblewrapRunner
from server.scoring.container_runner import ContainerRunner
from server.scoring.containers import Engine
from server.scoring.gpus import Gpus
from server.scoring.process_runner import ProcessRunner
from server.scoring.runner import Runner

NAMES = ("process", "bubblewrap", "container")
BEAT_SECONDS = 0.05


class Promise(Enum):
    """What a job cannot do. Time, memory of one process, output and exit codes are bounded by all three."""

    NO_NETWORK = auto()
    NO_FILES_OF_OURS = auto()
    NO_WRITING_ELSEWHERE = auto()
    FEW_PROCESSES = auto()
    BOUNDED_MEMORY_IN_ALL = auto()
    NOTHING_OUTLIVES_IT = auto()
    NO_DEVICES = auto()
    FILTERED_SYSTEM_CALLS = auto()


_PROMISES = {"process": frozenset(), "bubblewrap": frozenset(Promise), "container": frozenset(Promise)}


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """``make(entry, **options)``: a runner that starts ``entry`` in place of the scorer. ``python``: its interpreter.

    ``inside``: where a job sees a folder of its own.
    """

    name: str
    python: str
    make: Callable[..., Runner]

    def promises(self, promise: Promise) -> bool:
        return promise in _PROMISES[self.name]

    def inside(self, folder: Path) -> str:
        return str(folder) if self.name == "process" else f"/{folder.name}"


def adapter_named(name: str, request: pytest.FixtureRequest, work_dir: Path) -> Adapter:
    """The adapter, on this machine. Skips where it cannot be had; fails where GSI_REQUIRE_ENGINE=1 wants it."""
    gpus = Gpus(folder=work_dir / "gpus")
    if name == "process":
        return Adapter(
            name=name,
            python=sys.executable,
            make=lambda entry, **options: ProcessRunner(
                command=entry, **{"gpus": gpus, "beat_seconds": BEAT_SECONDS, **_without(options, "processes")}
            ),
        )
    if name == "bubblewrap":
        _require_bubblewrap()
        return Adapter(
            name=name,
            python=bubblewrap_runner.python(),
            make=lambda entry, **options: BubblewrapRunner(
                command=entry, **{"gpus": gpus, "beat_seconds": BEAT_SECONDS, **options}
            ),
        )
    found = request.getfixturevalue("engine")

    def contained(entry: Sequence[str], **options: Any) -> Runner:
        engine = Engine(found.host)
        request.addfinalizer(engine.close)
        chosen = {"image": found.scorer_image, "gpus": gpus, "beat_seconds": BEAT_SECONDS, **options}
        return ContainerRunner(engine=engine, work_dir=work_dir, entrypoint=entry, **chosen)

    return Adapter(name=name, python="python3", make=contained)


_trouble = cache(bubblewrap_runner.trouble)


def _require_bubblewrap() -> None:
    trouble = _trouble()
    if trouble is not None and os.environ.get("GSI_REQUIRE_ENGINE") == "1":
        pytest.fail(f"GSI_REQUIRE_ENGINE=1 wants bubblewrap too: {trouble}")
    if trouble is not None:
        pytest.skip(f"no bubblewrap ({trouble})")


def _without(options: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key != name}
