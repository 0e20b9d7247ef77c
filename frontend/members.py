"""Members of JSON objects, read tolerantly: what is missing or of another type is empty."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]


def text(data: Json, key: str) -> str:
    """A member as text; empty for none."""
    value = data.get(key)
    return "" if value is None else str(value)


def number(value: object) -> float | None:
    """A value as a number; None for what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def items(data: Json, key: str) -> Sequence[Any]:
    """A member as a list; empty for what is none."""
    value = data.get(key)
    return value if isinstance(value, list) else []
