"""Benchmarks in the service's own format: benchmark.json, truth.json and pictures, as a folder or as two archives."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from infra.benchmarks.editions import require_id
from infra.benchmarks.findings import Findings
from infra.benchmarks.packing import Advance, Draft, Parts, pack
from infra.benchmarks.pictures import require_usable, size_of
from scorer.contract import BenchmarkManifest, Strict, Truth
from scorer.gate.limits import DEFAULT_LIMITS
from scorer.inputs import Task, complaint

MANIFEST, TRUTH = "benchmark.json", "truth.json"
_PUBLIC_ENDING, _HIDDEN_ENDING = "public.zip", "hidden.zip"
_CORRECT = "Correct the file; docs/schemas has its schema."

Model = TypeVar("Model", bound=Strict)


ORIGINALS = "originals"
"""The folder of the public archive that the service serves one by one."""


@dataclass(frozen=True)
class _Part:
    """One part's files: which there are, and how to read one."""

    name: str
    names: frozenset[str]
    read: Callable[[str], bytes]


def is_own(folder: Path) -> bool:
    """Whether a folder is of this format, not of the official one."""
    return (folder / MANIFEST).is_file() or any(_archives(folder))


def read_own(
    folder: Path, into: Path, *, found: Findings, advance: Advance = lambda: None
) -> tuple[BenchmarkManifest, Parts]:
    """A benchmark's manifest and its two archives: those of ``folder``, or made in ``into`` from its files.

    Raises RefusedError once everything was looked at; what only needs to be known stays in ``found``.
    """
    public_zips, hidden_zips = _archives(folder)
    if not (public_zips or hidden_zips):
        truth_folder = next((one for one in (folder, folder / "truth") if (one / TRUTH).is_file()), folder)
        manifest, truth = _checked(_files(folder), _files(truth_folder), found=found, advance=advance)
        public = {one.original: folder / one.original for one in manifest.samples}
        hidden = {one.gt_image: truth_folder / one.gt_image for one in truth.samples.values() if one.gt_image}
        return manifest, pack(Draft(manifest, truth, public, hidden), into)
    for ending, zips in ((_PUBLIC_ENDING, public_zips), (_HIDDEN_ENDING, hidden_zips)):
        if len(zips) != 1:
            wrong = f"holds {len(zips)} files *{ending}"
            found.error(folder.name, wrong, "Give a folder with one archive of each part.")
    found.require_none()
    with _zipped(public_zips[0], found) as open_part, _zipped(hidden_zips[0], found) as closed_part:
        manifest, _ = _checked(open_part, closed_part, found=found, advance=advance, exact=True)
    return manifest, Parts(public_zips[0], hidden_zips[0])


def _archives(folder: Path) -> tuple[list[Path], list[Path]]:
    return sorted(folder.glob(f"*{_PUBLIC_ENDING}")), sorted(folder.glob(f"*{_HIDDEN_ENDING}"))


def _files(folder: Path) -> _Part:
    paths = (path for path in folder.rglob("*") if path.is_file())
    names = frozenset(path.relative_to(folder).as_posix() for path in paths)
    return _Part(folder.name, names, lambda name: (folder / name).read_bytes())


@contextmanager
def _zipped(path: Path, found: Findings) -> Iterator[_Part]:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile):
        found.error(path.name, "is no zip that can be read", "Make the archive again.")
        found.require_none()
        raise
    with archive:
        entries = [one for one in archive.infolist() if not one.is_dir()]
        for one in entries:
            if one.file_size > DEFAULT_LIMITS.file_bytes:
                found.error(f"{path.name}: {one.filename}", "is too large when unpacked", "Leave it out or shrink it.")
        found.require_none()
        yield _Part(path.name, frozenset(one.filename for one in entries), partial(_unzipped, archive))


def _unzipped(archive: zipfile.ZipFile, name: str) -> bytes:
    """A file of an archive; nothing where it is damaged, which is then no picture and no JSON."""
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return b""


def _checked(
    public: _Part, hidden: _Part, *, found: Findings, advance: Advance, exact: bool = False
) -> tuple[BenchmarkManifest, Truth]:
    """Both parts, against the contract and each other. ``exact``: the public one, which teams get, holds no more."""
    manifest = _parsed(public, MANIFEST, BenchmarkManifest, found)
    truth = _parsed(hidden, TRUTH, Truth, found)
    if manifest is None or truth is None:
        found.require_none()
        raise AssertionError("a file that cannot be used was told of")
    try:
        require_id(manifest.benchmark)
    except ValueError as error:
        found.error(f"{public.name}: {MANIFEST}", str(error).removesuffix("."), _CORRECT, field="benchmark")
    ids = {sample.id for sample in manifest.samples}
    for id in sorted(ids ^ set(truth.samples)):
        where, other = (MANIFEST, TRUTH) if id in ids else (TRUTH, MANIFEST)
        found.error(where, f"names the sample {id}, {other} does not", "Make both anew.", field=f"samples.{id}")
    _check_pictures(manifest, truth, public, hidden, found=found, advance=advance)
    for sample in manifest.samples:
        if sample.original.partition("/")[0] != ORIGINALS:
            told = f"{sample.original} is served to nobody", f"Put originals below {ORIGINALS}/."
            found.error(f"{public.name}: {MANIFEST}", *told, field=f"samples.{sample.id}.original")
        wrong = complaint(Task(sample, truth.samples[sample.id])) if sample.id in truth.samples else None
        if wrong is not None:
            found.error(f"{hidden.name}: {TRUTH}", wrong, _CORRECT, field=f"samples.{sample.id}")
    if exact:
        wanted = {MANIFEST, *(sample.original for sample in manifest.samples)}
        for name in sorted(public.names - wanted):
            wrong = "is no part of the public archive, and every team would get it"
            found.error(f"{public.name}: {name}", wrong, "Leave it out.")
    found.require_none()
    return manifest, truth


def _parsed(part: _Part, name: str, model: type[Model], found: Findings) -> Model | None:
    file = f"{part.name}: {name}"
    if name not in part.names:
        found.error(file, "is missing", "Add it.")
        return None
    try:
        return model.model_validate_json(part.read(name))
    except ValidationError as error:  # values may be hidden: places and kinds are told alone
        for one in error.errors(include_input=False, include_url=False, include_context=False):
            found.error(file, one["msg"], _CORRECT, field=".".join(str(step) for step in one["loc"]))
        return None


def _check_pictures(
    manifest: BenchmarkManifest, truth: Truth, public: _Part, hidden: _Part, *, found: Findings, advance: Advance
) -> None:
    """Every picture is there, can be read, and has the size that the manifest states."""
    done: set[tuple[str, str, int, int]] = set()
    for sample in manifest.samples:
        true_edit = truth.samples[sample.id].gt_image if sample.id in truth.samples else None
        for part, name in ((public, sample.original), (hidden, true_edit)):
            key = part.name, name or "", sample.width, sample.height
            if name is None or key in done:
                continue
            done.add(key)
            file = f"{part.name}: {name}"
            if name not in part.names:
                found.error(file, "is missing", f"Add it, or correct the sample {sample.id}.")
            elif size_of(content := part.read(name), file=file, found=found) is not None:
                require_usable(content, file=file, sample=sample, found=found)
        advance()
