"""The database and the storage of the service that a maintainer's command is for, whether it runs or not."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg_pool import ConnectionPool

from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.state import is_locked, locked
from server.db.migrate import pending
from server.db.pool import make_pool
from server.db.trouble import trouble
from server.errors import ConfigurationError, UnavailableError
from server.settings import Settings
from server.storage.choose import storage_of
from server.storage.port import Storage


@dataclass(frozen=True)
class Place:
    """Where benchmarks are registered."""

    pool: ConnectionPool
    storage: Storage


@contextmanager
def place_of(data_dir: Path) -> Iterator[Place]:
    """The service whose database is DATABASE_URL, else the one with its data in ``data_dir``.

    An embedded database that does not run is started for as long as the block runs.
    Raises ConfigurationError, StartError, AlreadyRunningError, pydantic.ValidationError, UnavailableError.
    """
    with ExitStack() as parts:
        settings = _settings(data_dir, parts)
        url = settings.database_url.get_secret_value()
        try:
            waiting = pending(url)
        except psycopg.Error as error:
            raise UnavailableError(
                f"The database of DATABASE_URL cannot be used: {trouble(error)}.",
                remedy="Start it, or correct DATABASE_URL; `gsi doctor` looks at both.",
            ) from error
        if waiting:
            raise ConfigurationError(
                f"The database lacks the migrations {', '.join(waiting)}.", remedy="Run gsi migrate, or gsi up."
            )
        pool = parts.enter_context(make_pool(url, size=2))
        yield Place(pool, storage_of(settings))


def _settings(data_dir: Path, parts: ExitStack) -> Settings:
    """What the environment says; the rest as `gsi up` would fill it in on ``data_dir``."""
    filled: dict[str, str | Path] = {}
    if not (os.environ.get("GSI_DATABASE_URL") or os.environ.get("DATABASE_URL")):
        filled["GSI_DATABASE_URL"] = _embedded(data_dir, parts)
    if not (os.environ.get("GSI_STORAGE_DIR") or os.environ.get("GSI_S3_BUCKET")):
        filled["storage_dir"] = data_dir.resolve() / "storage"
    if not os.environ.get("GSI_SECRET_KEY"):
        filled["secret_key"] = secrets.token_urlsafe(48)  # keys tokens, of which none is made or read here
    return Settings(**filled)  # type: ignore[arg-type]  # pydantic-settings reads the rest from the environment


def _embedded(data_dir: Path, parts: ExitStack) -> str:
    """The URL of the database in ``data_dir``: of the service that runs there, else started here."""
    folder = data_dir / "postgres"
    if not folder.is_dir():
        raise ConfigurationError(
            f"There is no service with its data in {data_dir}, and DATABASE_URL names no database.",
            remedy="Name its folder with --data-dir, or start one with gsi up.",
        )
    if is_locked(data_dir):
        url = EmbeddedPostgres.running_url(folder)
        if url is None:
            raise UnavailableError(f"The service on {data_dir} is still starting.", remedy="Try again in a moment.")
        return url
    parts.enter_context(locked(data_dir))
    postgres = EmbeddedPostgres(folder)
    parts.callback(postgres.stop)
    return postgres.start()
