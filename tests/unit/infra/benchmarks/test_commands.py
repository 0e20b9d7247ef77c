"""The whole path: from folders to what the service tells and hands out."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.benchmarks.adding import UsageError, checked, enter, wish_of
from infra.benchmarks.cli import app as verbs
from infra.benchmarks.findings import Findings
from infra.benchmarks.place import Place, place_of
from infra.benchmarks.progress import Progress
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.state import locked
from infra.prepare import BLOCKS_DATA
from server.curation.seed import seed
from server.db.migrate import migrate
from server.db.pool import transaction
from server.errors import ConfigurationError, ConflictError
from server.storage.local import LocalStorage
from tests.unit.infra.benchmarks import making
from tests.unit.infra.benchmarks.conftest import PART

MISSING = ["detector grounding-dino-detany3d"]
NO_SUCH = ["--detector", "no-such-detector", "--judge", "blocks-judge-1", "--perceptual", "msssim-1"]
HERE = ["--detector", "blocks-detector-1", "--judge", "blocks-judge-1", "--perceptual", "msssim-1"]


@pytest.fixture
def gsi(database_url, tmp_path, monkeypatch):
    """`gsi benchmark …` on this test's database and storage: exit code, what it says on both streams."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("GSI_STORAGE_DIR", str(tmp_path / "storage"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        done = CliRunner().invoke(verbs, [str(one) for one in arguments])
        assert not isinstance(done.exception, Exception) or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def place(pool, storage):
    return Place(pool, storage)


def stored(tmp_path):
    return sorted(path.name for path in (tmp_path / "storage").rglob("*") if path.is_file())


def rows(pool):
    with transaction(pool) as conn:
        found = conn.execute("select id from benchmarks union all select version from benchmark_versions").fetchall()
    return [row[0] for row in found]


def audited(pool):
    with transaction(pool) as conn:
        return conn.execute("select actor, action, subject, detail from audit_log order by id").fetchall()


def sound(*folders, edition=PART):
    return checked(
        wish_of([str(one) for one in folders]), edition, found=Findings(), progress=Progress(Console(quiet=True))
    )


def test_an_added_benchmark_is_shown_with_its_manifest_and_inputs(gsi, client, pool, fine, robothor):
    code, said, _ = gsi("add", fine, robothor, "--partial", *HERE)
    assert code == 0, said
    told = client.get("/benchmarks/gsi-bench-partial").json()
    assert told["accepts_submissions"]
    assert told["missing_instruments"] == []
    assert told["protocols"] == ["gsi-fair-1", "gsi-official-1"]
    assert told["operations"] == ["move", "rotate", "scale", "remove", "view"]
    assert [(one["id"], one["samples"]) for one in told["subsets"]] == [("gsi-real", 4), ("gsi-syn-room", 2)]
    inputs = zipfile.ZipFile(io.BytesIO(client.get("/benchmarks/gsi-bench-partial/inputs.zip").content))
    original = client.get("/benchmarks/gsi-bench-partial/originals/fine/room_frame_10.jpg")
    assert original.content == inputs.read("originals/fine/room_frame_10.jpg")
    assert original.content == (fine / "room_frame_10.jpg").read_bytes()
    manifest = client.get("/benchmarks/gsi-bench-partial/manifest").json()
    assert [one["id"] for one in manifest["samples"]] == [
        one["id"] for one in json.loads(inputs.read("benchmark.json"))["samples"]
    ]


def test_nothing_that_the_service_hands_out_holds_a_hidden_number(gsi, client, maintainer, fine, robothor):
    said = gsi("add", fine, robothor, "--partial", *HERE)
    told = [client.get(f"/benchmarks{path}").content for path in ("", "/gsi-bench-partial")]
    told += [client.get(f"/benchmarks/gsi-bench-partial/{part}").content for part in ("manifest", "inputs.zip")]
    told += [client.get("/audit", headers=maintainer).content, *(str(one).encode() for one in said)]
    told += [str(gsi(*verb)).encode() for verb in (["list"], ["show", "gsi-bench-partial"])]
    for canary in making.CANARIES:
        assert not any(canary.encode() in content for content in told)
    for name in ("gt/robothor/FloorPlan1_edit_1.png", "truth.json", "benchmark.json"):
        assert client.get(f"/benchmarks/gsi-bench-partial/originals/../{name}").status_code == 404
        assert client.get(f"/benchmarks/gsi-bench-partial/originals/{name}").status_code == 404


def test_adding_the_same_again_changes_nothing_and_a_changed_file_makes_a_version(gsi, pool, client, fine):
    assert "registered" in gsi("add", fine, "--partial", *HERE)[1]
    first = client.get("/benchmarks/gsi-bench-partial").json()["version"]
    assert "unchanged" in gsi("add", fine, "--partial", *HERE)[1]
    assert len(audited(pool)) == 1
    making.change(fine, "room_frame_10_edit_2.json", new_bbox_3d=[1.5, *making.BOX[1:]])
    assert "registered" in gsi("add", fine, "--partial", *HERE)[1]
    assert client.get("/benchmarks/gsi-bench-partial").json()["version"] != first
    assert [(action, subject) for _, action, subject, _ in audited(pool)] == [
        ("benchmark.add", "gsi-bench-partial")
    ] * 2


