"""All boards as plain tables: no scripts, a few kilobytes, readable by anything."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from frontend.client import Client
from frontend.errors import ClientError
from frontend.query import BoardQuery
from frontend.render import render
from frontend.resources import Benchmark
from frontend.views.leaderboard import Table, table_of
from frontend.views.page import Connect, problem_page


def router(connect: Connect) -> APIRouter:
    """The route /plain; `connect` gives a client of the REST API."""
    made = APIRouter(include_in_schema=False)

    @made.get("/plain", response_class=HTMLResponse)
    def plain() -> HTMLResponse:
        try:
            with connect("") as client:
                boards = [(benchmark, _tables(client, benchmark)) for benchmark in client.benchmarks()]
        except ClientError as error:
            page = problem_page(error)
            return HTMLResponse(page.body, status_code=page.status)
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
