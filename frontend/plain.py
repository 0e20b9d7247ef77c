"""All boards as plain tables: no scripts, a few kilobytes, readable by anything."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from frontend.client import Client
from frontend.errors import ClientError
from frontend.frame import refuse
from frontend.query import BoardQuery
from frontend.render import render
from frontend.resources import Benchmark
from frontend.views.leaderboard import Table, table_of
from frontend.views.page import Connect

PATH = "/plain"


def router(connect: Connect) -> APIRouter:
    """The route /plain; `connect` gives a client of the REST API."""
    made = APIRouter(include_in_schema=False)

    @made.get(PATH, response_class=HTMLResponse)
    def plain(request: Request) -> Response:
        try:
            with connect("") as client:
                boards = [(benchmark, _tables(client, benchmark)) for benchmark in client.benchmarks()]
        except ClientError as error:
            return refuse(error, request.scope)
        return HTMLResponse(render("plain.html", boards=boards))

    return made


def _tables(client: Client, benchmark: Benchmark) -> list[tuple[str, Table]]:
    wishes = [(subset.title, BoardQuery(board=benchmark.id, subset=subset.id)) for subset in benchmark.subsets]
    if len(wishes) > 1:
        wishes.insert(0, ("Mean of all subsets", BoardQuery(board=benchmark.id)))
    return [
        (title, table_of(benchmark, board=client.leaderboard(benchmark.id, subset=query.subset), query=query))
        for title, query in wishes
    ]