def test_a_dry_run_and_a_refusal_leave_nothing_behind(gsi, pool, tmp_path, fine):
    code, said, _ = gsi("add", fine, "--partial", "--dry-run", *HERE)
    assert (code, "sound" in said) == (0, True)
    code, _, complained = gsi("add", fine, *HERE)
    assert (code, "441" in complained) == (65, True)
    making.change(fine, "room_frame_10_edit_2.json", target=None)
    code, _, complained = gsi("add", fine, "--partial", *HERE)
    assert code == 65
    assert "fine_dataset/room_frame_10_edit_2.json: field target: is missing" in complained
    assert (rows(pool), stored(tmp_path), audited(pool)) == ([], [], [])


def test_a_benchmark_without_its_detector_is_shown_and_refuses_submissions_until_it_is_there(
    gsi, client, login, pool, fine
):
    code, said, _ = gsi("add", fine, "--partial", *NO_SUCH)
    assert (code, "takes no submissions yet" in said) == (0, True)
    assert not client.get("/benchmarks/gsi-bench-partial").json()["accepts_submissions"]
    begin = {"benchmark": "gsi-bench-partial", "model": "m"}
    refused = client.post("/submissions", json=begin, headers=login("Team"))
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "cannot be scored here yet: detector no-such-detector is not installed" in refused.json()["detail"]
    assert "no: 1 instrument missing" in gsi("list")[1]
    assert "no: detector no-such-detector is not installed" in gsi("show", "gsi-bench-partial")[1]
    assert "as before" in gsi("refresh")[1]
    with transaction(pool) as conn:  # as if it had been installed since: its name is one that is known
        conn.execute(
            "update benchmark_versions set manifest = jsonb_set(manifest, '{detector}', '\"blocks-detector-1\"')"
        )
    assert "It takes submissions" in gsi("refresh")[1]
    assert client.post("/submissions", json=begin, headers=login("Team")).status_code == 201
    assert [action for _, action, _, _ in audited(pool)] == ["benchmark.add", "benchmark.refresh"]


def test_gsi_bench_opens_once_its_detector_is_installed_and_says_until_then_what_to_get(
    gsi, client, pool, fine, installed, tmp_path, monkeypatch
):
    instruments = tmp_path / "instruments.json"
    instruments.write_text(json.dumps({"weights": str(tmp_path / "none")}))
    monkeypatch.setenv("GSI_INSTRUMENTS", str(instruments))
    code, said, _ = gsi("add", fine, "--partial", *HERE[2:])
    assert code == 0
    assert "not to be had here: detector grounding-dino-detany3d" in said
    for word in (
        "accept_noncommercial_weights",
        "IDEA-Research/grounding-dino-base",
        "detany3d.pth",
        "convert-weights",
    ):
        assert word in said, word
    assert not client.get("/benchmarks/gsi-bench-partial").json()["accepts_submissions"]
    assert client.get("/benchmarks/gsi-bench-partial").json()["missing_instruments"] == MISSING  # no path of ours in it
    settings = {"weights": str(installed), "detector": {"accept_noncommercial_weights": True}}
    instruments.write_text(json.dumps(settings))
    assert "It takes submissions" in gsi("refresh")[1]
    assert client.get("/benchmarks/gsi-bench-partial").json()["accepts_submissions"]
    instruments.write_text(json.dumps({**settings, "detector": {}}))
    assert "NON-COMMERCIAL" in gsi("refresh")[1]
    assert not client.get("/benchmarks/gsi-bench-partial").json()["accepts_submissions"]


def test_blocks_as_shipped_can_be_added_by_hand_and_listed(gsi, client, monkeypatch):
    code, said, _ = gsi("add", BLOCKS_DATA)
    assert (code, "blocks: registered" in said) == (0, True)
    version = client.get("/benchmarks/blocks").json()["version"]
    told = "blocks Blocks blocks-tabletop 36 VERSION gsi-fair-1 yes blocks-room 36 gsi-official-1"
    assert told.replace("VERSION", version[:12]) in " ".join(gsi("list")[1].split())
    monkeypatch.setenv("COLUMNS", "60")
    assert told.replace("VERSION", version[:12]) in " ".join(gsi("list")[1].split())
    shown = gsi("show", "blocks")[1]
    assert version in shown
    assert "blocks-judge-1" in shown
    assert gsi("show", "nothing")[0] == 70


