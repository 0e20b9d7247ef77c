"""From an archive's file names to the samples of a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath

from scorer.contract import BenchmarkManifest, Sample
from scorer.gate.archive import Entry
from scorer.gate.defects import Findings

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_SYSTEM_FOLDERS = {"__MACOSX", ".Trashes", ".Spotlight-V100"}
_SYSTEM_FILES = {".ds_store", "thumbs.db", "desktop.ini"}
_OFFICIAL = "generated_images_"
_EVALUATION = "_eval"
_COMPARED = 60_000
"""How many names are compared in search of those that were meant: about half a second's work."""


@dataclass(frozen=True)
class Named:
    """An archive's entry that carries the name of a sample."""

    sample: Sample
    entry: Entry


def expected_name(sample: Sample) -> str:
    """A name under which a sample's image is found."""
    return f"{sample.subset}/{sample.id}.png"


def folders_of(sample: Sample) -> tuple[str, str]:
    """The two folders in which a sample's image may lie: its subset's, and the official one of its data set.

    The official data sets keep their originals in ``originals/<data set>/``; elsewhere the subset stands for one.
    """
    parts = PurePosixPath(sample.original).parts
    dataset = parts[-2] if len(parts) > 2 else sample.subset
    return sample.subset, _OFFICIAL + dataset


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
    return _Matcher(manifest, findings, names=[entry.name for entry in ours]).match(ours)


class _Matcher:
    def __init__(self, manifest: BenchmarkManifest, findings: Findings, *, names: Sequence[str]) -> None:
        self._manifest = manifest
        self._findings = findings
        self._samples = {sample.id: sample for sample in manifest.samples}
        self._folders = {sample.id: folders_of(sample) for sample in manifest.samples}
        known = {folder for both in self._folders.values() for folder in both}
        self._evaluations = {folder.removeprefix(_OFFICIAL) + _EVALUATION for folder in known}
        self._prefix = _wrapper(names, known | self._evaluations)
        self._taken: dict[str, str] = {}
        self._hints_left = min(findings.listed, _COMPARED // len(self._samples))

    def match(self, entries: Sequence[Entry]) -> list[Named]:
        return [named for entry in entries if (named := self._named(entry)) is not None]

    def _named(self, entry: Entry) -> Named | None:
        folder, _, file = entry.name.removeprefix(self._prefix).rpartition("/")
        stem, dot, suffix = file.rpartition(".")
        if folder.partition("/")[0] in self._evaluations:
            self._findings.add("ignored-evaluation", file=entry.name)
        elif (dot + suffix).lower() not in SUFFIXES:
            self._findings.add("unexpected-file", file=entry.name)
        elif (sample := self._samples.get(stem)) is None:
            facts = {"sample": stem, "benchmark": self._manifest.title, "hint": self._hint(stem)}
            self._findings.add("unknown-sample", file=entry.name, **facts)
        elif folder not in self._folders[sample.id]:
            facts = {"sample": stem, "subset": sample.subset, "expected": f"{sample.subset}/{file}"}
            self._findings.add("wrong-folder", file=entry.name, **facts)
        elif (other := self._taken.setdefault(sample.id, entry.name)) != entry.name:
            self._findings.add("duplicate-sample", file=entry.name, sample=sample.id, other=other)
        else:
            return Named(sample, entry)
        return None

    def _hint(self, stem: str) -> str:
        """What may have been meant; only names that are told in full get a search."""
        general = "Name the file after the sample's id in the benchmark's manifest, or leave it out."
        if self._hints_left <= 0:
            return general
        self._hints_left -= 1
        close = get_close_matches(stem[:120], self._samples, n=1, cutoff=0.8)
        return f"Did you mean '{close[0]}'? {general}" if close else general


def note_missing(*, manifest: BenchmarkManifest, names: Iterable[str], findings: Findings) -> None:
    """Warn of the samples that no file is named after; a subset without a single one is told in one sentence."""
    present = {PurePosixPath(name).stem for name in names}
    for subset in manifest.subsets:
        samples = manifest.of_subset(subset.id)
        missing = [sample for sample in samples if sample.id not in present]
        if len(missing) == len(samples):
            findings.add("missing-subset", subset=subset.id, count=len(samples), expected=expected_name(samples[0]))
        else:
            for sample in missing:
                findings.add("missing-sample", sample=sample.id, expected=expected_name(sample))


def _is_system_file(name: str) -> bool:
    parts = name.split("/")
    return not _SYSTEM_FOLDERS.isdisjoint(parts) or parts[-1].lower() in _SYSTEM_FILES or parts[-1].startswith("._")


def _wrapper(names: Sequence[str], known: set[str]) -> str:
    """The one folder around everything with its slash, or the empty string."""
    first = {name.partition("/")[0] for name in names}
    if len(first) != 1 or not all("/" in name for name in names):
        return ""
    (folder,) = first
    seconds = {name.split("/", 2)[1] for name in names}
    return f"{folder}/" if folder not in known or seconds & known else ""
