"""How much memory the real gate process takes, whatever lies in the archive."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from scorer.bundle import Limits
from scorer.contract import Verdict
from tests.gate_corpus.benchmark import SAMPLES, manifest, path_of
from tests.gate_corpus.pictures import saved
from tests.gate_corpus.zips import FULL32, Part, written

MOST = 300 * 1024 * 1024
THREADS = 8
WIDE, HIGH = 3840, 2160
PROGRAM = """
import runpy
from pathlib import Path
try:
    runpy.run_module("scorer", run_name="__main__", alter_sys=True)
finally:
    status = Path("/proc/self/status").read_text()
    print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def judged(folder: Path, *, size: tuple[int, int] | None = None) -> tuple[Verdict, int]:
    """The verdict on archive.zip, and the most bytes of memory that its process held."""
    known = manifest().model_dump(mode="json")
    for sample in known["samples"]:
        if size is not None:
            sample |= {"width": size[0], "height": size[1]}
    (folder / "benchmark.json").write_text(json.dumps(known))
    files = {"--archive": "archive.zip", "--manifest": "benchmark.json", "--out": "verdict.json"}
    options = [word for option, name in files.items() for word in (option, str(folder / name))]
    command = [sys.executable, "-c", PROGRAM, "gate", *options, "--threads", str(THREADS)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return Verdict.model_validate_json((folder / "verdict.json").read_text()), int(ended.stdout) * 1024


def codes(verdict: Verdict) -> set[str]:
    return {found.code for found in verdict.defects if found.severity == "error"}


def test_a_file_of_a_gibibyte_and_one_that_claims_eight_are_refused_unread(tmp_path):
    size = 2**30
    sizes = {"size": size, "packed": size, "crc": 0}
    extra = b"\1\0\x10\0" + (8 * size).to_bytes(8, "little") * 2
    claims = {"size": FULL32, "packed": FULL32, "extra": extra}
    claiming = Part(name=path_of(SAMPLES[1]), content=b"x", local=claims, central=claims)
    head = written([claiming, Part(name=path_of(SAMPLES[0]), method=0, local=sizes, central=sizes)])
    table = head.index(b"PK\x01\x02")
    end = bytearray(head[table:])
    end[-6:-2] = (table + size).to_bytes(4, "little")
    with (tmp_path / "archive.zip").open("wb") as sparse:
        sparse.write(head[:table])
        sparse.seek(table + size)
        sparse.write(end)
    verdict, memory = judged(tmp_path)
    assert codes(verdict) == {"file-too-large", "damaged-file", "nothing-usable"}
    assert verdict.archive_bytes > size
    assert memory < MOST


def test_as_many_entries_as_are_read_fit(tmp_path):
    names = (f"a rather long name of a folder/{index:06}.png" for index in range(Limits().entries))
    parts = [Part(name=name, content=b"x", method=0) for name in names]
    (tmp_path / "archive.zip").write_bytes(written(parts, zip64=True))
    verdict, memory = judged(tmp_path)
    assert codes(verdict) == {"unknown-sample", "nothing-usable"}
    assert memory < MOST


def test_of_the_largest_images_as_many_are_decoded_at_a_time_as_memory_allows(tmp_path):
    rows = np.random.default_rng(0).integers(0, 256, (HIGH, 1, 3), dtype=np.uint8)
    picture = Image.fromarray(np.broadcast_to(rows, (HIGH, WIDE, 3)).copy())
    png = saved(picture, compress_level=0)
    webp = saved(picture, "WEBP", lossless=True, quality=0, method=0)
    images = {path_of(one): png for one in SAMPLES[:3]} | {path_of(one, ".webp"): webp for one in SAMPLES[3:]}
    parts = [Part(name=name, content=content, method=0) for name, content in images.items()]
    (tmp_path / "archive.zip").write_bytes(written(parts))
    verdict, memory = judged(tmp_path, size=(WIDE, HIGH))
    assert (verdict.defects, len(verdict.images)) == ([], len(SAMPLES))
    assert memory < MOST
