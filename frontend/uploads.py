"""Uploads as the service tells of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An upload in parts of `part_bytes` each (the last may be smaller); `size` 0 where none was declared.

    `parts` are those that have arrived: number to size and sha256.
    """

    id: str
    submission: str
    state: str
    part_bytes: int
    size: int
    parts: Mapping[int, tuple[int, str]]

    @classmethod
    def read(cls, data: Json) -> Self:
        """From any answer that is an upload."""
        parts = data.get("parts") or []
        return cls(
            id=str(data["id"]),
            submission=str(data["submission"]),
            state=str(data["state"]),
            part_bytes=int(data["part_bytes"]),
            size=int(data.get("bytes") or 0),
            parts={int(part["number"]): (int(part["bytes"]), str(part["sha256"])) for part in parts},
        )


@dataclass(frozen=True, kw_only=True)
class SignedPart:
    """Where to PUT one part, and with which headers; `url` may be relative to the service."""

    url: str
    headers: Mapping[str, str]

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of the answer to a wish for URLs."""
        return cls(url=str(data["url"]), headers={str(k): str(v) for k, v in dict(data.get("headers") or {}).items()})
