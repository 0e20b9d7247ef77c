"""No GET changes anything but what is meant to be written down of it."""

from __future__ import annotations

from server.db.pool import transaction
from server.submissions.lifecycle import State
from tests.unit.server.test_who_may_what import CASES, world  # noqa: F401 - a fixture

WRITTEN_DOWN = {"audit_log"}
"""That a maintainer looked at a report."""
COARSE = {"api_tokens": "used_at", "sessions": "used_at"}
"""When a token was last used: not before a while has passed since it was noted last."""


def _content(pool) -> dict[str, str]:
    """A fingerprint of every table."""
    with transaction(pool) as conn:
        names = conn.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        found = {}
        for (name,) in names:
            row = f"(to_jsonb(t) - '{COARSE.get(name, '')}')::text"
            text = f"select md5(coalesce(string_agg({row}, ',' order by {row}), '')) from {name} t"
            found[name] = conn.execute(text.encode()).fetchone()[0]
    return {name: content for name, content in found.items() if name not in WRITTEN_DOWN}


def test_no_read_changes_a_row_of_any_table(client, pool, world):  # noqa: F811 - the fixture
    made = world(State.SCORED)
    for method, route in CASES:
        if method != "GET" or route.endswith("/callback"):  # where a provider sends users back: it begins a session
            continue
        path = made.path(route)
        before = _content(pool)
        for caller in made.headers:
            client.get(path, headers=made.headers[caller])
        after = _content(pool)
        assert {name for name in after if after[name] != before[name]} == set(), route
