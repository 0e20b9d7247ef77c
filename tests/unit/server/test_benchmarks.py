from __future__ import annotations

import io
import json
import zipfile

import pytest

from server.benchmarks.service import register
from server.curation.seed import seed
from server.db.pool import transaction
from server.errors import InvalidError
from server.submissions.lifecycle import State
from tests import making


def _rewritten(source, target, *, change=None, without=None):
    """A copy of an archive with its JSON changed, or with a file left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if change and name.endswith(".json"):
                data = json.loads(content)
                change(data)
                content = json.dumps(data).encode()
            if name != without:
                new.writestr(name, content)
    return target


def test_a_registered_benchmark_is_shown_and_takes_submissions(client, blocks, benchmark_zips):
    told = client.get("/benchmarks/blocks").json()
    assert told["version"] == blocks.version
    assert (told["kind"], told["accepts_submissions"], told["ranked_by"]) == ("scored", True, "avg")
    assert told["operations"] == ["move", "remove"]
    assert [(one["id"], one["samples"]) for one in told["subsets"]] == [("blocks-tabletop", 2), ("blocks-room", 2)]
    assert [one["id"] for one in told["dimensions"]] == ["ic", "sa", "ac", "el", "avg"]
    assert client.get("/benchmarks").json() == {"benchmarks": [told]}


def test_registering_the_same_content_again_changes_nothing(pool, storage, blocks, benchmark_zips):
    with transaction(pool) as conn:
        again = register(conn, storage, public_zip=benchmark_zips.public, hidden_zip=benchmark_zips.hidden)
    assert blocks.changed
    assert again == blocks._replace(changed=False)


def test_another_content_gets_another_version_and_the_old_one_stays(
    client, pool, storage, blocks, benchmark_zips, tmp_path
):
    public = _rewritten(benchmark_zips.public, tmp_path / "p.zip", change=lambda data: data.update(title="Newer"))
    with transaction(pool) as conn:
        newer = register(conn, storage, public_zip=public, hidden_zip=benchmark_zips.hidden)
        versions = {row[0] for row in conn.execute("select version from benchmark_versions").fetchall()}
    assert versions == {blocks.version, newer.version}
    assert client.get("/benchmarks/blocks").json()["version"] == newer.version
    assert client.get("/benchmarks/blocks/manifest").json()["title"] == "Newer"


def _only_tabletop(data):
    data["subsets"] = [one for one in data.get("subsets", []) if one["id"] == "blocks-tabletop"]
    if isinstance(data["samples"], list):
        data["samples"] = [one for one in data["samples"] if one["subset"] == "blocks-tabletop"]
    else:
        data.pop("subsets")
        data["samples"] = {name: one for name, one in data["samples"].items() if name.startswith("tabletop")}


def test_a_subset_that_a_new_content_no_longer_has_leaves_the_board(
    client, pool, storage, blocks, benchmark_zips, tmp_path
):
    public = _rewritten(benchmark_zips.public, tmp_path / "p.zip", change=_only_tabletop)
    hidden = _rewritten(benchmark_zips.hidden, tmp_path / "h.zip", change=_only_tabletop)
    with transaction(pool) as conn:
        newer = register(conn, storage, public_zip=public, hidden_zip=hidden)
        numbers = {"blocks-tabletop": {"all": making.flat(50)}}
        making.submission(conn, newer, state=State.PUBLISHED, numbers=numbers)
    assert [one["id"] for one in client.get("/benchmarks/blocks").json()["subsets"]] == ["blocks-tabletop"]
    assert [row["rank"] for row in client.get("/benchmarks/blocks/leaderboard").json()["rows"]] == [1]


def _forget_a_sample(data):
    if "subsets" not in data:
        data["samples"].popitem()


def _another_protocol(data):
    data["surprise"] = True


@pytest.mark.parametrize(
    ("part", "change", "without", "told"),
    [
        ("hidden", _forget_a_sample, None, "same samples"),
        ("public", _another_protocol, None, "surprise"),
        ("public", None, "originals/room-00_move.webp", "room-00_move.webp"),
        ("hidden", None, "gt/room-00_move.webp", "room-00_move.webp"),
        ("public", None, "benchmark.json", "benchmark.json"),
        ("hidden", None, "truth.json", "truth.json"),
    ],
)
def test_a_content_with_a_hole_is_refused_and_nothing_is_stored(
    part, change, without, told, pool, storage, benchmark_zips, tmp_path
):
    parts = {"public": benchmark_zips.public, "hidden": benchmark_zips.hidden}
    parts[part] = _rewritten(parts[part], tmp_path / "changed.zip", change=change, without=without)
    with pytest.raises(InvalidError, match=told), transaction(pool) as conn:
        register(conn, storage, public_zip=parts["public"], hidden_zip=parts["hidden"])
    assert not list((tmp_path / "storage").rglob("*.zip"))


def test_a_file_that_is_no_zip_is_refused(pool, storage, benchmark_zips, tmp_path):
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no zip")
    with pytest.raises(InvalidError), transaction(pool) as conn:
        register(conn, storage, public_zip=broken, hidden_zip=benchmark_zips.hidden)


def test_the_inputs_are_the_public_archive_byte_for_byte(client, blocks, benchmark_zips):
    answer = client.get("/benchmarks/blocks/inputs.zip")
    assert answer.content == benchmark_zips.public.read_bytes()
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="blocks-{blocks.version[:12]}.zip"'
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_an_original_is_served_for_caches(client, blocks):
    path = "/benchmarks/blocks/originals/room-00_move.webp"
    answer = client.get(path)
    assert answer.content == b"original room-00_move"
    assert answer.headers["content-type"] == "image/webp"
    assert "max-age=" in answer.headers["cache-control"]
    again = client.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["x" * 300, "x/" * 3000, "a%00b", "%2e%2e/benchmark.json", "../benchmark.json", "%F0%9F%99%82"]
)
def test_an_original_that_cannot_be_is_not_found(name, client, blocks):
    answer = client.get(f"/benchmarks/blocks/originals/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_manifest_is_the_one_that_was_registered(client, blocks, benchmark_zips):
    answer = client.get("/benchmarks/blocks/manifest")
    told = answer.json()
    assert told["samples"] == benchmark_zips.manifest["samples"]
    again = client.get("/benchmarks/blocks/manifest", headers={"if-none-match": f"W/{answer.headers['etag']}"})
    assert again.status_code == 304


@pytest.mark.parametrize("part", ["manifest", "inputs.zip", "originals/x.webp"])
def test_a_board_of_published_results_has_no_files_and_says_so(part, client, pool):
    with transaction(pool) as conn:
        seed(conn)
    answer = client.get(f"/benchmarks/gsi-bench/{part}")
    assert answer.status_code == 404
    assert "published results" in answer.json()["detail"]


def test_a_board_of_published_results_takes_no_submissions(client, pool, login):
    with transaction(pool) as conn:
        seed(conn)
    answer = client.post("/submissions", json={"benchmark": "gsi-bench", "model": "m"}, headers=login("Team"))
    assert answer.status_code == 422
    assert "takes no submissions" in answer.json()["detail"]
