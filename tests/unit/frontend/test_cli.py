import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from frontend.cli import register
from tests.unit.frontend.fake_api import Service

Run = Callable[..., Result]
MANIFEST: dict[str, Any] = {
    "schema": "gsi-benchmark/1",
    "benchmark": "blocks",
    "title": "Blocks",
    "protocol": "gsi-fair-1",
    "detector": "blocks-detector-1",
    "judge": "blocks-judge-1",
    "perceptual": "msssim-1",
    "subsets": [{"id": "blocks-tabletop", "title": "Tabletop", "samples": 1}],
    "samples": [
        {
            "id": "tabletop-01_edit_1",
            "subset": "blocks-tabletop",
            "scene": "tabletop-01",
            "operation": "move",
            "difficulty": "easy",
            "instruction": "Move the red block 10 centimeters to the left",
            "target": "red block",
            "original": "originals/tabletop-01.webp",
            "width": 8,
            "height": 8,
            "camera": {"intrinsics": [[8, 0, 4], [0, 8, 4], [0, 0, 1]], "pitch": 0.5, "height": 0.6},
        }
    ],
}


@pytest.fixture
def run(api: str, tmp_path: Path) -> Run:
    app = typer.Typer()
    register(app)
    environment = {
        "GSI_URL": api,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "GSI_TOKEN": "",
        "COLUMNS": "200",
    }

    def invoke(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), env=environment, input=given)

    return invoke


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A zip with one right image."""
    from PIL import Image

    picture, path = tmp_path / "one.png", tmp_path / "edits.zip"
    Image.new("RGB", (8, 8), "red").save(picture)
    with zipfile.ZipFile(path, "w") as made:
        made.write(picture, "blocks-tabletop/tabletop-01_edit_1.png")
    return path


@pytest.fixture
def bad_archive(tmp_path: Path) -> Path:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("../blocks-tabletop/tabletop-01_edit_1.png", "no image")
    return path


def test_submit_waits_publishes_and_the_board_shows_it(run: Run, service: Service, archive: Path) -> None:
    service.manifest = MANIFEST
    done = run("submit", str(archive), "--model", "My editor", "--team", "Lab", "--publish")
    assert done.exit_code == 0, done.output
    assert "Published" in done.output
    assert "89.19" in done.output
    board = run("leaderboard", "--benchmark", "blocks")
    assert "My editor" in board.output
    assert [*service.uploads.values()] == [archive.read_bytes()]


def test_the_board_can_be_asked_for_under_another_protocol(run: Run, service: Service, archive: Path) -> None:
    service.manifest = MANIFEST
    done = run("submit", str(archive), "--model", "My editor", "--team", "Lab", "--publish")
    assert "Under gsi-official-1" in done.output
    assert "43.75" not in run("leaderboard", "--benchmark", "blocks").output
    assert "43.75" in run("leaderboard", "--benchmark", "blocks", "--protocol", "gsi-official-1").output
    assert run("leaderboard", "--protocol", "gsi-official-1").exit_code == 2


def test_a_bad_zip_is_refused_here_and_never_uploaded(run: Run, service: Service, bad_archive: Path) -> None:
    service.manifest = MANIFEST
    done = run("submit", str(bad_archive), "--model", "M", "--team", "Lab")
    assert done.exit_code == 65
    assert "refused" in done.output
    assert service.submissions == {}


def test_a_refused_submission_ends_with_65_and_says_what_to_mend(run: Run, service: Service, bad_archive: Path) -> None:
    service.refused = True
    done = run("submit", str(bad_archive), "--model", "M", "--team", "Lab", "--no-check", "--wait")
    assert done.exit_code == 65
    assert "../../etc/passwd" in done.output
    assert "without parent paths" in done.output


def test_check_works_without_any_service(run: Run, archive: Path, bad_archive: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "benchmark.json"
    manifest.write_text(json.dumps(MANIFEST))
    nowhere = ("--manifest", str(manifest), "--url", "http://127.0.0.1:1")
    good = run("check", str(archive), *nowhere)
    assert good.exit_code == 0, good.output
    assert "1 of 1 images are usable" in good.output
    bad = run("check", str(bad_archive), *nowhere, "--json")
    assert bad.exit_code == 65
    assert json.loads(bad.stdout)["accepted"] is False


def test_a_check_tells_structure_and_names_first_and_each_defect_once(run: Run, archive: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "benchmark.json"
    manifest.write_text(json.dumps(MANIFEST))
    with zipfile.ZipFile(archive, "a") as changed:
        changed.writestr("notes.txt", "x")
    done = run("check", str(archive), "--manifest", str(manifest), "--threads", "2")
    assert done.exit_code == 65
    lines = [line for line in done.stdout.splitlines() if line]
    assert "unexpected-file" in lines[0]
    assert "Structure and names: not in order, 1 of 1 images found" in lines[3]
    assert lines[4].startswith("The archive would be refused. 1 of 1 images are usable.")
    assert done.output.count("unexpected-file") == 1


def test_a_check_without_a_service_says_how_to_do_without_it(run: Run, archive: Path) -> None:
    done = run("check", str(archive), "--url", "http://127.0.0.1:1")
    assert done.exit_code == 69
    assert "--manifest FILE" in done.output
    assert "gsi up" in done.output
    assert "--manifest" not in run("leaderboard", "--url", "http://127.0.0.1:1").output


def test_a_file_that_is_no_manifest_is_named(run: Run, archive: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text('{"schema": "other"}')
    done = run("check", str(archive), "--manifest", str(odd))
    assert done.exit_code == 65
    assert "odd.json is not a benchmark manifest" in done.output.replace("\n", "")


def test_without_an_identity_it_says_how_to_get_one(run: Run) -> None:
    done = run("submissions")
    assert done.exit_code == 77
    assert "gsi login" in done.output


def test_a_login_is_remembered_for_the_service(run: Run, service: Service, archive: Path) -> None:
    assert run("login", "--team", "Lab").exit_code == 0
    assert run("submit", str(archive), "--model", "M", "--no-check").exit_code == 0
    listed = run("submissions", "--json")
    assert [each["model"] for each in json.loads(listed.stdout)] == ["M"]


def test_a_token_is_saved_only_if_the_service_knows_it(run: Run, service: Service, tmp_path: Path) -> None:
    refused = run("login", "--token", "bogus-xyzzy")
    assert refused.exit_code == 77
    assert "The service does not know this token" in refused.output
    assert "xyzzy" not in refused.output
    assert not [*tmp_path.rglob("credentials.json")]
    service.tokens["token-of-Lab"] = "Lab"
    assert run("login", "--token", "token-of-Lab").exit_code == 0
    assert run("submissions").exit_code == 0


def test_a_token_is_not_saved_while_the_service_is_away(run: Run, tmp_path: Path) -> None:
    done = run("login", "--token", "token-of-Lab", "--url", "http://127.0.0.1:1")
    assert done.exit_code == 69
    assert not [*tmp_path.rglob("credentials.json")]


def test_another_team_named_at_a_command_is_logged_in_anew(run: Run, service: Service, archive: Path) -> None:
    run("login", "--team", "Lab")
    run("submit", str(archive), "--model", "M", "--no-check", "--team", "Other")
    assert [each["team"] for each in service.submissions.values()] == ["Other"]


@pytest.mark.parametrize("command", [("status", "nothing"), ("leaderboard", "--benchmark", "nothing")])
def test_what_does_not_exist_ends_with_66(run: Run, command: tuple[str, ...]) -> None:
    assert run(*command).exit_code == 66


def test_a_service_that_is_not_there_ends_with_69_and_says_what_to_do(run: Run) -> None:
    done = run("leaderboard", "--url", "http://127.0.0.1:1")
    assert done.exit_code == 69
    assert "gsi up" in done.output


def test_withdraw_asks_first(run: Run, service: Service, archive: Path) -> None:
    run("submit", str(archive), "--model", "M", "--no-check", "--team", "Lab")
    (name,) = service.submissions
    assert run("withdraw", name, given="n\n").exit_code == 1
    assert service.submissions[name]["state"] == "uploaded"
    assert run("withdraw", name, "--yes").exit_code == 0
    assert service.submissions[name]["state"] == "withdrawn"


def test_publishing_too_early_tells_the_services_reason(run: Run, service: Service, archive: Path) -> None:
    run("submit", str(archive), "--model", "M", "--no-check", "--team", "Lab")
    done = run("publish", next(iter(service.submissions)))
    assert done.exit_code == 65
    assert "Wait until it is scored" in done.output


def test_a_maintainer_adds_edits_and_retires_a_baseline_and_the_audit_shows_it(run: Run, service: Service) -> None:
    run("login", "--maintainer")
    source = ("--source-url", "https://example.org/table", "--access-date", "2026-11-01")
    scores = ("--score", "gsi-real.ic=38.78", "--score", "gsi-real.sa=21.6")
    added = run("baseline", "add", "--model", "Big", "--vendor", "Vendor", *source, *scores, "--json")
    assert added.exit_code == 0, added.output
    name = json.loads(added.stdout)["id"]
    assert service.baselines[name]["scores"] == {"gsi-real": {"ic": 38.78, "sa": 21.6}}
    assert run("baseline", "edit", name, "--vendor", "Other").exit_code == 0
    assert run("baseline", "retire", name, "--reason", "Superseded").exit_code == 0
    assert "retired: Superseded" in run("baseline", "list").output
    acts = [entry["action"] for entry in json.loads(run("audit", "--json").stdout)]
    assert acts == ["baseline.retire", "baseline.edit", "baseline.add"]


def test_a_team_may_not_curate(run: Run) -> None:
    run("login", "--team", "Lab")
    assert run("audit").exit_code == 77


@pytest.mark.parametrize("text", ["gsi-real.ic", "ic=3", "gsi-real.ic=high", "gsi-real.=3", "gsi-real.ic=nan"])
def test_a_score_that_cannot_be_read_is_refused_before_anything_is_sent(run: Run, service: Service, text: str) -> None:
    source = ("--source-url", "https://example.org", "--access-date", "2026-11-01")
    done = run("baseline", "add", "--model", "Big", "--vendor", "V", *source, "--score", text)
    assert done.exit_code == 2
    assert service.baselines == {}


def test_help_does_not_load_the_heavy_parts() -> None:
    program = (
        "import sys, typer; from frontend.cli import register; register(typer.Typer()); "
        "print(sorted(name for name in ('gradio', 'httpx', 'PIL', 'pydantic') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("token", ["\xe9xyzzy", "xy\nxyzzy", "xyzzy one"])
@pytest.mark.parametrize("command", [("submissions",), ("status", "nothing"), ("login",)])
def test_a_malformed_token_ends_with_77_and_is_never_shown(run: Run, command: tuple[str, ...], token: str) -> None:
    done = run(*command, "--token", token)
    assert done.exit_code == 77, done.output
    assert "The token cannot be right" in done.output
    assert "xyzzy" not in done.output
    assert isinstance(done.exception, SystemExit)


def test_white_space_around_a_token_is_forgiven(run: Run, service: Service) -> None:
    service.tokens["token-of-Lab"] = "Lab"
    assert run("submissions", "--token", " token-of-Lab\n").exit_code == 0
