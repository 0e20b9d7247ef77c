"""What each runner costs beside the bare process, on one machine: to start, and for a whole run of samples.

    python -m benchmarks.runner [--rounds 3] [--samples 60] [--starts 10] [--engine unix://… --image sha256:…]

start   a program that does nothing, from the call of the runner to its outcome
run     the jobs of a run, `measure` and `aggregate`, on samples of Blocks under its two protocols, one thread

In every round the runners take turns on the same files, the bare process first; ratios are medians of each round's
ratio to its own process, because other work on the machine then hits both. Without ``--engine`` those of the tests are
used.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from infra.prepare import BLOCKS_DATA
from scorer import chunks
from scorer.contract import RunManifest
from server.scoring import bubblewrap_runner
from server.scoring.bubblewrap_runner import BubblewrapRunner
from server.scoring.container_runner import ContainerRunner
from server.scoring.containers import Engine
from server.scoring.gpus import Gpus
from server.scoring.process_runner import ProcessRunner
from server.scoring.runner import Job, JobKind, OutcomeKind, Runner

SUBSET = "blocks"
Make = Callable[[bool], Runner]
"""A runner of the scorer, or, with True, of a program that does nothing."""


def write_input(folder: Path, *, samples: int) -> None:
    """The input of one measuring job: the first samples of Blocks as one subset, edited by the noisy editor."""
    with zipfile.ZipFile(BLOCKS_DATA / "blocks-public.zip") as public:
        manifest = json.loads(public.read("benchmark.json"))
        chosen = manifest["samples"][:samples]
        for sample in chosen:
            public.extract(sample["original"], folder)
    names = {sample["id"]: f"{sample['subset']}/{sample['id']}" for sample in chosen}
    with (
        zipfile.ZipFile(BLOCKS_DATA / "submissions" / "noisy.zip") as whole,
        zipfile.ZipFile(folder / "submission.zip", "w") as part,
    ):
        for name in whole.namelist():
            if (path := Path(name)).stem in names:
                part.writestr(f"{SUBSET}/{path.name}", whole.read(name))
    subset = {"id": SUBSET, "title": "Blocks", "samples": len(chosen)}
    manifest |= {"samples": [{**sample, "subset": SUBSET} for sample in chosen], "subsets": [subset]}
    (folder / "benchmark.json").write_text(json.dumps(manifest))
    write_truth(folder / "truth", set(names))
    run = RunManifest(
        submission="0" * 32,
        benchmark=manifest["benchmark"],
        benchmark_version="0" * 64,
        subset=SUBSET,
        threads=1,
        **{name: manifest[name] for name in ("protocol", "beside", "detector", "judge", "perceptual")},
    )
    (folder / "manifest.json").write_text(run.model_dump_json(by_alias=True))
    (folder / "instruments.json").write_text("{}")


def write_truth(folder: Path, wanted: set[str]) -> None:
    """The ground truth of these samples."""
    with zipfile.ZipFile(BLOCKS_DATA / "blocks-hidden.zip") as hidden:
        truth: dict[str, Any] = json.loads(hidden.read("truth.json"))
        truth["samples"] = {name: sample for name, sample in truth["samples"].items() if name in wanted}
        for sample in truth["samples"].values():
            if sample.get("gt_image"):
                hidden.extract(sample["gt_image"], folder)
    (folder / "truth.json").write_text(json.dumps(truth))


def seconds(runner: Runner, input_dir: Path, work_dir: Path, *, whole: bool) -> float:
    """How long a run takes, or its first job alone; ends the benchmark where one does not end well."""
    with ExitStack() as opened:
        measuring, ending = (
            Path(opened.enter_context(tempfile.TemporaryDirectory(dir=work_dir, prefix="job-"))) for _ in range(2)
        )
        began = time.perf_counter()
        launch(runner, JobKind.MEASURE, input_dir, measuring / "output")
        if whole:
            (ending / "input").mkdir()
            for name in ("manifest.json", "benchmark.json"):
                shutil.copy(input_dir / name, ending / "input")
            shutil.copytree(measuring / "output" / chunks.FOLDER, ending / "input" / chunks.FOLDER)
            launch(runner, JobKind.AGGREGATE, ending / "input", ending / "output")
        return time.perf_counter() - began


def launch(runner: Runner, kind: JobKind, input_dir: Path, output_dir: Path) -> None:
    """One job, to its good end."""
    output_dir.mkdir()
    bounds = {"timeout": 3600, "memory_bytes": 8 * 1024**3, "threads": 1}
    outcome = runner.run(Job(kind=kind, input_dir=input_dir, output_dir=output_dir, **bounds), lambda _: True)
    if outcome.kind is not OutcomeKind.OK:
        raise SystemExit(f"{runner.name}: {kind}: {outcome.kind}: {outcome.tail}")


def adapters(engine: Engine, image: str, work_dir: Path) -> dict[str, Make]:
    """The runners, the bare process first."""
    gpus = Gpus(folder=work_dir / "gpus")
    nothing = ["-c", "pass"]
    return {
        "process": lambda idle: ProcessRunner(command=[sys.executable, *nothing] if idle else None),
        "bubblewrap": lambda idle: BubblewrapRunner(command=[bubblewrap_runner.python(), *nothing] if idle else None),
        "container": lambda idle: ContainerRunner(
            engine=engine, image=image, work_dir=work_dir, gpus=gpus, entrypoint=["python", *nothing] if idle else None
        ),
    }


def measured(makers: Mapping[str, Make], input_dir: Path, work_dir: Path, *, idle: bool, rounds: int) -> None:
    """Print the medians of ``rounds`` rounds, and of their ratios to the bare process."""
    runners = {name: make(idle) for name, make in makers.items()}
    taken = [
        {name: seconds(one, input_dir, work_dir, whole=not idle) for name, one in runners.items()}
        for _ in range(rounds)
    ]
    for name in runners:
        middle = statistics.median(one[name] for one in taken)
        ratios = sorted(one[name] / one["process"] for one in taken)
        apart = statistics.median(one[name] - one["process"] for one in taken)
        print(
            f"{'start' if idle else 'run':6} {name:11} {middle:8.3f} s  {apart:+8.3f} s beside the process  "
            f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})",
            flush=True,
        )


@contextmanager
def found_engine(host: str | None, image: str | None) -> Iterator[tuple[str, str]]:
    """The engine and the scorer's image: those named, else those of the tests."""
    if host and image:
        yield host, image
        return
    import docker

    from tests.contract.engine_daemon import cache_folder, running_engine
    from tests.contract.engine_images import Builder

    with running_engine(cache_folder()) as own:
        client = docker.DockerClient(base_url=own, timeout=900)
        yield own, Builder(client).image("scorer")
        client.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=60)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--engine")
    parser.add_argument("--image")
    options = parser.parse_args()
    with ExitStack() as opened:
        host, image = opened.enter_context(found_engine(options.engine, options.image))
        work_dir = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="gsi-runner-")))
        input_dir = work_dir / "input"
        input_dir.mkdir()
        write_input(input_dir, samples=options.samples)
        makers = adapters(Engine(host), image, work_dir)
        measured(makers, input_dir, work_dir, idle=True, rounds=options.starts)
        measured(makers, input_dir, work_dir, idle=False, rounds=options.rounds)


if __name__ == "__main__":
    main()
