"""Brings the database of the settings up to date: migrations, published results, the demo benchmark."""

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
from server.errors import GsiError
from server.settings import read_settings
from server.storage.choose import storage_of

BLOCKS_DATA = Path(str(files("infra.blocks").joinpath("data")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare, say what was done, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.prepare", description=__doc__)
    parser.add_argument("--no-blocks", action="store_true", help="leave the demo benchmark out")
    options = parser.parse_args(arguments)
    try:
        _prepare(with_blocks=not options.no_blocks)
    except ValidationError as error:
        for wrong in error.errors(include_input=False, include_url=False):
            _say(f"setting {'.'.join(str(part) for part in wrong['loc']) or '(several)'}: {wrong['msg']}")
        return 78
    except psycopg.OperationalError as error:
        _say(f"The database does not answer: {error}")
        return 69
    except GsiError as error:
        _say(f"{error.detail} {error.remedy}")
        return 70
    return 0


def _prepare(*, with_blocks: bool) -> None:
    settings = read_settings()
    url = settings.database_url.get_secret_value()
    applied = migrate(url)
    _say(f"migrations applied: {', '.join(applied) or 'none, all were there'}")
    pool = make_pool(url, size=1)
    try:
        with transaction(pool) as conn:
            seed(conn)
        _say("published results: seeded")
        if with_blocks:
            with transaction(pool) as conn:
                done = register(
                    conn,
                    storage_of(settings),
                    public_zip=BLOCKS_DATA / "blocks-public.zip",
                    hidden_zip=BLOCKS_DATA / "blocks-hidden.zip",
                )
            _say(f"benchmark {done.benchmark}: {'registered' if done.changed else 'unchanged'}, {done.version[:12]}")
    finally:
        pool.close()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
