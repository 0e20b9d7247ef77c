"""A small program as a job, on each runner in turn."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scorer.contract import ProgressLine
from server.scoring.runner import Job, JobKind, Outcome, OutcomeKind
from tests.contract.adapters import NAMES, Adapter, adapter_named


@dataclass(frozen=True)
class Ran:
    """How a program ended, and where it wrote."""

    outcome: Outcome
    output: Path

    @property
    def kind(self) -> OutcomeKind:
        return self.outcome.kind

    @property
    def said(self) -> str:
        return self.outcome.tail

    def wrote(self, name: str) -> str:
        return (self.output / name).read_text()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A place for jobs: a worker's folder of its own, and a runner."""

    adapter: Adapter
    work_dir: Path
    numbers: list[int] = field(default_factory=list)

    def __call__(
        self,
        program: str,
        *,
        files: Mapping[str, bytes] = {},
        beat: Callable[[ProgressLine | None], bool] = lambda _: True,
        runner: Mapping[str, Any] = {},
        **bounds: Any,
    ) -> Ran:
        """Run ``program``, with ``files`` in its input."""
        job = self.job(**bounds)
        (job.input_dir / "program.py").write_text(textwrap.dedent(program))
        for name, content in files.items():
            (job.input_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (job.input_dir / name).write_bytes(content)
        entry = [self.adapter.python, f"{self.adapter.inside(job.input_dir)}/program.py"]
        return Ran(self.adapter.make(entry, **runner).run(job, beat), job.output_dir)

    def job(self, **bounds: Any) -> Job:
        """A job with empty folders, as private as the worker makes them."""
        self.numbers.append(0)
        private = self.work_dir / f"job-{len(self.numbers)}"
        for name in ("input", "output"):
            (private / name).mkdir(mode=0o700, parents=True)
        private.chmod(0o700)
        chosen = {"timeout": 30, "memory_bytes": 2**31, "kind": JobKind.GATE, **bounds}
        return Job(input_dir=private / "input", output_dir=private / "output", **chosen)


@pytest.fixture(params=NAMES)
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Adapter:
    return adapter_named(request.param, request, tmp_path / "work")


@pytest.fixture
def launch(adapter: Adapter, tmp_path: Path) -> Stage:
    (tmp_path / "work").mkdir(mode=0o700, exist_ok=True)
    return Stage(adapter=adapter, work_dir=tmp_path / "work")
