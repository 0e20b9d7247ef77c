"""A submission's archive: all its defects at once, its images one by one.

The one gate for the server and for ``gsi check``; without torch. Nothing is ever extracted to disk. The parts are in
``scorer.gate``: limits, the catalogue of defects, reading a zip, matching names, decoding images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scorer.contract import BenchmarkManifest, Defect, ImageFacts, Sample, Verdict
from scorer.gate.archive import Archive, ArchiveError, Entry, opened
from scorer.gate.defects import KINDS, Findings, Kind
from scorer.gate.images import Picture, Pixels, decode
from scorer.gate.limits import DEFAULT_LIMITS, Limits
from scorer.gate.names import expected_name, match, note_missing

__all__ = [
    "BUNDLE_VERSION",
    "KINDS",
    "ArchiveError",
    "Bundle",
    "Kind",
    "Limits",
    "Picture",
    "Pixels",
    "check",
    "open_bundle",
]

BUNDLE_VERSION = "gsi-bundle-1"
"""Names the rules of the gate in verdicts; it changes whenever a verdict can."""

_CHUNK = 1024 * 1024


def check(*, archive: Path, manifest: BenchmarkManifest, limits: Limits = DEFAULT_LIMITS) -> Verdict:
    """Judge an archive against a benchmark. Whatever the archive contains, the answer is a verdict.

    Raises OSError where the file itself cannot be read.
    """
    findings = Findings(limits.listed)
    images: dict[str, ImageFacts] = {}
    try:
        with opened(archive, limits=limits) as reader:
            named = match(entries=reader.entries(findings), manifest=manifest, findings=findings)
            note_missing(manifest=manifest, present={item.sample.id for item in named}, findings=findings)
            for item in named:
                if (facts := _facts(reader, item.entry, item.sample, findings)) is not None:
                    images[item.sample.id] = facts
        if not images:
            example = expected_name(manifest.samples[0])
            findings.add("nothing-usable", benchmark=manifest.title, example=example)
    except ArchiveError as error:
        findings.note(error.defect)
    return Verdict(
        accepted=not findings.has_errors,
        defects=findings.told(),
        images=images,
        archive_sha256=sha256_of(archive),
        archive_bytes=archive.stat().st_size,
        bundle_version=BUNDLE_VERSION,
    )


def _facts(reader: Archive, entry: Entry, sample: Sample, findings: Findings) -> ImageFacts | None:
    """What is worth knowing of one image, or None after noting why it cannot be used."""
    content = reader.read(entry)
    if isinstance(content, Defect):
        findings.note(content)
        return None
    picture = decode(content, name=entry.name, sample=sample)
    if isinstance(picture, Defect):
        findings.note(picture)
        return None
    for warning in picture.warnings:
        findings.note(warning)
    return ImageFacts(
        member=entry.name,
        format=picture.format,
        width=sample.width,
        height=sample.height,
        sha256=hashlib.sha256(content).hexdigest(),
    )


@dataclass(frozen=True)
class Bundle:
    """An opened submission whose images are decoded when they are asked for."""

    _reader: Archive
    _entries: dict[str, Entry]

    def image(self, sample: Sample) -> Picture | Defect | None:
        """A sample's picture, the defect that makes it unusable, or None where the archive has none."""
        return self.fetch(sample)()

    def fetch(self, sample: Sample) -> Callable[[], Picture | Defect | None]:
        """What ``image`` answers, its content read now and decoded when it is called, which any thread may do.

        Whether the archive's limit is reached depends on what was read before, so samples are fetched in order.
        """
        entry = self._entries.get(sample.id)
        if entry is None:
            return lambda: None
        content: bytes | Defect
        try:
            content = self._reader.read(entry)
        except ArchiveError as error:
            content = error.defect
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
        named = match(entries=reader.entries(findings), manifest=manifest, findings=findings)
        yield Bundle(reader, {item.sample.id: item.entry for item in named})


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
