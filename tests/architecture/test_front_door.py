"""The repository's own promises: the front door, the hygiene of the tree."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def test_the_front_door_is_valid_posix_shell_and_executable() -> None:
    door = ROOT / "gsi"
    assert door.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", str(door)], check=True)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A checkout with an environment in it that is up to date and only repeats what it is asked."""
    checkout, programs = tmp_path / "checkout", tmp_path / "checkout" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("gsi", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, checkout / name)
    for name, script in (("python", 'echo "$0 $*"'), ("uv", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    text = b"".join((checkout / name).read_bytes() for name in ("pyproject.toml", "constraints.txt", "gsi"))
    sum_ = subprocess.run(["cksum"], input=text, capture_output=True, check=True).stdout
    (checkout / ".venv" / ".gsi-installed").write_bytes(sum_)
    return checkout


@pytest.mark.parametrize("target", ["{checkout}/gsi", "../checkout/gsi"])
def test_the_front_door_opens_through_links_too(target: str, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "first").symlink_to(target.format(checkout=installed))
    (tmp_path / "bin" / "gsi").symlink_to("first")
    environment = {"PATH": "/usr/bin:/bin"}
    for door in (installed / "gsi", tmp_path / "bin" / "gsi"):
        done = subprocess.run([door, "--version"], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout == f"{installed}/.venv/bin/python -m infra.cli --version\n"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    readme = (ROOT / "README.md").read_text()
    assert "./gsi test" in script
    assert "./gsi test" in readme
    assert "./gsi demo" in readme


def test_everything_that_ships_is_small() -> None:
    total = sum(path.stat().st_size for path in tracked_files())
    assert total < 60 * 2**20
    blocks = sum(path.stat().st_size for path in tracked_files() if "infra/blocks/data" in path.as_posix())
    assert blocks <= 20 * 2**20


def test_no_package_index_is_named_in_the_repository() -> None:
    index = re.compile(r"index-url|extra-index|\[\[tool\.uv\.index\]\]")
    texts = [path for path in tracked_files() if path.name in {"pyproject.toml", "constraints.txt", "gsi", "run"}]
    assert len(texts) == 4
    assert [path.name for path in texts if index.search(path.read_text())] == []


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
    broken = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in tracked_files()
        if page.suffix == ".md"
        for target in link.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