def test_numbers_made_here_never_stand_on_the_board_of_published_results(gsi, pool, tmp_path, fine):
    with transaction(pool) as conn:
        seed(conn)
    before = rows(pool)
    code, _, complained = gsi("add", fine, "--partial", "--id", "gsi-bench", *HERE)
    assert (code, "published results" in complained) == (70, True)
    assert (rows(pool), stored(tmp_path)) == (before, [])


class _Cut(LocalStorage):
    """A storage during whose second object somebody presses Ctrl-C."""

    def put(self, key, chunks, *, max_bytes):
        if key.endswith("hidden.zip"):
            raise KeyboardInterrupt
        return super().put(key, chunks, max_bytes=max_bytes)


def test_an_interrupted_registration_leaves_nothing(pool, tmp_path, fine):
    with sound(fine) as made, pytest.raises(KeyboardInterrupt):
        enter(Place(pool, _Cut(tmp_path / "storage")), made, missing=MISSING, actor="operator")
    assert (rows(pool), stored(tmp_path)) == ([], [])


def test_a_database_that_refuses_leaves_nothing_in_storage(place, pool, tmp_path, fine):
    with transaction(pool) as conn:
        conn.execute("alter table benchmark_versions add check (judge = 'none')")
    with sound(fine) as made, pytest.raises(Exception, match="violates check"):
        enter(place, made, missing=MISSING, actor="operator")
    assert (rows(pool), stored(tmp_path)) == ([], [])


def test_a_later_failure_leaves_an_earlier_registration_whole(place, pool, tmp_path, fine):
    with sound(fine) as made:
        done = enter(place, made, missing=MISSING, actor="operator")
        with transaction(pool) as conn:
            conn.execute("alter table audit_log add check (actor = 'operator')")
        with pytest.raises(Exception, match="violates check"):
            enter(place, made, missing=[], actor="another")
    assert rows(pool) == ["gsi-bench-partial", done.version]
    assert stored(tmp_path) == ["hidden.zip", "public.zip"]


def test_two_registrations_at_once_do_not_mix(place, fine):
    with sound(fine) as made, place.pool.connection() as other:
        other.execute("select pg_advisory_xact_lock(%s)", (0x6753_4943,))
        with pytest.raises(ConflictError, match="being registered"):
            enter(place, made, missing=[], actor="operator")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{root}/nothing"], "no folder"),
        (["{root}"], "NAME=FOLDER"),
        (["coarse={root}"], "no data set"),
        (["fine={root}", "{root}/fine_dataset"], "twice"),
        ([str(BLOCKS_DATA), "{root}/fine_dataset"], "give it alone"),
    ],
)
def test_folders_that_cannot_be_what_they_are_said_to_be_are_a_wrong_call(arguments, words, fine):
    with pytest.raises(UsageError, match=words):
        wish_of([one.format(root=fine.parent) for one in arguments])


def test_a_folder_of_any_name_and_a_link_are_taken_for_what_they_are_called(fine):
    (fine.parent / "mesatask_dataset").symlink_to(fine)
    other = fine.rename(fine.parent / "photographs")
    assert wish_of([f"fine={other}"]).official == {"fine": other}
    (fine.parent / "mesatask_dataset").unlink()
    (fine.parent / "mesatask_dataset").symlink_to(other)
    assert list(wish_of([str(fine.parent / "mesatask_dataset")]).official) == ["mesatask"]


def test_a_wrong_call_ends_with_64(gsi, fine):
    assert gsi("add", fine / "nothing")[0] == 64
    assert gsi("add", fine, "--id", "Not An Id")[0] == 64
    assert gsi("add", BLOCKS_DATA, "--title", "Other")[0] == 64


def test_without_a_service_it_is_said_where_one_was_looked_for(monkeypatch, tmp_path):
    for name in ("DATABASE_URL", "GSI_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(verbs, ["list", "--data-dir", str(tmp_path)])
    assert done.exit_code == 69
    assert "gsi up" in done.stderr


def test_a_database_that_lacks_migrations_is_told(bare_database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", bare_database_url)
    with pytest.raises(ConfigurationError, match="0001_initial"), place_of(tmp_path):
        raise AssertionError("nothing to see")


def test_the_service_of_a_data_directory_is_reached_whether_it_runs_or_not(monkeypatch, tmp_path):
    for name in ("DATABASE_URL", "GSI_DATABASE_URL", "GSI_STORAGE_DIR"):
        monkeypatch.delenv(name, raising=False)
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    with locked(tmp_path):
        migrate(server.start())
        with place_of(tmp_path) as place, transaction(place.pool) as conn:
            conn.execute("insert into audit_log (actor, action, subject) values ('a', 'b', 'seen')")
        server.stop()
    with place_of(tmp_path) as place, transaction(place.pool) as conn:
        assert conn.execute("select subject from audit_log").fetchall() == [("seen",)]
    assert EmbeddedPostgres.running_url(tmp_path / "postgres") is None
