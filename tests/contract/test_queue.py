from __future__ import annotations

import os
import signal
import time
from uuid import uuid4

import pytest
from pydantic import SecretStr

from infra.embedded.redis import EmbeddedRedis
from server.errors import QueueError
from server.jobs import RecordingQueue
from server.worker.app import make_celery
from server.worker.queue import CeleryQueue


@pytest.fixture
def redis(tmp_path):
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["recording", "celery"])
def a_queue(request, settings):
    if request.param == "recording":
        return RecordingQueue()
    redis = request.getfixturevalue("redis")
    return CeleryQueue(make_celery(settings.model_copy(update={"broker_url": SecretStr(redis.url)})))


def test_a_queue_that_is_there_passes_its_check_and_takes_hints(a_queue):
    a_queue.check()
    a_queue.validate(uuid4())
    a_queue.score(uuid4())


def test_a_broker_that_ends_or_stands_still_is_noticed_soon(settings, redis):
    queue = CeleryQueue(make_celery(settings.model_copy(update={"broker_url": SecretStr(redis.url)})))
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        with pytest.raises(QueueError):
            queue.check()
        assert time.monotonic() - start < 8
    finally:
        os.kill(redis.pid, signal.SIGCONT)
    queue.check()
    redis.stop()
    with pytest.raises(QueueError):
        queue.check()
