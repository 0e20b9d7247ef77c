from __future__ import annotations

import threading
import time

import psycopg

from server.db.migrate import migrations
from server.db.pool import transaction
from server.teams import store


def _waits_for_a_lock(pool):
    with transaction(pool) as conn:
        row = conn.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
    return row[0] > 0


def test_of_two_that_make_one_team_at_once_both_get_it(pool):
    found = []

    def second():
        with transaction(pool) as conn:
            found.append(store.find_or_make_team(conn, name="TEAM"))

    waiting = threading.Thread(target=second)
    with transaction(pool) as conn:
        first = store.find_or_make_team(conn, name="Team")
        waiting.start()
        while not _waits_for_a_lock(pool):
            time.sleep(0.01)
    waiting.join()
    assert found == [first]


def test_a_team_is_found_whatever_the_case_and_keeps_its_name(conn):
    made = store.find_or_make_team(conn, name="Blue Blocks")
    assert store.find_or_make_team(conn, name="blue BLOCKS") == made
    assert made.name == "Blue Blocks"


def test_teams_of_an_older_database_get_their_keys_and_none_is_lost(bare_database_url):
    first, second = (step.sql.encode() for step in migrations()[:2])
    with psycopg.connect(bare_database_url) as conn:
        conn.execute(first)
        for name in ("Blue  Blocks", "blue\u00a0blocks", "Straße", "Red"):
            conn.execute("insert into teams (name, created_at) values (%s, clock_timestamp())", (name,))
        conn.execute(second)
        rows = conn.execute("select name, name_key from teams order by created_at").fetchall()
        assert store.find_or_make_team(conn, name="BLUE BLOCKS").name == "Blue  Blocks"
        assert store.find_or_make_team(conn, name="STRASSE").name == "Straße"
    assert [name for name, _ in rows] == ["Blue  Blocks", "blue\u00a0blocks", "Straße", "Red"]
    assert len({key for _, key in rows}) == 4
