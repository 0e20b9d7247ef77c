"""Pages of long lists: `limit` and `offset`, the same everywhere."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query


class Page(NamedTuple):
    """Which part of a list: at most ``limit`` rows from row ``offset`` on."""

    limit: int
    offset: int


async def _page(
    limit: Annotated[int, Query(ge=1, le=200, description="At most so many.")] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="Leave out so many from the start.")] = 0,
) -> Page:
    return Page(limit, offset)


PageOf = Annotated[Page, Depends(_page)]
