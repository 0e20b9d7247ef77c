"""How a case is checked: a name, and a function that returns the difference or raises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from scorer.official.aborts import OfficialAbortError

Check = Callable[[], float]
"""Returns the worst difference found, 0 for exact answers. Raises MismatchError, or anything for a malformed case."""
Case = tuple[str, Check]


class MismatchError(Exception):
    """The answer is not the expected one; ``difference`` where it has a size."""

    def __init__(self, message: str, *, difference: float = math.nan) -> None:
        super().__init__(message)
        self.difference = difference


@dataclass
class Result:
    """What became of one vector file. ``worst``: the largest difference among cases that passed or failed by one."""

    name: str
    status: str = "run"
    passed: int = 0
    skipped: int = 0
    worst: float = 0.0
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """The number of cases that failed."""
        return len(self.failures)


class SkippedError(Exception):
    """The vectors themselves say that a case decides nothing."""


def run_cases(name: str, cases: Iterable[Case]) -> Result:
    """Run every case; one that raises, or cannot even be listed, has failed."""
    result = Result(name)
    try:
        for case, check in cases:
            _run_case(result, case, check)
    except Exception as error:  # noqa: BLE001 - vectors come from outside: a malformed file is a failure, not a crash
        result.failures.append(("the file", f"malformed: {type(error).__name__}: {error}"))
    return result


def _run_case(result: Result, case: str, check: Check) -> None:
    try:
        difference = check()
    except SkippedError:
        result.skipped += 1
    except MismatchError as error:
        if math.isfinite(error.difference):
            result.worst = max(result.worst, error.difference)
        result.failures.append((case, str(error)))
    except OfficialAbortError as error:
        result.failures.append((case, f"an unexpected {error.official}: {error.reason}"))
    except Exception as error:  # noqa: BLE001 - as above, for a single case
        result.failures.append((case, f"malformed: {type(error).__name__}: {error}"))
    else:
        result.passed += 1
        result.worst = max(result.worst, difference)


def each(content: Any, check: Callable[[Any], float], *, label: str = "case") -> Iterator[Case]:
    """The cases of a list, named by their ``id`` or position."""
    for position, case in enumerate(content):
        named = isinstance(case, Mapping) and "id" in case
        yield (str(case["id"]) if named else f"{label} {position}"), partial(check, case)


def agree(found: Any, expected: Any, *, absolute: float, relative: float = 0.0) -> float:
    """The worst difference of two answers of one shape. Raises MismatchError beyond the tolerance.

    Numbers, arrays, lists and mappings; a number in ``expected`` may be written "NaN", "Infinity" or "-Infinity".
    """
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping) or found.keys() != expected.keys():
            raise MismatchError(f"{found!r} has not the fields of {expected!r}")
        return max((agree(found[k], expected[k], absolute=absolute, relative=relative) for k in expected), default=0.0)
    if isinstance(expected, list):
        values = list(found) if isinstance(found, list | tuple | np.ndarray) else None
        if values is None or len(values) != len(expected):
            raise MismatchError(f"{found!r} is not a list of {len(expected)}")
        pairs = zip(values, expected, strict=True)
        return max((agree(a, b, absolute=absolute, relative=relative) for a, b in pairs), default=0.0)
    return _agree(found, number(expected), absolute=absolute, relative=relative)


def _agree(found: Any, expected: Any, *, absolute: float, relative: float) -> float:
    if isinstance(expected, bool) or not isinstance(expected, int | float) or isinstance(found, str | None):
        return same(found, expected)
    if math.isnan(expected) or math.isinf(expected):
        if not (math.isnan(found) if math.isnan(expected) else found == expected):
            raise MismatchError(f"{found!r}, expected {expected!r}")
        return 0.0
    difference = abs(float(found) - expected)
    if not difference <= max(absolute, relative * abs(expected)):
        raise MismatchError(f"{found!r}, expected {expected!r}", difference=difference)
    return difference


def same(found: Any, expected: Any) -> float:
    """0 for equal answers of one type. Raises MismatchError."""
    if type(found) is not type(expected) or found != expected:
        raise MismatchError(f"{found!r}, expected {expected!r}")
    return 0.0


def number(value: Any) -> Any:
    """A number that JSON cannot hold, from its word; anything else as it is."""
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def numbers(value: Any) -> Any:
    """A structure with every such word turned into its number."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return number(value) if isinstance(value, str) else value


def aborts(call: Callable[[], object], *, official: str) -> float:
    """0 where the official exception of that name is met. Raises MismatchError for a value or another exception."""
    try:
        value = call()
    except OfficialAbortError as error:
        return same(error.official, official)
    raise MismatchError(f"{value!r}, expected the exception {official}")
