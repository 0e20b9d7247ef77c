"""The composition root of the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from importlib.metadata import version
from typing import Literal
from uuid import UUID

from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

from server.accounts.directory import Directory
from server.accounts.routes import router as accounts
from server.benchmarks.routes import router as benchmarks
from server.curation.routes import router as curation
from server.db.pool import transaction
from server.http import examples, problems
from server.http.address import PublicAddress
from server.http.bodies import SmallBodies
from server.http.dependencies import Services, ServicesOf, UnitOf
from server.http.etags import ETags
from server.http.headers import CarefulHeaders
from server.http.limits import RateLimits
from server.http.methods import Methods
from server.http.routing import ApiRouter
from server.http.turns import Shares, Turns
from server.jobs import JobQueue
from server.leaderboard.routes import router as leaderboard
from server.notices.routes import router as notices
from server.scoring.routes import router as runs
from server.settings import Settings
from server.storage.port import Storage
from server.submissions.multipart.routes import router as uploads
from server.submissions.progress import store as progress_store
from server.submissions.progress.model import Progress
from server.submissions.progress.routes import router as progress
from server.submissions.progress.watching import Watching
from server.submissions.quotas.routes import router as quotas
from server.submissions.routes import router as submissions
from server.teams.callers import identify
from server.teams.routes import router as teams
from server.teams.token_routes import router as tokens

_SIGN_INS_AT_ONCE = 8

_health = ApiRouter(tags=["service"])


class Health(BaseModel):
    """That the process answers, and which version it is."""

    status: Literal["ok"] = "ok"
    version: str


@_health.get("/health")
def health() -> Health:
    """Whether this process is alive."""
    return Health(version=version("gsi-bench"))


@_health.get("/ready")
def ready(unit: UnitOf, services: ServicesOf) -> Health:
    """Whether database, storage and queue answer too; 503 while one of them does not, with a code that tells which."""
    unit.conn.execute("select 1")
    services.storage.check()
    services.queue.check()
    return Health(version=version("gsi-bench"))


def _progress(pool: ConnectionPool, ids: Collection[UUID]) -> Mapping[UUID, Progress]:
    with transaction(pool) as conn:
        return progress_store.of(conn, ids)


def create_app(settings: Settings, *, queue: JobQueue, storage: Storage, pool: ConnectionPool) -> FastAPI:
    """The REST API on these adapters."""
    app = FastAPI(
        title="GSI-Bench leaderboard",
        version=version("gsi-bench"),
        description="Submit edited images, watch them being scored, read the boards. Errors are problem documents.",
        docs_url="/api/docs",
        redoc_url=None,
        redirect_slashes=False,  # an address has one form; a redirect would repeat whatever host the request names
        openapi_url="/api/v1/openapi.json",
        responses=problems.RESPONSES,
    )
    app.state.services = Services(
        settings=settings,
        pool=pool,
        storage=storage,
        queue=queue,
        turns=Turns(pool.max_size),
        uploads=Turns(settings.uploads_at_once),
        uploads_of_submissions=Shares(1),
        uploads_of_teams=Shares(settings.uploads_of_a_team),
        sign_ins=Turns(_SIGN_INS_AT_ONCE),
        identify=identify,
    )
    app.state.directory = Directory()
    app.state.watching = Watching(partial(_progress, pool), most=settings.listeners_at_once)
    problems.install(app)
    app.add_middleware(ETags)
    app.add_middleware(SmallBodies)
    app.add_middleware(RateLimits, settings=settings)
    app.add_middleware(Methods)
    app.add_middleware(PublicAddress, public_url=settings.public_url)
    app.add_middleware(CarefulHeaders)
    api = ApiRouter(prefix="/api/v1")
    for router in (
        *(_health, accounts, teams, tokens, benchmarks, leaderboard, submissions, uploads, progress),
        *(quotas, runs, notices, curation),
    ):
        api.include_router(router)
    app.include_router(api)
    examples.install(app)
    return app
