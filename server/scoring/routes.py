"""Runs over HTTP: what maintainers see of them."""

from __future__ import annotations

from fastapi import Response

from server.http.dependencies import UnitOf
from server.http.paging import ByTime, Moment
from server.http.routing import ApiRouter
from server.scoring import store
from server.scoring.schemas import DeadLetterOut, DeadLettersOut
from server.teams.callers import ADMIN, MaintainerOf

router = ApiRouter(prefix="/runs", tags=["runs"])


@router.get("/dead", dependencies=[ADMIN])
def list_dead(caller: MaintainerOf, unit: UnitOf, page: ByTime, response: Response) -> DeadLettersOut:
    """Submissions that failed on our side, newest first, with the attempt that was the last (maintainers).

    POST to `links.retry` tries one again; what its attempts have measured so far is not measured again.
    """
    response.headers["cache-control"] = "no-store"
    found = store.dead_letters(unit.conn, limit=page.one_more, after=page.after)
    shown = page.of(found, key=lambda letter: Moment(letter.failed_at, letter.submission_id))
    return DeadLettersOut(dead=[DeadLetterOut.of(letter) for letter in shown.rows], next_cursor=shown.next_cursor)
