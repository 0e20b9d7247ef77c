"""Every list goes on behind a row: nothing is shown twice or left out, whatever is added meanwhile."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from server.db.pool import transaction
from tests import making
from tests.pages import walk

LISTS = {
    "/submissions": "submissions",
    "/baselines": "baselines",
    "/audit": "audit",
    "/quota-grants": "grants",
    "/notices/deliveries": "deliveries",
    "/tokens": "tokens",
    "/users": "users",
}


def _lists(app):
    for path, methods in app.openapi()["paths"].items():
        names = {parameter["name"] for parameter in methods.get("get", {}).get("parameters", [])}
        if "limit" in names:
            yield path.removeprefix("/api/v1"), names


def test_every_list_goes_by_cursor_and_none_by_number(app):
    found = dict(_lists(app))
    assert set(found) >= set(LISTS)
    for path, names in found.items():
        assert "cursor" in names, path
        assert "offset" not in names, path


def test_every_answer_that_is_a_list_says_how_to_go_on(app):
    document = app.openapi()
    for path, _ in _lists(app):
        answer = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]
        name = answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert "next_cursor" in document["components"]["schemas"][name]["required"], path


def test_what_is_added_while_a_list_is_read_moves_nothing(client, pool, blocks, login):
    owner = login("Owners")
    with transaction(pool) as conn:
        old = [str(making.submission(conn, blocks, model=f"M{n}")) for n in range(6)]
    seen = []
    for page in walk(client, "/submissions?limit=2", owner):
        seen += [one["id"] for one in page["submissions"]]
        with transaction(pool) as conn:
            making.submission(conn, blocks, model="later")
    assert sorted(seen) == sorted(old)


def test_rows_of_one_moment_are_neither_lost_nor_repeated(client, pool, blocks, login):
    owner = login("Owners")
    with transaction(pool) as conn:  # one transaction: one created_at
        made = {str(making.submission(conn, blocks, model=f"M{n}")) for n in range(7)}
    seen = [one["id"] for page in walk(client, "/submissions?limit=2", owner) for one in page["submissions"]]
    assert len(seen) == 7
    assert set(seen) == made


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nothing",
        "ü",
        "a",
        _encoded("[]"),
        _encoded("{}"),
        _encoded("[1, 2, 3, 4]"),
        _encoded("[99999999999999999999]"),
        _encoded("[-1]"),
        _encoded('["\\u0000", "x", "2f1e8a34-0000-4000-8000-000000000000"]'),
        _encoded('["2026-01-01T00:00:00", "2f1e8a34-0000-4000-8000-000000000000"]'),
        _encoded('["' + "x" * 501 + '", "x", "2f1e8a34-0000-4000-8000-000000000000"]'),
        "x" * 2001,
    ],
)
def test_a_cursor_that_is_none_of_the_lists_is_refused(path, cursor, client, maintainer):
    answer = client.get(path, params={"cursor": cursor}, headers=maintainer)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
