from __future__ import annotations

import re
from importlib.resources import files

import psycopg
import pytest

from server.db.migrate import migrate, migrations, pending
from server.db.queries import load
from server.errors import ConfigurationError
from tests import making

_CATALOG = {
    "columns": "select table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity"
    " from information_schema.columns where table_schema = 'public'",
    "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " from pg_constraint where connamespace = 'public'::regnamespace",
    "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
    "enums": "select t.typname, e.enumlabel, e.enumsortorder from pg_enum e join pg_type t on t.oid = e.enumtypid",
    "triggers": "select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
    "functions": "select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace",
    "sequences": "select sequencename, data_type::text, increment_by from pg_sequences where schemaname = 'public'",
}


def _catalog(conn: psycopg.Connection) -> dict[str, set[tuple[object, ...]]]:
    return {
        name: {row for row in conn.execute(sql.encode()).fetchall() if "schema_migrations" not in str(row)}
        for name, sql in _CATALOG.items()
    }


def test_the_migrations_lead_to_the_schema(database_url, bare_database_url):
    schema = files("server.db").joinpath("schema.sql").read_bytes()
    with psycopg.connect(database_url) as migrated, psycopg.connect(bare_database_url) as written:
        written.execute(schema)
        assert _catalog(migrated) == _catalog(written)
        assert all(_catalog(migrated).values())


def _features() -> list[str]:
    folder = files("server.db").joinpath("queries")
    return sorted(file.name.removesuffix(".sql") for file in folder.iterdir() if file.name.endswith(".sql"))


@pytest.mark.parametrize("feature", _features())
def test_every_named_query_can_be_prepared(feature, database_url):
    with psycopg.connect(database_url) as conn:
        for name, query in load(feature).items():
            numbers: dict[str, int] = {}
            text = re.sub(
                r"%\((\w+)\)s",
                lambda found: f"${numbers.setdefault(found.group(1), len(numbers) + 1)}",  # noqa: B023 - used at once
                query.sql,
            ).replace("%%", "%")
            try:
                conn.execute(f"prepare q_{name} as {text}".encode())
            except psycopg.Error as error:
                pytest.fail(f"{query.name}: {error}")


def test_every_file_of_queries_names_at_least_one():
    assert all(load(feature) for feature in _features())


def test_migrating_again_changes_nothing(database_url):
    assert pending(database_url) == []
    assert migrate(database_url) == []


def test_an_empty_database_lacks_every_migration(bare_database_url):
    assert pending(bare_database_url) == [step.name for step in migrations()]
    assert migrate(bare_database_url) == [step.name for step in migrations()]


def test_migrations_are_numbered_without_gaps():
    assert [step.name[:4] for step in migrations()] == [f"{n:04d}" for n in range(1, len(migrations()) + 1)]


def test_a_database_from_a_newer_version_is_refused(database_url):
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("insert into schema_migrations (name, sha256) values ('9999_later.sql', 'x')")
    with pytest.raises(ConfigurationError, match="9999_later"):
        migrate(database_url)


def test_a_migration_whose_text_was_changed_is_refused(database_url):
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("update schema_migrations set sha256 = 'x'")
    with pytest.raises(ConfigurationError, match="another text"):
        migrate(database_url)


@pytest.mark.parametrize("table", ["audit_log", "submission_events", "scores"])
@pytest.mark.parametrize("act", ["update {table} set {column} = {column}", "delete from {table}", "truncate {table}"])
def test_the_logs_and_the_scores_can_only_be_added_to(table, act, database_url):
    text = act.format(table=table, column="run_id" if table == "scores" else "at")
    with psycopg.connect(database_url) as conn, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        conn.execute(text.encode())


@pytest.mark.parametrize("state", ["succeeded", "failed", "lost"])
def test_a_finished_run_stays_as_it_ended(state, conn, blocks):
    submission = making.submission(conn, blocks)
    making.score(conn, submission, subset="blocks-room", operations={}, state=state)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"), conn.transaction():
        conn.execute("update runs set done = 1")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"), conn.transaction():
        conn.execute("delete from runs")


@pytest.mark.parametrize("state", ["queued", "running", "succeeded"])
def test_a_subset_has_one_living_run_at_most(state, conn, blocks):
    submission = making.submission(conn, blocks)
    making.score(conn, submission, subset="blocks-room", operations={}, state=state)
    with pytest.raises(psycopg.errors.UniqueViolation, match="runs_one_alive"), conn.transaction():
        making.score(conn, submission, subset="blocks-room", operations={}, state="queued", attempt=2)


@pytest.mark.parametrize("state", ["failed", "lost"])
def test_a_subset_may_be_tried_again_after_an_attempt_that_gave_nothing(state, conn, blocks):
    submission = making.submission(conn, blocks)
    making.score(conn, submission, subset="blocks-room", operations={}, state=state)
    making.score(conn, submission, subset="blocks-room", operations={"all": {"ic": 1}}, attempt=2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 100.01])
@pytest.mark.parametrize("table", ["scores", "curated_scores"])
def test_a_number_outside_0_to_100_is_refused_by_the_table(table, value, database_url):
    columns = "(submission_id, run_id, subset, protocol, operation, dimension, value, n, missing)"
    rows = f"{columns} values (gen_random_uuid(), gen_random_uuid(), 's', 'p', 'all', 'ic', %s, 1, 0)"
    if table == "curated_scores":
        rows = "(entry_id, subset, dimension, value) values (gen_random_uuid(), 's', 'ic', %s)"
    with psycopg.connect(database_url) as conn, pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(f"insert into {table} {rows}".encode(), (value,))
