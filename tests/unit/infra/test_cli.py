import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import app
from infra.configured import Finding, detector_finding
from infra.doctor import examine
from infra.testing import run_tests

VERBS = ("demo", "test", "up", "down", "submit", "check", "status", "leaderboard", "migrate", "doctor")


def test_help_names_every_verb() -> None:
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    for verb in VERBS:
        assert verb in shown.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    shown = CliRunner().invoke(app, [verb, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.stdout


def test_help_speaks_of_gsi_however_it_was_started() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", "check", "--help"], capture_output=True, text=True, check=True
    )
    assert "Usage: gsi check" in done.stdout


def test_help_loads_nothing_heavy() -> None:
    program = "import sys, infra.cli; print([m for m in ('torch', 'gradio', 'celery', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_down_with_nothing_running_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["down", "--data-dir", str(tmp_path)])
    assert done.exit_code == 0


@pytest.mark.parametrize("verb", ["up", "demo"])
@pytest.mark.parametrize("port", ["99999", "0", "-1"])
def test_a_port_that_cannot_be_is_refused_before_anything_starts(verb: str, port: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, [verb, "--port", port, "--data-dir", str(tmp_path / "data")])
    assert done.exit_code == 2
    assert "--port" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(("verb", "code"), [("up", 69), ("demo", 70)])
@pytest.mark.parametrize("where", ["file/data", "/proc/data"])
def test_a_data_directory_that_cannot_be_is_told_in_words(verb: str, code: int, where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / where
    done = CliRunner().invoke(app, [verb, "--data-dir", str(place)])
    assert done.exit_code == code, done.exception
    told = " ".join(done.output.split())
    assert "cannot be the data directory" in told
    assert "--data-dir" in told
    (found,) = [finding for finding in examine(place) if finding.what == "data directory"]
    assert (found.state, found.remedy) == ("mend", "name another with --data-dir")


ROOT = Path(__file__).parents[3]
BROKEN_ADDRESSES = (
    "postgresql://user:PASSWORD@host:port/name",
    "postgresql://user:PASS@WORD@host/name",
    "postgresql://user:PASS/WORD@host/name",
    "postgresql://user:PASSWORD@[::1/name",
    "PASSWORD and nothing else",
)


def _migrate(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", "migrate"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **settings},
        cwd=ROOT,
    )


def test_migrate_without_a_database_names_the_setting_and_no_other(tmp_path: Path) -> None:
    done = _migrate(tmp_path)
    assert done.returncode == 78
    assert "GSI_DATABASE_URL: is not set" in done.stdout
    assert "SECRET_KEY" not in done.stdout


def test_up_tells_of_a_broker_that_does_not_answer_before_the_website_starts(
    bare_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", bare_database_url)
    monkeypatch.setenv("GSI_BROKER_URL", "redis://:PASSWORD@127.0.0.1:9/0")
    done = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path / "data")])
    assert done.exit_code == 69
    assert "The queue does not answer" in done.output
    assert "PASSWORD" not in done.output
    assert not (tmp_path / "data" / "logs" / "web.log").exists()


def test_migrate_needs_a_database_and_nothing_else(bare_database_url: str, tmp_path: Path) -> None:
    done = _migrate(tmp_path, DATABASE_URL=bare_database_url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0001_initial.sql" in done.stdout


def test_migrate_tells_a_database_that_does_not_answer_in_our_words(tmp_path: Path) -> None:
    done = _migrate(tmp_path, DATABASE_URL="postgresql://user:PASSWORD@127.0.0.1:9/name")
    assert (done.returncode, done.stderr) == (69, "")
    assert done.stdout == "The database of DATABASE_URL cannot be used: nothing listens there.\n"


@pytest.mark.parametrize("address", BROKEN_ADDRESSES)
def test_no_part_of_a_broken_address_is_told(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    monkeypatch.setenv("GSI_BROKER_URL", address.replace("postgresql", "redis"))
    prepared = CliRunner().invoke(app, ["migrate"])
    assert prepared.exit_code == 78
    assert "GSI_DATABASE_URL" in prepared.output
    findings = list(examine(tmp_path))
    told = prepared.output + "".join(f"{one.found} {one.remedy}\n" for one in findings)
    assert "PASS" not in told
    assert "WORD" not in told
    assert {one.state for one in findings if one.what in {"database", "settings"}} == {"mend"}


def test_the_doctor_tells_a_broken_database_and_how_to_mend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql:///nothing?host={tmp_path}")
    found = {finding.what: finding for finding in examine(tmp_path)}
    assert found["database"].state == "mend"
    assert found["database"].remedy


def test_the_doctor_sees_waiting_migrations(
    bare_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", bare_database_url)
    found = {finding.what: finding for finding in examine(tmp_path)}
    assert "0001_initial.sql" in found["database"].found
    assert found["database"].remedy == "gsi migrate"


def test_the_doctor_names_each_unusable_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSI_LEASE_SECONDS", "-1")
    monkeypatch.setenv("GSI_MAX_ATTEMPTS", "many")
    found = [finding for finding in examine(tmp_path) if finding.what == "settings"]
    assert {finding.state for finding in found} == {"mend"}
    assert [finding.found.split(":")[0] for finding in found] == ["GSI_LEASE_SECONDS", "GSI_MAX_ATTEMPTS"]


def test_the_doctor_looks_at_a_bucket_with_what_up_would_fill_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSI_S3_BUCKET", "nothing")
    monkeypatch.setenv("GSI_S3_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("GSI_S3_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("GSI_S3_SECRET_ACCESS_KEY", "secret")
    found = {finding.what: finding for finding in examine(tmp_path)}
    assert found["settings"].state == "ok"
    assert found["storage"].found.startswith("StorageError")


def test_the_doctor_says_which_file_of_the_detector_is_missing_and_where_to_get_it(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "instruments.json"
    monkeypatch.setenv("GSI_INSTRUMENTS", str(settings))

    def told(**content: object) -> Finding:
        settings.write_text(json.dumps(content))
        return detector_finding()

    accepted = {"accept_noncommercial_weights": True}
    nothing = told(weights=str(tmp_path))
    assert nothing.state == "note"  # Blocks does without
    for word in ("NON-COMMERCIAL", "model.safetensors", "IDEA-Research/grounding-dino-base", "detany3d.pth"):
        assert word in nothing.found
    assert told(weights=str(tmp_path), detector=accepted).state == "mend"  # somebody wants it
    there = told(weights=str(installed), detector=accepted)
    assert (there.state, "cpu, parity mode" in there.found) == ("ok", True)


def test_tests_are_run_where_they_are_named(tmp_path: Path) -> None:
    passing = tmp_path / "test_nothing.py"
    passing.write_text("def test_passes():\n    assert True\n")
    assert run_tests([str(passing), "-q", "-p", "no:cacheprovider"]) == 0
