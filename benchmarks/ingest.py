"""What taking in a submission costs, beside the least that it can cost, on one machine.

    python -m benchmarks.ingest [--images 1634] [--rounds 3] [--threads 2] [--size 1024x768] [--stored]

Each round measures, one after the other on the same zip of PNG files:

bare   inflate every image, decode it, SHA-256 of the archive: nothing else, as many images at a time as threads
store  the archive put into the service's local storage: streamed, hashed, synchronised to the disk
gate   ``python -m scorer gate``, from the start of the process to the verdict

Ratios are (store + gate) / bare, medians of each round's ratio, because other work on the machine then hits both sides:
``wall`` of the clock's time, ``cpu`` of the processors' time, which tells more where the machine is busy otherwise.
The peak of memory is the gate process's own. A few pictures are made and repeated under all names; nothing looks at
that.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image as PillowImage

from benchmarks.folders import picture
from scorer.contract import BenchmarkManifest
from server.storage.local import LocalStorage
from server.storage.port import put_file

PICTURES = 24
SUBSET = "measured"
UNITS = ("wall", "cpu")
GATE = """
import runpy
from pathlib import Path
try:
    runpy.run_module("scorer", run_name="__main__", alter_sys=True)
finally:
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""
"""The command, and at its end the most memory that the process held, in KiB."""


class Taken(NamedTuple):
    """What one side took: seconds by the clock, seconds of all processors, and its peak of memory in MiB if it says."""

    wall: float
    cpu: float
    peak: float = 0.0


class Round(NamedTuple):
    """What each side took."""

    bare: Taken
    store: Taken
    gate: Taken

    def row(self) -> dict[str, float]:
        """The columns of the table."""
        sides = {f"{name} {unit}": getattr(side, unit) for name, side in self._asdict().items() for unit in UNITS}
        ratios = {
            f"ratio {unit}": (getattr(self.store, unit) + getattr(self.gate, unit)) / getattr(self.bare, unit)
            for unit in UNITS
        }
        return sides | ratios | {"peak MiB": self.gate.peak}


def manifest(*, images: int, width: int, height: int) -> BenchmarkManifest:
    """A benchmark of made-up samples."""
    lens = [[700.0, 0.0, width / 2], [0.0, 700.0, height / 2], [0.0, 0.0, 1.0]]
    sample = {
        "subset": SUBSET,
        "operation": "move",
        "instruction": "Move the cup 10 centimeters to the left",
        "target": "cup",
        "width": width,
        "height": height,
        "camera": {"intrinsics": lens},
    }
    names = [f"scene-{index:05}" for index in range(images)]
    samples = [
        {**sample, "id": f"{name}_edit_0", "scene": name, "original": f"originals/{SUBSET}/{name}.png"}
        for name in names
    ]
    return BenchmarkManifest.model_validate(
        {
            "schema": "gsi-benchmark/1",
            "benchmark": SUBSET,
            "title": "Measured",
            "protocol": "gsi-fair-1",
            "detector": "none",
            "judge": "none",
            "perceptual": "none",
            "subsets": [{"id": SUBSET, "title": "Measured", "samples": images}],
            "samples": samples,
        }
    )


def make_archive(path: Path, known: BenchmarkManifest, *, method: int) -> None:
    """A zip with a picture for every sample."""
    width, height = known.samples[0].width, known.samples[0].height
    rng = np.random.default_rng(0)
    pictures = [_encoded(picture(rng, width=width, height=height)) for _ in range(min(PICTURES, len(known.samples)))]
    with zipfile.ZipFile(path, "w", method) as archive:
        for index, sample in enumerate(known.samples):
            archive.writestr(f"{sample.subset}/{sample.id}.png", pictures[index % len(pictures)])


def _encoded(pixels: np.ndarray) -> bytes:
    """A PNG of about 430 kB for 1024x768, as rendered scenes have: fine noise is rounded away."""
    stream = io.BytesIO()
    PillowImage.fromarray(pixels & 0xF0).save(stream, "PNG")
    return stream.getvalue()


def bare(archive: Path, *, threads: int) -> None:
    """The least: inflate, decode, hash."""
    with zipfile.ZipFile(archive) as reader:
        infos = reader.infolist()
    with archive.open("rb") as stream, ThreadPoolExecutor(threads) as pool:
        hashing = pool.submit(_sha256, archive)
        for _ in pool.map(partial(_inflate_and_decode, stream.fileno()), infos):
            pass
        hashing.result()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _inflate_and_decode(descriptor: int, info: zipfile.ZipInfo) -> None:
    start = info.header_offset + 30 + len(info.filename)  # our own archive: nothing else is in its headers
    content = os.pread(descriptor, info.compress_size, start)
    if info.compress_type == zipfile.ZIP_DEFLATED:
        content = zlib.decompress(content, -zlib.MAX_WBITS, info.file_size)
    PillowImage.open(io.BytesIO(content)).load()


def gate(folder: Path, *, threads: int) -> float:
    """The real process; returns its peak of memory in MiB."""
    arguments = ["gate", "--archive", folder / "a.zip", "--manifest", folder / "m.json", "--out", folder / "v.json"]
    command = [sys.executable, "-c", GATE, *map(str, arguments), "--threads", str(threads)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    verdict = json.loads((folder / "v.json").read_text())
    if not verdict["accepted"] or verdict["defects"]:
        raise SystemExit(f"the gate found {verdict['defects'][:3]}")
    return int(ended.stdout) / 1024


def store(folder: Path) -> None:
    """Put the archive into a local storage and take it away again."""
    storage = LocalStorage(folder / "storage")
    put_file(storage, "a.zip", folder / "a.zip")


def timed(work: Callable[[], float | None]) -> Taken:
    """What ``work`` and the processes that it waits for take."""
    began, used = time.perf_counter(), _used()
    peak = work()
    return Taken(time.perf_counter() - began, _used() - used, peak or 0.0)


def _used() -> float:
    return sum(os.times()[:4])


def measure(folder: Path, *, rounds: int, threads: int) -> list[dict[str, float]]:
    """All rounds; the side that begins changes."""
    sides: dict[str, Callable[[], float | None]] = {
        "bare": lambda: bare(folder / "a.zip", threads=threads),
        "gate": lambda: gate(folder, threads=threads),
        "store": lambda: store(folder),
    }
    found = []
    for index in range(rounds):
        order = list(sides) if index % 2 else list(reversed(sides))
        taken = {name: timed(sides[name]) for name in order}
        LocalStorage(folder / "storage").delete("a.zip")
        found.append(Round(**taken).row())
        print("round", index + 1, ", ".join(f"{name} {value:.2f}" for name, value in found[-1].items()), flush=True)
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1634)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", default="1024x768")
    parser.add_argument("--stored", action="store_true", help="a zip without compression")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = manifest(images=options.images, width=width, height=height)
        (folder / "m.json").write_text(known.model_dump_json())
        method = zipfile.ZIP_STORED if options.stored else zipfile.ZIP_DEFLATED
        make_archive(folder / "a.zip", known, method=method)
        size = (folder / "a.zip").stat().st_size
        print(f"{options.images} PNG files of {options.size}, {size / 1e6:.0f} MB, {options.threads} threads")
        rounds = measure(folder, rounds=options.rounds, threads=options.threads)
    middle = {name: statistics.median(row[name] for row in rounds) for name in rounds[0]}
    print("| " + " | ".join(middle) + " |\n|" + "---|" * len(middle))
    print("| " + " | ".join(f"{value:.2f}" for value in middle.values()) + " |")


if __name__ == "__main__":
    main()
