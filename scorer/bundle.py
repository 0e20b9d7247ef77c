"""A submission's archive: all its defects at once, its images one by one.

The one gate for the server and for ``gsi check``; without torch. Nothing is ever extracted to disk. The parts are in
``scorer.gate``; every rule is in ``docs/gate.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from scorer.contract import BenchmarkManifest, Defect, ImageFacts, Sample, Verdict
from scorer.gate.archive import Archive, ArchiveError, Entry, opened
from scorer.gate.budget import Budget
from scorer.gate.defects import KINDS, Findings, Kind
from scorer.gate.images import Picture, Pixels, decode, look
from scorer.gate.limits import DEFAULT_LIMITS, Limits
from scorer.gate.names import Named, expected_name, match, note_missing
from scorer.in_order import AHEAD, in_order

__all__ = [
    "BUNDLE_VERSION",
    "KINDS",
    "ArchiveError",
    "Bundle",
    "Kind",
    "Limits",
    "Outline",
    "Picture",
    "Pixels",
    "check",
    "open_bundle",
]

BUNDLE_VERSION = "gsi-bundle-2"
"""Names the rules of the gate in verdicts; it changes whenever a verdict can."""

_CHUNK = 1024 * 1024
_BYTES_PER_PIXEL = 16
"""What a picture takes while it is decoded, at most: the decoder of WebP keeps it three times beside the result."""


class Outline(NamedTuple):
    """What is known before a single image is unpacked. ``images`` carry the name of a sample and will be looked at."""

    accepted: bool
    defects: list[Defect]
    images: int


class _Seen(NamedTuple):
    """What became of one image: its facts, or None, and what there is to say of it."""

    sample: Sample
    facts: ImageFacts | None
    notes: Sequence[Defect]


def check(
    *,
    archive: Path,
    manifest: BenchmarkManifest,
    limits: Limits = DEFAULT_LIMITS,
    threads: int = 1,
    on_outline: Callable[[Outline], None] = lambda outline: None,
    on_image: Callable[[], None] = lambda: None,
) -> Verdict:
    """Judge an archive against a benchmark. Whatever the archive contains, the answer is a verdict.

    ``threads`` images are decoded at a time, with the same verdict for every number. ``on_outline`` is told of
    structure and names, which takes no time, then ``on_image`` of each image; both in the caller's thread.
    Raises OSError where the file itself cannot be read, ValueError for less than one thread.
    """
    findings = Findings(limits.listed)
    images: dict[str, ImageFacts] = {}
    try:
        with opened(archive, limits=limits) as reader, _workers(threads) as pool:
            named = _named(reader, manifest, findings, limits)
            on_outline(Outline(not findings.has_errors, findings.told(), len(named)))
            hashing = pool.submit(sha256_of, archive)
            work = partial(_see, reader, Budget(limits.memory_bytes))
            with closing(in_order(pool, work, named, most=AHEAD * threads)) as seen:
                for one in seen:
                    for note in one.notes:
                        findings.note(note)
                    if one.facts is not None:
                        images[one.sample.id] = one.facts
                    on_image()
            if not (images or "too-much-data" in findings):
                example = expected_name(manifest.samples[0])
                findings.add("nothing-usable", benchmark=manifest.title, example=example)
            digest = hashing.result()
    except ArchiveError as error:
        findings.note(error.defect)
        on_outline(Outline(False, findings.told(), 0))
        digest = sha256_of(archive)
    return Verdict(
        accepted=not findings.has_errors,
        defects=findings.told(),
        images=images,
        archive_sha256=digest,
        archive_bytes=archive.stat().st_size,
        bundle_version=BUNDLE_VERSION,
    )


def _named(reader: Archive, manifest: BenchmarkManifest, findings: Findings, limits: Limits) -> list[Named]:
    """The entries worth unpacking; everything else that structure and names tell is noted."""
    contents = reader.contents(findings)
    named = match(entries=contents.accepted, manifest=manifest, findings=findings)
    names = [item.entry.name for item in named] + contents.refused
    note_missing(manifest=manifest, names=names, findings=findings)
    if sum(item.entry.size for item in named) > limits.total_bytes:
        findings.add("too-much-data", limit=limits.total_bytes)
        return []
    return named


def _see(reader: Archive, budget: Budget, item: Named) -> _Seen:
    """Unpack, hash and decode one image within the memory that there is, and keep nothing of it."""
    with budget.hold(2 * item.entry.size + _BYTES_PER_PIXEL * item.sample.width * item.sample.height):
        return _seen(reader, item.entry, item.sample)


def _seen(reader: Archive, entry: Entry, sample: Sample) -> _Seen:
    content = reader.read(entry)
    if isinstance(content, Defect):
        return _Seen(sample, None, [content])
    looked = look(content, name=entry.name, sample=sample)
    if isinstance(looked, Defect):
        return _Seen(sample, None, [looked])
    digest = hashlib.sha256(content).hexdigest()
    facts = ImageFacts(member=entry.name, format=looked.format, width=sample.width, height=sample.height, sha256=digest)
    return _Seen(sample, facts, looked.warnings)


@contextmanager
def _workers(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool; whatever leaves the block waits for the images in work alone."""
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True)
class Bundle:
    """An opened submission whose images are decoded when they are asked for."""

    _reader: Archive
    _entries: dict[str, Entry]

    def image(self, sample: Sample) -> Picture | Defect | None:
        """A sample's picture, the defect that makes it unusable, or None where the archive has none."""
        return self.fetch(sample)()

    def fetch(self, sample: Sample) -> Callable[[], Picture | Defect | None]:
        """What ``image`` answers, its content read now and decoded when it is called, which any thread may do."""
        entry = self._entries.get(sample.id)
        if entry is None:
            return lambda: None
        content = self._reader.read(entry)
        if isinstance(content, Defect):
            refused = content
            return lambda: refused
        return partial(decode, content, name=entry.name, sample=sample)


@contextmanager
def open_bundle(*, archive: Path, manifest: BenchmarkManifest, limits: Limits = DEFAULT_LIMITS) -> Iterator[Bundle]:
    """Open an archive for scoring; what the gate would complain about is skipped here.

    Raises ArchiveError for a file that is no usable zip, OSError for a failing disk.
    """
    findings = Findings(limits.listed)
    with opened(archive, limits=limits) as reader:
        named = match(entries=reader.contents(findings).accepted, manifest=manifest, findings=findings)
        yield Bundle(reader, {item.sample.id: item.entry for item in named})


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
