"""What the command line does with a file on its way, over the fake service."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from frontend.client import Client
from frontend.errors import ClientError
from frontend.parts import Courier, Piece
from frontend.resources import Submission
from frontend.resuming import Identity, Memory, folder_of
from frontend.uploading import Listener, deliver
from tests.unit.frontend.fake_api import Service

WISH = {"benchmark": "blocks", "model": "M", "organization": "", "description": "", "url": ""}


@pytest.fixture
def client(api: str, service: Service) -> Iterator[Client]:
    service.tokens["t"] = "Lab"
    with Client(url=api, token="t") as made:
        yield made


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "edits.zip"
    path.write_bytes(bytes(range(256)) * 13)
    return path


class Told:
    """What a listener heard."""

    def __init__(self) -> None:
        self.going_on: list[str] = []
        self.there = 0
        self.moved = 0

    @property
    def listener(self) -> Listener:
        def there(size: int) -> None:
            self.there += size

        def moved(size: int) -> None:
            self.moved += size

        return Listener(going_on=self.going_on.append, there=there, moved=moved)


def _deliver(client: Client, archive: Path, tmp_path: Path, told: Told | None = None) -> Submission:
    listener = (told or Told()).listener
    return deliver(client, archive, WISH, folder=tmp_path / "state", listener=listener, parallel=2)


def test_a_file_goes_in_parts_with_the_hash_of_the_whole(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    told = Told()
    found = _deliver(client, archive, tmp_path, told)
    assert service.uploads[found.id] == archive.read_bytes()
    assert service.hashes[found.id] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert (told.moved, told.there, told.going_on) == (archive.stat().st_size, 0, [])
    assert len(service.part_requests) == 4


def test_no_token_goes_along_with_a_part(client: Client, service: Service, archive: Path, tmp_path: Path) -> None:
    _deliver(client, archive, tmp_path)
    assert not [headers for _, headers in service.part_requests if "authorization" in headers]


def test_passing_faults_are_waited_out_and_what_was_sent_in_vain_is_not_counted(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    upload = client.begin_upload(client.create(benchmark="blocks", model="M").id, size=archive.stat().st_size)
    service.failing_parts += [
        (503, "storage-unavailable", "Down"),
        (403, "url-expired", "Old"),
        (400, "checksum-mismatch", "Spoiled"),
    ]
    moved: list[int] = []
    slept: list[float] = []
    courier = Courier(client, upload, archive, moved=moved.append, sleep=slept.append)
    content = archive.read_bytes()[:1024]
    courier.bring(Piece(number=1, offset=0, size=1024, sha256=hashlib.sha256(content).hexdigest()))
    courier.close()
    assert service.in_parts[upload.id]["contents"] == {1: content}
    assert sum(moved) == 1024
    assert len(slept) == 3
    assert slept[0] <= 0.5 < 2 * slept[2]


def test_a_lasting_refusal_ends_the_upload_at_once(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    service.failing_parts += [(404, "upload-gone", "The upload is no longer open")] * 9
    with pytest.raises(ClientError, match="no longer open"):
        _deliver(client, archive, tmp_path)
    assert len(service.part_requests) <= 2


def _interrupted(client: Client, service: Service, archive: Path, tmp_path: Path) -> None:
    """What a run leaves that ended when its second part had arrived."""
    memory = Memory(tmp_path / "state", url=client.url, identity=Identity.of(archive), wish=WISH)
    memory.note()
    made = client.create(**WISH, idempotency_key=memory.progress.key)
    upload = client.begin_upload(made.id, size=archive.stat().st_size)
    memory.note(submission=made.id, upload=upload.id)
    service.in_parts[upload.id]["contents"][2] = archive.read_bytes()[1024:2048]


def test_the_next_run_goes_on_with_the_same_submission_and_sends_the_rest(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    _interrupted(client, service, archive, tmp_path)
    told = Told()
    found = _deliver(client, archive, tmp_path, told)
    assert list(service.submissions) == [found.id]
    assert told.going_on == [found.id]
    assert (told.there, told.moved) == (1024, archive.stat().st_size - 1024)
    assert sorted(number for number, _ in service.part_requests) == ["1", "3", "4"]


def test_a_part_that_arrived_with_other_bytes_is_not_taken_for_ours(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    _interrupted(client, service, archive, tmp_path)
    (upload,) = service.in_parts.values()
    upload["contents"][2] = b"x" * 1024
    found = _deliver(client, archive, tmp_path)
    assert service.uploads[found.id] == archive.read_bytes()


@pytest.mark.parametrize("fate", ["withdrawn", "gone"])
def test_a_submission_that_is_no_more_is_begun_anew(
    fate: str, client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    _interrupted(client, service, archive, tmp_path)
    (old,) = service.submissions.values()
    if fate == "gone":
        service.submissions.clear()
    old["state"] = fate
    assert _deliver(client, archive, tmp_path).id != old["id"]


def test_a_submission_whose_last_answer_was_lost_is_found_to_be_done(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    _interrupted(client, service, archive, tmp_path)
    (old,) = service.submissions.values()
    old["state"] = "queued"
    assert _deliver(client, archive, tmp_path).id == old["id"]
    assert service.part_requests == []


def test_an_upload_that_was_given_up_is_begun_anew(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    _interrupted(client, service, archive, tmp_path)
    (upload,) = service.in_parts.values()
    upload["state"] = "aborted"
    found = _deliver(client, archive, tmp_path)
    assert service.uploads[found.id] == archive.read_bytes()
    assert len(service.in_parts) == 2


def test_a_file_that_changes_while_it_is_sent_is_not_handed_in(
    client: Client, service: Service, archive: Path, tmp_path: Path
) -> None:
    told = Told()
    listener = told.listener

    def changing(size: int) -> None:
        os.utime(archive, ns=(1, 1))

    with pytest.raises(ClientError, match="changed while it was sent"):
        deliver(
            client,
            archive,
            WISH,
            folder=tmp_path / "state",
            listener=Listener(going_on=listener.going_on, there=listener.there, moved=changing),
            parallel=1,
        )
    assert service.uploads == {}
    assert [upload["state"] for upload in service.in_parts.values()] == ["aborted"]


def test_an_empty_file_is_said_so_before_anything_is_announced(
    client: Client, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "empty.zip").write_bytes(b"")
    with pytest.raises(ClientError, match="is empty"):
        _deliver(client, tmp_path / "empty.zip", tmp_path)
    assert service.submissions == {}


def test_another_file_or_another_wish_is_another_memory(archive: Path, tmp_path: Path) -> None:
    folder, identity = tmp_path / "state", Identity.of(archive)
    Memory(folder, url="u", identity=identity, wish=WISH).note(submission="s")
    assert Memory(folder, url="u", identity=identity, wish=WISH).progress.submission == "s"
    assert Memory(folder, url="u", identity=identity, wish={**WISH, "model": "N"}).progress.submission == ""
    assert Memory(folder, url="v", identity=identity, wish=WISH).progress.submission == ""
    archive.write_bytes(b"changed")
    assert Memory(folder, url="u", identity=Identity.of(archive), wish=WISH).progress.submission == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1}'])
def test_a_memory_that_cannot_be_read_counts_as_nothing(content: bytes, archive: Path, tmp_path: Path) -> None:
    identity = Identity.of(archive)
    Memory(tmp_path, url="u", identity=identity, wish=WISH).note(submission="s")
    (kept,) = tmp_path.glob("*.json")
    kept.write_bytes(content)
    assert Memory(tmp_path, url="u", identity=identity, wish=WISH).progress.submission == ""


def test_a_memory_is_its_owners_alone_and_old_ones_are_thrown_away(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    memory = Memory(folder, url="u", identity=Identity.of(archive), wish=WISH)
    memory.note()
    (kept,) = folder.iterdir()
    assert (kept.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
    old = folder / "old.json"
    old.write_text("{}")
    os.utime(old, (1, 1))
    memory.forget()
    assert list(folder.iterdir()) == []


def test_memories_lie_where_the_system_keeps_states() -> None:
    assert folder_of({"XDG_STATE_HOME": "/s"}) == Path("/s/gsi/uploads")
    assert folder_of({}) == Path.home() / ".local/state/gsi/uploads"
