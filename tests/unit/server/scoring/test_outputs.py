import os
import socket
import tempfile
from pathlib import Path

import pytest

from server.scoring import outputs
from server.scoring.outputs import OutputError


def test_a_plain_file_is_read_also_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "chunks").mkdir()
    (tmp_path / "chunks" / "1.json").write_bytes(b"content")
    assert outputs.read(tmp_path, "chunks/1.json", most_bytes=7) == b"content"
    assert outputs.read_end(tmp_path, "chunks/1.json", most_bytes=3) == b"ent"


def test_what_is_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345678")
    with pytest.raises(OutputError, match="larger than 7 bytes"):
        outputs.read(tmp_path, "f", most_bytes=7)


@pytest.mark.parametrize("name", ["", "..", "../secret", "a/../../secret", "/etc/passwd"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "output" / "a").mkdir(parents=True)
    with pytest.raises(OutputError):
        outputs.read(tmp_path / "output", name, most_bytes=100)


def test_no_link_is_followed_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("hush")
    output = tmp_path / "output"
    output.mkdir()
    (output / "folder").symlink_to(tmp_path / "elsewhere")
    (output / "file").symlink_to(tmp_path / "elsewhere" / "file")
    for name in ("folder/file", "file"):
        with pytest.raises(OutputError):
            outputs.read(output, name, most_bytes=100)
    (tmp_path / "link").symlink_to(output)
    with pytest.raises(OutputError):
        outputs.read(tmp_path / "link", "file", most_bytes=100)


def test_pipes_sockets_devices_folders_and_second_names_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "one").write_text("x")
    os.link(tmp_path / "one", tmp_path / "two")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"/proc/self/fd/{os.open(tmp_path, os.O_PATH)}/socket")
    for name in ("pipe", "folder", "one", "two", "socket"):
        with pytest.raises(OutputError, match="no plain file"):
            outputs.read(tmp_path, name, most_bytes=100)
    with pytest.raises(OutputError, match="no plain file"):
        outputs.read(Path("/dev"), "zero", most_bytes=100)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"there is no report\.json"):
        outputs.read(tmp_path, "report.json", most_bytes=100)


def test_what_a_folder_holds_is_counted_links_as_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_bytes(bytes(100_000))
    (tmp_path / "around").symlink_to(tmp_path)
    (tmp_path / "everything").symlink_to("/")
    assert not outputs.exceeds(tmp_path, most_bytes=200_000, most_files=4)
    assert outputs.exceeds(tmp_path, most_bytes=50_000, most_files=4)
    assert outputs.exceeds(tmp_path, most_bytes=200_000, most_files=3)


def test_a_file_with_holes_counts_as_large_as_it_claims_to_be(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    os.truncate(tmp_path / "f", 10**9)
    assert outputs.exceeds(tmp_path, most_bytes=10**8, most_files=10)


def test_everything_is_removed_however_deep_or_closed(tmp_path: Path) -> None:
    private = tmp_path / "job"
    (private / "output").mkdir(parents=True)
    here = os.getcwd()
    os.chdir(private / "output")
    try:
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    (private / "closed" / "in").mkdir(parents=True)
    (private / "closed").chmod(0)
    (tmp_path / "kept").write_text("x")
    (private / "link").symlink_to(tmp_path / "kept")
    outputs.remove(private)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    outputs.remove(private)


def test_a_folder_of_plain_files_is_taken_whole(tmp_path: Path) -> None:
    (tmp_path / "output" / "questions" / "images").mkdir(parents=True)
    (tmp_path / "output" / "questions" / "images" / "1.png").write_bytes(b"pixels")
    outputs.take(tmp_path / "output", "questions", tmp_path / "taken")
    assert (tmp_path / "taken" / "images" / "1.png").read_bytes() == b"pixels"
    assert outputs.names(tmp_path / "output", ".") == []


@pytest.mark.parametrize("kind", ["link", "second name", "pipe", "link to a folder", "missing"])
def test_a_folder_with_anything_else_in_it_is_not_taken(tmp_path: Path, kind: str) -> None:
    inside = tmp_path / "output" / "questions" / "images"
    (tmp_path / "secret").write_bytes(b"ours")
    if kind != "missing":
        inside.mkdir(parents=True)
    if kind == "link":
        (inside / "1.png").symlink_to(tmp_path / "secret")
    elif kind == "second name":
        os.link(tmp_path / "secret", inside / "1.png")
    elif kind == "pipe":
        os.mkfifo(inside / "1.png")
    elif kind == "link to a folder":
        (inside / "more").symlink_to(tmp_path)
    with pytest.raises(OutputError, match=r"plain file|there is no questions"):
        outputs.take(tmp_path / "output", "questions", tmp_path / "taken")
    assert not (tmp_path / "taken").exists()


def test_a_folder_that_its_owner_closed_is_told_by_a_worker_that_is_not_root() -> None:
    with tempfile.TemporaryDirectory() as folder:
        closed = Path(folder, "questions")
        closed.mkdir()
        closed.chmod(0)
        us = os.geteuid()
        if us == 0:
            os.chown(folder, 65534, 65534)
            os.chown(closed, 65534, 65534)
            os.seteuid(65534)
        try:
            with pytest.raises(OutputError, match="questions cannot be taken"):
                outputs.take(Path(folder), "questions", Path(folder, "taken"))
        finally:
            os.seteuid(us)
            closed.chmod(0o700)
