"""What a reader asked of the leaderboard, as it stands in the address: every view can be shared as a link."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from frontend.resources import Leaderboard, Row

DEFAULT_BOARD = "gsi-bench"
_LONGEST = 80


@dataclass(frozen=True, kw_only=True)
class BoardQuery:
    """Filters and order. Empty means no filter; `sort` is rank, model or a dimension's id."""

    board: str = DEFAULT_BOARD
    protocol: str = ""
    subset: str = ""
    operation: str = ""
    access: str = ""
    search: str = ""
    sort: str = "rank"
    ascending: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """From an address's query; unknown members are left out, long ones cut."""
        found = {key: value.strip()[:_LONGEST] for key, value in parse_qsl(text.lstrip("?"))}
        return cls(
            board=found.get("board", DEFAULT_BOARD),
            protocol=found.get("protocol", ""),
            subset=found.get("subset", ""),
            operation=found.get("operation", ""),
            access=found.get("access", ""),
            search=found.get("q", ""),
            sort=found.get("sort", "rank"),
            ascending=found.get("order") == "up",
        )

    def members(self) -> Mapping[str, str]:
        """The members that differ from the default, under their names in the address."""
        members = {
            "board": "" if self.board == DEFAULT_BOARD else self.board,
            "protocol": self.protocol,
            "subset": self.subset,
            "operation": self.operation,
            "access": self.access,
            "q": self.search,
            "sort": "" if self.sort == "rank" else self.sort,
            "order": "up" if self.ascending else "",
        }
        return {key: value for key, value in members.items() if value}

    def link(self, path: str = "/", **changes: Any) -> str:
        """The address of this view with some members changed."""
        members = replace(self, **changes).members()
        return f"{path}?{urlencode(members)}" if members else path

    def sorted_link(self, column: str) -> str:
        """The address that sorts by `column`; a second click turns the order around."""
        if self.sort == column:
            return self.link(ascending=not self.ascending)
        return self.link(sort=column, ascending=column == "model")

    def aria_sort(self, column: str) -> str:
        """ascending, descending, or empty where another column decides."""
        if self.sort != column:
            return ""
        # Rank 1 on top is a rank that ascends.
        up = not self.ascending if column == "rank" else self.ascending
        return "ascending" if up else "descending"


def select(board: Leaderboard, *, query: BoardQuery) -> tuple[Row, ...]:
    """The rows that pass the filters, in the wished order. Ranks stay those of the whole board."""
    rows = (row for row in board.rows if _matches(row, query=query))
    return tuple(_in_order(rows, query=query))


def _matches(row: Row, *, query: BoardQuery) -> bool:
    text = f"{row.model} {row.organization} {row.team}".casefold()
    return query.search.casefold() in text and query.access in ("", row.access)


def _in_order(rows: Iterable[Row], *, query: BoardQuery) -> list[Row]:
    """Sorted; rows without the value come last whichever way the order goes."""
    if query.sort == "model":
        return sorted(rows, key=lambda row: row.model.casefold(), reverse=not query.ascending)
    sign = 1 if query.ascending else -1
    if query.sort == "rank":
        return sorted(rows, key=lambda row: (row.rank is None, -sign * (row.rank or 0)))
    values = [(row.scores.get(query.sort), row) for row in rows]
    return [row for value, row in sorted(values, key=lambda pair: (pair[0] is None, sign * (pair[0] or 0.0)))]
