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

from infra.embedded.listening import listen
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.process import StartError, spawn, stop, tail, tied_to_parent
from infra.embedded.redis import EmbeddedRedis
from infra.embedded.state import StackState, locked, remove_state, secret_of
from infra.embedded.supervisor import Part, Supervisor, python

_LOG = logging.getLogger("gsi.stack")
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
        # Held from the first moment to the last: the address that is told is ours, also while the web process restarts.
        door = parts.enter_context(listen(options.host, options.port))
        databases: dict[str, Part] = {}
        env = _settings_env(options, door.getsockname()[1], databases, parts, say)
        url = env["GSI_INTERNAL_URL"]
        say("preparing the database and the demo benchmark")
        _prepare(env, options.data_dir / "logs", stopping)
        supervisor = Supervisor(log_dir=options.data_dir / "logs", env=env)
        parts.callback(supervisor.stop)
        for name, part in databases.items():
            supervisor.watch(name, part)
        if stopping.is_set():
            return
        _start_children(supervisor, options, door=door)
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


def _settings_env(
    options: StackOptions, port: int, databases: dict[str, Part], parts: ExitStack, say: Say
) -> dict[str, str]:
    """The environment of the children: what the operator set wins, embedded parts fill the rest (and ``databases``)."""
    data = options.data_dir.resolve()
    env = dict(os.environ)
    if not (env.get("GSI_DATABASE_URL") or env.get("DATABASE_URL")):
        say("starting PostgreSQL")
        postgres = EmbeddedPostgres(data / "postgres")
        parts.callback(postgres.stop)
        env["GSI_DATABASE_URL"] = postgres.start()
        databases["PostgreSQL"] = postgres
    if not env.get("GSI_BROKER_URL"):
        say("starting Redis")
        redis = EmbeddedRedis(data / "redis")
        parts.callback(redis.stop)
        env["GSI_BROKER_URL"] = redis.start()
        databases["Redis"] = redis
    defaults = {
        "GSI_STORAGE_DIR": str(data / "storage"),
        "GSI_WORK_DIR": str(data / "work"),
        "GSI_SECRET_KEY": secret_of(data),
        "GSI_DEVELOPMENT_LOGIN": "true",
        "GSI_LEASE_SECONDS": "15",
        "GSI_QUOTA_PER_DAY": "100",
        "GSI_QUOTA_AT_ONCE": "20",
    }
    for name, value in defaults.items():
        env.setdefault(name, value)
    here = f"http://{_reachable(options.host)}:{port}"
    env.setdefault("GSI_PUBLIC_URL", here)
    env["GSI_INTERNAL_URL"] = here
    env["PYTHONUNBUFFERED"] = "1"
    return env


def _reachable(host: str) -> str:
    """How a client on this machine writes the address that ``host`` listens at."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"[{here}]" if ":" in here else here


def _prepare(env: Mapping[str, str], logs: Path, stopping: threading.Event) -> None:
    """Migrations, published results, the demo benchmark; in a process that reads its settings as all others do."""
    log = logs / "prepare.log"
    process = spawn(tied_to_parent(python("-m", "infra.prepare"), signal.SIGTERM), log=log, env=env, afresh=True)
    while process.poll() is None:
        if stopping.wait(0.05):
            stop(process, signal.SIGTERM, timeout=5)
            return
    if process.returncode != 0:
        raise StartError(f"The database could not be prepared.\n{tail(log)}")


def _start_children(supervisor: Supervisor, options: StackOptions, *, door: socket.socket) -> None:
    worker = python("-m", "celery", "--app", "server.worker.main", "worker")
    worker += ["--concurrency", str(options.workers), "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    schedule = str(options.data_dir.resolve() / "beat-schedule")
    beat = python("-m", "celery", "--app", "server.worker.main", "beat", "--schedule", schedule, "--pidfile", "")
    web = python("-m", "infra.web", str(door.fileno()))  # one process: the site's event queue lives in it
    supervisor.add("web", web, grace=6, pass_fds=(door.fileno(),))
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
