"""Brings the database of the settings up to date: migrations, published results, the demo benchmark.

With the benchmark it looks first whether broker and storage answer, which `gsi migrate` alone does not need.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import psycopg
from pydantic import ValidationError

from server.benchmarks.service import register
from server.curation.seed import seed
from server.db.migrate import migrate
from server.db.pool import make_pool, transaction
from server.db.trouble import trouble
from server.errors import GsiError
from server.settings import read_database_settings, read_settings, unusable
from server.storage.choose import storage_of
from server.storage.port import Storage
from server.worker.app import make_celery
from server.worker.queue import CeleryQueue

BLOCKS_DATA = Path(str(files("infra.blocks").joinpath("data")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare, say what was done, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.prepare", description=__doc__)
    parser.add_argument("--no-blocks", action="store_true", help="leave the demo benchmark out")
    parser.add_argument("--make-bucket", action="store_true", help="make the bucket where there is none")
    options = parser.parse_args(arguments)
    try:
        _prepare(with_blocks=not options.no_blocks, make_bucket=options.make_bucket)
    except ValidationError as error:
        for wrong in unusable(error):
            _say(f"{wrong} (docs/operations.md tells what each setting may be)")
        return 78
    except psycopg.Error as error:
        _say(f"The database of DATABASE_URL cannot be used: {trouble(error)}.")
        return 69
    except GsiError as error:
        _say(f"{error.detail} {error.remedy}")
        return 70
    return 0


def _prepare(*, with_blocks: bool, make_bucket: bool) -> None:
    settings = read_settings() if with_blocks else None
    if settings is not None:
        if make_bucket:
            _make_bucket(storage_of(settings))
        CeleryQueue(make_celery(settings)).check()
        storage_of(settings).check()
    url = (settings or read_database_settings()).database_url.get_secret_value()
    applied = migrate(url)
    _say(f"migrations applied: {', '.join(applied) or 'none, all were there'}")
    pool = make_pool(url, size=1)
    try:
        with transaction(pool) as conn:
            seed(conn)
        _say("published results: seeded")
        if settings is not None:
            with transaction(pool) as conn:
                _register_blocks(conn, storage_of(settings))
    finally:
        pool.close()


def _make_bucket(storage: Storage) -> None:
    from server.storage.s3 import S3Storage  # boto3 takes a while to import

    if isinstance(storage, S3Storage):
        storage.make_bucket()


def _register_blocks(conn: psycopg.Connection, storage: Storage) -> None:
    done = register(
        conn,
        storage,
        public_zip=BLOCKS_DATA / "blocks-public.zip",
        hidden_zip=BLOCKS_DATA / "blocks-hidden.zip",
    )
    _say(f"benchmark {done.benchmark}: {'registered' if done.changed else 'unchanged'}, {done.version[:12]}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
