"""The leaderboard: boards, subsets, filters and the table."""

from dataclasses import dataclass
from urllib.parse import urlencode

from frontend.client import Client
from frontend.errors import ClientError
from frontend.present import Cell, cells
from frontend.query import BoardQuery, select
from frontend.render import render
from frontend.resources import Benchmark, Dimension, Leaderboard, Row
from frontend.views.page import Connect, Page, Visit

RANKING = frozenset({"avg", "overall"})
DESCRIPTION = (
    "How well do image editors follow spatial instructions? Results of GSI-Bench, of its transfer tables, "
    "and of Blocks, which is scored here from submitted pixels."
)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A dimension with its cells by entry id."""

    dimension: Dimension
    cells: dict[str, Cell]


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table ready to be written: the rows in order and the columns' cells."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    shows_access: bool
    shows_protocol: bool
    total: int


def show(connect: Connect, visit: Visit) -> Page:
    """The whole page for an address."""
    query = BoardQuery.parse(visit.query)
    with connect("") as client:
        boards = client.benchmarks()
        benchmark = next((board for board in boards if board.id == query.board), None)
        if benchmark is None:
            raise ClientError(
                code="no_such_board",
                title="There is no such board",
                detail=f"No benchmark is called {query.board!r}.",
                remedy="Choose one from the leaderboard page.",
                status=404,
            )
        table = table_of(benchmark, board=_fetch(client, query=query), query=query)
    body = render(
        "leaderboard.html",
        boards=boards,
        benchmark=benchmark,
        query=query,
        table=table,
        csv=csv_link(query),
        ranking=RANKING,
    )
    return Page(title=f"{benchmark.title} leaderboard", description=DESCRIPTION, body=body)


def _fetch(client: Client, *, query: BoardQuery) -> Leaderboard:
    return client.leaderboard(query.board, subset=query.subset, operation=query.operation)


def table_of(benchmark: Benchmark, *, board: Leaderboard, query: BoardQuery) -> Table:
    """The table for a query. The marks for best and second best are those of the whole board, like the ranks."""
    rows = select(board, query=query)
    shown = [dimension for dimension in benchmark.dimensions if dimension.id in board.columns]
    # The dimension that ranks stands beside the model: on a phone it is the one that must be seen.
    dimensions = sorted(shown, key=lambda dimension: dimension.id not in RANKING)
    return Table(
        rows=rows,
        columns=tuple(
            Column(dimension=dimension, cells=cells(board.rows, column=dimension)) for dimension in dimensions
        ),
        shows_access=any(row.access for row in board.rows),
        shows_protocol=benchmark.kind == "scored",
        total=len(board.rows),
    )


def csv_link(query: BoardQuery) -> str:
    """The same board as CSV from the REST API."""
    members = {key: value for key, value in (("subset", query.subset), ("operation", query.operation)) if value}
    path = f"/api/v1/benchmarks/{query.board}/leaderboard.csv"
    return f"{path}?{urlencode(members)}" if members else path
