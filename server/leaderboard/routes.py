"""Boards over HTTP: JSON and CSV. What is not published never appears."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from server.benchmarks.routes import BenchmarkId
from server.http.conditional import conditional
from server.http.dependencies import UnitOf
from server.http.routing import ApiRouter
from server.leaderboard import service
from server.leaderboard.export import to_csv
from server.leaderboard.model import Board
from server.leaderboard.schemas import BoardOut, RowOut

router = ApiRouter(prefix="/benchmarks/{benchmark_id}", tags=["leaderboard"])

Subset = Annotated[str | None, Query(max_length=120, description="One subset; without it the mean over all.")]
Operation = Annotated[str | None, Query(max_length=60, description="One operation; without it all.")]
Protocol = Annotated[str | None, Query(max_length=120, description="One protocol; without it the one that ranks.")]


@router.get("/leaderboard", response_model=BoardOut)
def leaderboard(
    benchmark_id: BenchmarkId,
    request: Request,
    unit: UnitOf,
    subset: Subset = None,
    operation: Operation = None,
    protocol: Protocol = None,
) -> Response:
    """The board, best first. Entries that lack the ranking number stand last, without a rank."""
    board = service.board(
        unit.conn, benchmark_id, subset=subset or None, operation=operation or None, protocol=protocol or None
    )
    return conditional(request, _out(board).model_dump_json(), media_type="application/json")


@router.get(
    "/leaderboard.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The board."}},
)
def leaderboard_csv(
    benchmark_id: BenchmarkId,
    request: Request,
    unit: UnitOf,
    subset: Subset = None,
    operation: Operation = None,
    protocol: Protocol = None,
) -> Response:
    """The same board as CSV."""
    board = service.board(
        unit.conn, benchmark_id, subset=subset or None, operation=operation or None, protocol=protocol or None
    )
    name = "-".join(part for part in (board.benchmark, protocol, board.subset, board.operation, "leaderboard") if part)
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return conditional(request, to_csv(board), media_type="text/csv; charset=utf-8", headers=headers)


def _out(board: Board) -> BoardOut:
    return BoardOut(
        benchmark=board.benchmark,
        protocol=board.protocol,
        subset=board.subset,
        operation=board.operation,
        ranked_by=board.ranked_by,
        columns=list(board.columns),
        rows=[RowOut.model_validate(entry) for entry in board.entries],
    )
