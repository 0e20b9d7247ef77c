"""The whole service on one machine: databases, API and site, workers, schedule; one supervisor, one data directory."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.process import StartError, spawn, tail
from infra.embedded.redis import EmbeddedRedis
from infra.embedded.state import StackState, locked, remove_state, secret_of
from infra.embedded.supervisor import Supervisor, python

_LOG = logging.getLogger("gsi.stack")
DEFAULT_PORT = 8000
_PORTS_TO_TRY = 20
_WEB_TIMEOUT = 90.0
_TEND_SECONDS = 0.5

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """How to run one machine's stack; ``port`` None takes the first free one from 8000 on."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int | None = None
    workers: int = 2


def run_stack(options: StackOptions, *, say: Say, once_ready: Callable[[str], None] | None = None) -> None:
    """Bring everything up, keep it up until SIGINT or SIGTERM, then end everything in order.

    Raises AlreadyRunningError when the data directory is in use and StartError when a part does not come up; whatever
    had been started by then is stopped.
    """
    stopping = threading.Event()
    with _signals_set(stopping), locked(options.data_dir), ExitStack() as parts:
        env = _settings_env(options, parts, say)
        url = env["GSI_INTERNAL_URL"]
        say("preparing the database and the demo benchmark")
        _prepare(env, options.data_dir / "logs")
        supervisor = Supervisor(log_dir=options.data_dir / "logs", env=env)
        parts.callback(supervisor.stop)
        _start_children(supervisor, options, port=int(url.rsplit(":", 1)[1]))
        say("waiting for the website")
        _wait_for_web(url, supervisor, stopping)
        if stopping.is_set():
            return
        StackState(url=url, pid=os.getpid(), started_at=datetime.now(UTC).isoformat()).write(options.data_dir)
        parts.callback(remove_state, options.data_dir)
        if once_ready is not None:
            once_ready(url)
        while not stopping.wait(_TEND_SECONDS):
            supervisor.tend()
        say("stopping")


def _settings_env(options: StackOptions, parts: ExitStack, say: Say) -> dict[str, str]:
    """The environment of the children: what the operator set wins, embedded parts fill the rest."""
    data = options.data_dir.resolve()
    env = dict(os.environ)
    if not (env.get("GSI_DATABASE_URL") or env.get("DATABASE_URL")):
        say("starting PostgreSQL")
        postgres = EmbeddedPostgres(data / "postgres")
        parts.callback(postgres.stop)
        env["GSI_DATABASE_URL"] = postgres.start()
    if not env.get("GSI_BROKER_URL"):
        say("starting Redis")
        redis = EmbeddedRedis(data / "redis")
        parts.callback(redis.stop)
        env["GSI_BROKER_URL"] = redis.start()
    port = options.port or free_port(options.host)
    shown = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host  # noqa: S104 - compared, not bound
    defaults = {
        "GSI_STORAGE_DIR": str(data / "storage"),
        "GSI_WORK_DIR": str(data / "work"),
        "GSI_SECRET_KEY": secret_of(data),
        "GSI_DEVELOPMENT_LOGIN": "true",
        "GSI_LEASE_SECONDS": "15",
    }
    for name, value in defaults.items():
        env.setdefault(name, value)
    here = f"http://{shown}:{port}"
    env.setdefault("GSI_PUBLIC_URL", here)
    env["GSI_INTERNAL_URL"] = here
    env["PYTHONUNBUFFERED"] = "1"
    return env


def _prepare(env: Mapping[str, str], logs: Path) -> None:
    """Migrations, published results, the demo benchmark; in a process that reads its settings as all others do."""
    log = logs / "prepare.log"
    process = spawn(python("-m", "infra.prepare"), log=log, env=env)
    if process.wait() != 0:
        raise StartError(f"The database could not be prepared.\n{tail(log)}")


def _start_children(supervisor: Supervisor, options: StackOptions, *, port: int) -> None:
    worker = python("-m", "celery", "--app", "server.worker.main", "worker")
    worker += ["--concurrency", str(options.workers), "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    schedule = str(options.data_dir.resolve() / "beat-schedule")
    beat = python("-m", "celery", "--app", "server.worker.main", "beat", "--schedule", schedule, "--pidfile", "")
    web = python("-m", "uvicorn", "infra.asgi:create", "--factory", "--host", options.host, "--port", str(port))
    # One process: the site's event queue lives in it. Pages hold a stream open, which a stop does not wait for.
    supervisor.add("web", [*web, "--no-access-log", "--timeout-graceful-shutdown", "2"], grace=6)
    supervisor.add("worker", worker, grace=8)
    supervisor.add("beat", [*beat, "--loglevel", "WARNING"], grace=3)


def _wait_for_web(url: str, supervisor: Supervisor, stopping: threading.Event) -> None:
    deadline = time.monotonic() + _WEB_TIMEOUT
    while not answers(f"{url}/api/v1/ready"):
        if stopping.wait(0.2):
            return
        if "web" not in supervisor.pids() or time.monotonic() > deadline:
            raise StartError(f"The website did not come up.\n{tail(supervisor.log_of('web'))}")


def answers(url: str) -> bool:
    """Whether ``url`` answers 200 now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port(host: str) -> int:
    """The first free port from 8000 on.

    Raises StartError when twenty in a row are taken.
    """
    for port in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TO_TRY):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise StartError(f"No free port from {DEFAULT_PORT} to {DEFAULT_PORT + _PORTS_TO_TRY - 1}. Name one with --port.")


@contextmanager
def _signals_set(event: threading.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set ``event`` while the block runs, so that an end is always an orderly one."""

    def handle(_signal: int, _frame: FrameType | None) -> None:
        event.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
