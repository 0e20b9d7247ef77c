"""The leaderboard: boards, subsets, filters and the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from frontend.addresses import path_of
from frontend.client import Client
from frontend.errors import ClientError
from frontend.present import Cell, cells
from frontend.query import BoardQuery, select
from frontend.render import render
from frontend.resources import Benchmark, Dimension, Leaderboard, Row, Subset
from frontend.views.page import Connect, Page, Visit

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
        board = client.leaderboard(query.board, subset=query.subset, operation=query.operation, protocol=query.protocol)
        parts = () if query.subset else _parts(client, benchmark=benchmark, query=query)
    table = table_of(benchmark, board=board, query=query, parts=parts)
    body = render(
        "leaderboard.html",
        boards=boards,
        benchmark=benchmark,
        query=query,
        table=table,
        csv=csv_link(query),
    )
    return Page(title=f"{benchmark.title} leaderboard", description=DESCRIPTION, body=body)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One subset's ranking score, shown beside the mean of all subsets."""

    dimension: Dimension
    scores: Mapping[str, float | None]


def _parts(client: Client, *, benchmark: Benchmark, query: BoardQuery) -> tuple[Part, ...]:
    ranking = next((dimension for dimension in benchmark.dimensions if dimension.id == benchmark.ranked_by), None)
    if ranking is None or len(benchmark.subsets) < 2:
        return ()
    return tuple(
        _part(
            client.leaderboard(benchmark.id, subset=subset.id, operation=query.operation, protocol=query.protocol),
            subset,
            ranking=ranking,
        )
        for subset in benchmark.subsets
    )


def _part(board: Leaderboard, subset: Subset, *, ranking: Dimension) -> Part:
    title = f"{ranking.title} on {subset.title}"
    return Part(
        dimension=replace(ranking, id=f"{ranking.id}.{subset.id}", label=subset.title, title=title),
        scores={row.entry_id: row.scores.get(ranking.id) for row in board.rows},
    )


def table_of(benchmark: Benchmark, *, board: Leaderboard, query: BoardQuery, parts: Iterable[Part] = ()) -> Table:
    """The table for a query. The marks for best and second best are those of the whole board, like the ranks."""
    parts = tuple(parts)
    board = replace(board, rows=tuple(_with_parts(row, parts) for row in board.rows))
    shown = [dimension for dimension in benchmark.dimensions if dimension.id in board.columns]
    # The dimension that ranks stands beside the model: on a phone it is the one that must be seen.
    first = [dimension for dimension in shown if dimension.id == benchmark.ranked_by]
    rest = [dimension for dimension in shown if dimension.id != benchmark.ranked_by]
    dimensions = [*first, *(part.dimension for part in parts), *rest]
    return Table(
        rows=select(board, query=query),
        columns=tuple(
            Column(dimension=dimension, cells=cells(board.rows, column=dimension)) for dimension in dimensions
        ),
        shows_access=any(row.access for row in board.rows),
        total=len(board.rows),
    )


def _with_parts(row: Row, parts: tuple[Part, ...]) -> Row:
    return replace(row, scores={**row.scores, **{part.dimension.id: part.scores.get(row.entry_id) for part in parts}})


def csv_link(query: BoardQuery) -> str:
    """The same board as CSV from the REST API."""
    wished = (("protocol", query.protocol), ("subset", query.subset), ("operation", query.operation))
    members = {key: value for key, value in wished if value}
    path = "/api/v1" + path_of("benchmarks", query.board, "leaderboard.csv")
    return f"{path}?{urlencode(members)}" if members else path
