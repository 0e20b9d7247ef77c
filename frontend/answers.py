"""From the service's answers to resources: what has another shape is an error with a remedy."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from frontend.errors import ClientError

T = TypeVar("T")


def problem(answer: httpx.Response) -> Mapping[str, Any]:
    """The problem document of a refusal; empty when it is none."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}


def body_of(answer: httpx.Response) -> Any:
    """The JSON of an answer; raises ClientError when it is none."""
    try:
        return answer.json()
    except ValueError as error:
        raise unexpected() from error


def read(reader: Callable[[Any], T], body: Any) -> T:
    """Read one resource; an answer of another shape is an error with a remedy, not a KeyError."""
    try:
        return reader(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise unexpected() from error


def read_all(reader: Callable[[Any], T], body: Any, *, key: str) -> tuple[T, ...]:
    """Read every member of a page."""
    return tuple(read(reader, item) for item in _listing(body, key=key))


def _listing(body: Any, *, key: str) -> list[Any]:
    """The members of a page, whether it is a bare list or wrapped with paging."""
    if isinstance(body, list):
        return body
    if isinstance(body, Mapping):
        for name in (key, "items", "entries"):
            if isinstance(body.get(name), list):
                return list(body[name])
    raise unexpected()


def unexpected() -> ClientError:
    """The error for an answer of another shape."""
    return ClientError(
        code="unexpected_answer",
        title="The answer is not what this program understands",
        remedy="Check that the address is a GSI-Bench service and that this program is as new as the service.",
    )
