"""Pages of long lists by keyset: a cursor says after which row to go on, so that no row is shown twice or left out.

Every list takes `limit` and `cursor` and answers with `next_cursor`, null at the end. Cursors are opaque and belong to
the list that gave them.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, NamedTuple, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError

from server.errors import InvalidError

Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]


class Moment(NamedTuple):
    """The place of a row in a list by time."""

    at: AwareDatetime
    id: UUID


class Number(NamedTuple):
    """The place of a row in a log."""

    id: Annotated[int, Field(ge=0, le=2**63 - 1)]


class Name(NamedTuple):
    """The place of a row in a list by group and name."""

    group: Text
    name: Text
    id: UUID


Key = TypeVar("Key", Moment, Number, Name)
Row = TypeVar("Row")


@dataclass(frozen=True)
class Slice(Generic[Row]):
    """The rows of one page, and the cursor of the next; None at the end."""

    rows: Sequence[Row]
    next_cursor: str | None


@dataclass(frozen=True)
class Page(Generic[Key]):
    """Which part of a list: at most ``limit`` rows after the row at ``after``; None: from the start."""

    limit: int
    after: Key | None

    @property
    def one_more(self) -> int:
        """How many rows to read, to know whether there is a next page."""
        return self.limit + 1

    def of(self, rows: Sequence[Row], *, key: Callable[[Row], Key]) -> Slice[Row]:
        """This page of ``rows``, which were read up to `one_more`."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        return Slice(shown, _cursor(key(shown[-1])) if more else None)


def page_by(key: type[Key]) -> Callable[..., Page[Key]]:
    """The dependency of a list whose rows are placed by ``key``; raises InvalidError for another list's cursor."""
    adapter: TypeAdapter[Key] = TypeAdapter(key)

    async def page(
        limit: Annotated[int, Query(ge=1, le=200, description="At most so many.")] = 50,
        cursor: Annotated[
            str | None, Query(max_length=2000, description="Go on where the page before ended: its `next_cursor`.")
        ] = None,
    ) -> Page[Key]:
        return Page(limit, None if cursor is None else _read(adapter, cursor))

    return page  # type: ignore[return-value]  # FastAPI awaits it


def _cursor(key: tuple[object, ...]) -> str:
    return urlsafe_b64encode(TypeAdapter(tuple).dump_json(key)).decode().rstrip("=")


def _read(adapter: TypeAdapter[Key], cursor: str) -> Key:
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return adapter.validate_json(text)
    except (NotBase64Error, UnicodeEncodeError, ValidationError) as error:
        raise InvalidError(
            "The cursor is not one of this list's.",
            remedy="Start without a cursor, and pass `next_cursor` on as it came.",
        ) from error


ByTime = Annotated[Page[Moment], Depends(page_by(Moment))]
ByNumber = Annotated[Page[Number], Depends(page_by(Number))]
ByName = Annotated[Page[Name], Depends(page_by(Name))]
