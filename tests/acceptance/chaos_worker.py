"""The worker as `server.worker.main` composes it, but for its scorer: a scripted one, and beats that come often.

`celery --app tests.acceptance.chaos_worker worker|beat`, with settings and GSI_TEST_PLAN in the environment.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from functools import cache
from pathlib import Path

from server.db.pool import make_pool
from server.notices.sending import Notices
from server.scoring.process_runner import ProcessRunner
from server.scoring.service import Scoring
from server.settings import read_settings
from server.storage.choose import storage_of
from server.worker.app import add_tasks, make_celery
from server.worker.queue import CeleryQueue

SCRIPTED = Path(__file__).parents[1] / "scripted_scorer.py"


@cache
def scoring() -> Scoring:
    """This process's use-cases."""
    settings = read_settings()
    return Scoring(
        settings=settings,
        pool=make_pool(settings.database_url.get_secret_value(), size=2),
        storage=storage_of(settings),
        queue=CeleryQueue(app),
        runner=ProcessRunner(command=[sys.executable, str(SCRIPTED), os.environ["GSI_TEST_PLAN"]], beat_seconds=0.1),
        owner=f"{socket.gethostname()}:{os.getpid()}",
    )


@cache
def notices() -> Notices:
    """This process's sender of notices; there is nobody to tell."""
    settings = read_settings()
    pool = make_pool(settings.database_url.get_secret_value(), size=1)
    return Notices(settings=settings, pool=pool, dice=random.Random(0))


app = make_celery(read_settings())
add_tasks(app, scoring, notices)
