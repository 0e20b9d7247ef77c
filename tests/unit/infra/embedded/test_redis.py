import socket
from pathlib import Path

import pytest
from redis import AuthenticationError, Redis

from infra.embedded.redis import EmbeddedRedis


@pytest.fixture
def server(tmp_path: Path) -> EmbeddedRedis:
    return EmbeddedRedis(tmp_path / "redis")


def test_a_restart_finds_what_was_queued(server: EmbeddedRedis) -> None:
    with Redis.from_url(server.start()) as queue:
        queue.rpush("jobs", "first")
    server.stop()
    with Redis.from_url(server.start()) as queue:
        assert queue.lrange("jobs", 0, -1) == [b"first"]
    server.stop()


def test_nobody_speaks_to_it_without_the_password(server: EmbeddedRedis) -> None:
    url = server.start()
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    try:
        with Redis(port=port) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
    finally:
        server.stop()


def test_it_listens_on_loopback_alone_and_stops_cleanly(server: EmbeddedRedis, tmp_path: Path) -> None:
    url = server.start()
    assert "@127.0.0.1:" in url
    assert (tmp_path / "redis" / "password").stat().st_mode & 0o077 == 0
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    server.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
