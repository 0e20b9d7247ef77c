"""From an archive's file names to the samples of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath

from scorer.contract import BenchmarkManifest, Sample
from scorer.gate.archive import Entry
from scorer.gate.defects import Findings

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_SYSTEM_FOLDERS = {"__MACOSX", ".Trashes", ".Spotlight-V100"}
_SYSTEM_FILES = {".ds_store", "thumbs.db", "desktop.ini"}
_HINTS_FOR = 50
"""How many unknown names get a search for the name that was meant; a search takes a few milliseconds."""


@dataclass(frozen=True)
class Named:
    """An archive's entry that carries the name of a sample."""

    sample: Sample
    entry: Entry


def expected_name(sample: Sample) -> str:
    """A name under which a sample's image is found."""
    return f"{sample.subset}/{sample.id}.png"


def match(*, entries: Sequence[Entry], manifest: BenchmarkManifest, findings: Findings) -> list[Named]:
    """The entries that belong to samples, in the archive's order; whatever else there is goes into ``findings``.

    One further folder around everything is allowed; files that systems leave behind are ignored with a warning.
    """
    ours = []
    for entry in entries:
        if _is_system_file(entry.name):
            findings.add("ignored-file", file=entry.name)
        else:
            ours.append(entry)
    return _Matcher(manifest, findings, prefix=_wrapper(ours, manifest)).match(ours)


class _Matcher:
    def __init__(self, manifest: BenchmarkManifest, findings: Findings, *, prefix: str) -> None:
        self._manifest = manifest
        self._findings = findings
        self._prefix = prefix
        self._samples = {sample.id: sample for sample in manifest.samples}
        self._taken: dict[str, str] = {}
        self._hints_left = _HINTS_FOR

    def match(self, entries: Sequence[Entry]) -> list[Named]:
        return [named for entry in entries if (named := self._named(entry)) is not None]

    def _named(self, entry: Entry) -> Named | None:
        path = PurePosixPath(entry.name.removeprefix(self._prefix))
        if path.suffix.lower() not in SUFFIXES:
            self._findings.add("unexpected-file", file=entry.name)
            return None
        sample = self._samples.get(path.stem)
        if sample is None:
            self._findings.add(
                "unknown-sample",
                file=entry.name,
                sample=path.stem,
                benchmark=self._manifest.title,
                hint=self._hint(path.stem),
            )
            return None
        if str(path.parent) != sample.subset:
            expected = f"{sample.subset}/{path.name}"
            self._findings.add(
                "wrong-folder", file=entry.name, sample=sample.id, subset=sample.subset, expected=expected
            )
            return None
        if (other := self._taken.setdefault(sample.id, entry.name)) != entry.name:
            self._findings.add("duplicate-sample", file=entry.name, sample=sample.id, other=other)
            return None
        return Named(sample, entry)

    def _hint(self, stem: str) -> str:
        """What may have been meant."""
        general = "Name the file after the sample's id in the benchmark's manifest, or leave it out."
        if self._hints_left <= 0:
            return general
        self._hints_left -= 1
        close = get_close_matches(stem[:120], self._samples, n=1, cutoff=0.8)
        return f"Did you mean '{close[0]}'? {general}" if close else general


def note_missing(*, manifest: BenchmarkManifest, present: set[str], findings: Findings) -> None:
    """Warn of the samples without any file; a subset without a single one is told in one sentence."""
    for subset in manifest.subsets:
        samples = manifest.of_subset(subset.id)
        missing = [sample for sample in samples if sample.id not in present]
        if len(missing) == len(samples):
            findings.add("missing-subset", subset=subset.id, count=len(samples), expected=expected_name(samples[0]))
        else:
            for sample in missing:
                findings.add("missing-sample", sample=sample.id, expected=expected_name(sample))


def _is_system_file(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(_SYSTEM_FOLDERS & set(path.parts)) or path.name.lower() in _SYSTEM_FILES or path.name.startswith("._")


def _wrapper(entries: Sequence[Entry], manifest: BenchmarkManifest) -> str:
    """The one folder around everything with its slash, or the empty string."""
    first = {PurePosixPath(entry.name).parts[0] for entry in entries}
    nested = all("/" in entry.name for entry in entries)
    if len(first) != 1 or not nested:
        return ""
    (folder,) = first
    subsets = {subset.id for subset in manifest.subsets}
    seconds = {PurePosixPath(entry.name).parts[1] for entry in entries}
    return f"{folder}/" if folder not in subsets or seconds & subsets else ""
