"""Every vector file of a folder, one result each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from scorer.official.conformance import formulas, images
from scorer.official.conformance.cases import Case, Result, run_cases
from scorer.official.conformance.end_to_end import end_to_end
from scorer.official.conformance.folder import Folder
from scorer.official.conformance.images import Network

FILES: Mapping[str, Callable[[Folder, Network], Iterator[Case]]] = MappingProxyType(
    {
        "operation": lambda folder, _: formulas.operation(folder),
        "geometry": lambda folder, _: formulas.geometric(folder),
        "ops": lambda folder, _: formulas.ops(folder),
        "locality": images.locality,
        "viewpoint": lambda folder, _: images.viewpoint(folder),
        "ac_parse": lambda folder, _: formulas.ac_parse(folder),
        "aggregate": lambda folder, _: formulas.aggregation(folder),
        "matching": lambda folder, _: formulas.matching(folder),
    }
)
"""Vector file -> its cases."""
END_TO_END = "e2e"
DETECTOR = "detany3d"


def run_folder(path: Path) -> list[Result]:
    """The result of every kind of vector that this profile knows, in a fixed order; absent files are told as such.

    The detector's vectors, if there, are skipped: they are not part of this profile's arithmetic.
    """
    folder = Folder(path)
    network = images.seeded_network(folder)
    results = [
        run_cases(name, _cases(list_cases, folder, network)) if folder.has_json(name) else Result(name, status="absent")
        for name, list_cases in FILES.items()
    ]
    if folder.has_tree(END_TO_END):
        results.append(run_cases(END_TO_END, end_to_end(folder, network)))
    else:
        results.append(Result(END_TO_END, status="absent"))
    results.append(Result(DETECTOR, status="skipped" if folder.has_tree(DETECTOR) else "absent"))
    return results


def _cases(list_cases: Callable[[Folder, Network], Iterator[Case]], folder: Folder, network: Network) -> Iterator[Case]:
    """Listing is itself lazy, so that a file that cannot be read fails as a file, not as a run."""
    yield from list_cases(folder, network)
