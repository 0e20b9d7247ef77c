"""What a job gets to see: private folders with exactly the files it needs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from psycopg import Connection

from scorer.contract import RunManifest
from server.benchmarks import store as benchmarks
from server.benchmarks.files import unpacked
from server.benchmarks.model import Version
from server.errors import NotFoundError, StorageError
from server.scoring import outputs
from server.scoring.model import LockedSubmission, Run
from server.storage.port import Storage, Stored, download


class Folders(NamedTuple):
    """A job's two folders; both vanish when it is over."""

    input: Path
    output: Path


@contextmanager
def private_folders(work_dir: Path) -> Iterator[Folders]:
    """Two fresh folders that only this process's user may enter. What killed workers left of theirs goes on the way."""
    work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _remove_deserted(work_dir)
    new = Path(tempfile.mkdtemp(prefix="new-job-", dir=work_dir))
    held = _held(new)  # as long as this process lives
    private = new.rename(work_dir / new.name.removeprefix("new-"))
    try:
        folders = Folders(private / "input", private / "output")
        for folder in folders:
            folder.mkdir(mode=0o700)
        yield folders
    finally:
        outputs.remove(private)
        if held is not None:
            os.close(held)


def _remove_deserted(work_dir: Path) -> None:
    for left in work_dir.glob("job-*"):
        held = _held(left)
        if held is not None:
            outputs.remove(left)
            os.close(held)


def _held(folder: Path) -> int | None:
    """A lock on a folder that ends with this process; None where another holds it, or it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def version_of(conn: Connection, benchmark_id: str, version: str) -> Version:
    """The content that a submission was made for. Raises NotFoundError."""
    found = benchmarks.get_version(conn, benchmark_id, version)
    if found is None:
        raise NotFoundError(f"The benchmark {benchmark_id} has no version {version[:12]}.")
    return found


def fill_for_gate(
    folder: Path, storage: Storage, *, archive_key: str, version: Version, each: Callable[[], None]
) -> Stored:
    """submission.zip and the public manifest; nothing hidden comes near the gate. Size and hash of the zip as written.

    ``each`` is called after every megabyte or so.
    """
    stored = download(storage, archive_key, folder / "submission.zip", each=each)
    (folder / "benchmark.json").write_text(json.dumps(version.manifest))
    return stored


def manifest_of(run: Run, version: Version, *, threads: int) -> RunManifest:
    """What a run is, for every step of it: its own protocol ranks, the benchmark's others stand beside."""
    protocols = [version.manifest["protocol"], *version.manifest.get("beside", [])]
    return RunManifest(
        submission=str(run.submission_id),
        benchmark=version.benchmark_id,
        benchmark_version=version.version,
        subset=run.subset,
        protocol=run.protocol,
        beside=[one for one in protocols if one != run.protocol],
        detector=version.detector,
        judge=version.judge,
        perceptual=version.manifest["perceptual"],
        threads=threads,
    )


def fill(folder: Path, *, manifest: RunManifest, version: Version) -> None:
    """What the steps of a run read that see no picture: its manifest and the benchmark's."""
    (folder / "benchmark.json").write_text(json.dumps(version.manifest))
    (folder / "manifest.json").write_text(manifest.model_dump_json(by_alias=True))


def fill_with_scenes(
    folder: Path, storage: Storage, *, manifest: RunManifest, version: Version, work_dir: Path
) -> None:
    """The originals and the ground truth of this run's subset alone; no submission."""
    fill(folder, manifest=manifest, version=version)
    public = unpacked(storage, key=version.public_key, version=version.version, part="public", work_dir=work_dir)
    hidden = unpacked(storage, key=version.hidden_key, version=version.version, part="hidden", work_dir=work_dir)
    samples = [sample for sample in version.manifest["samples"] if sample["subset"] == manifest.subset]
    for original in {sample["original"] for sample in samples}:
        _share(public / original, folder / original)
    _share_truth(hidden, folder / "truth", {sample["id"] for sample in samples})


def fill_with_archive(
    folder: Path, storage: Storage, submission: LockedSubmission, *, each: Callable[[], None]
) -> None:
    """The submission. ``each`` is called after every megabyte or so.

    Raises StorageError when the archive is not the one that was checked.
    """
    stored = download(storage, submission.archive_key or "", folder / "submission.zip", each=each)
    if stored.sha256 != submission.archive_sha256:
        raise StorageError("The stored archive is not the one that was checked.")


def _share_truth(hidden: Path, folder: Path, wanted: set[str]) -> None:
    truth: dict[str, Any] = json.loads((hidden / "truth.json").read_text())
    truth["samples"] = {name: sample for name, sample in truth["samples"].items() if name in wanted}
    folder.mkdir(mode=0o700)
    (folder / "truth.json").write_text(json.dumps(truth))
    for sample in truth["samples"].values():
        if sample.get("gt_image") is None:
            continue
        _share(hidden / sample["gt_image"], folder / sample["gt_image"])


def _share(source: Path, target: Path) -> None:
    """The same file under another name, without copying where the file system allows."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
