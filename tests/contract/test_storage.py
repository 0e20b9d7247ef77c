"""What every storage promises, asked of a directory and of a real S3-compatible server."""

from __future__ import annotations

import hashlib
import threading
from uuid import uuid4

import pytest

from server.errors import MissingObjectError, StorageError, TooLargeError
from server.storage.local import LocalStorage
from server.storage.port import download, put_file
from tests.contract.conftest import s3_storage, vendor_client
from tests.contract.seaweed import S3Server

MIB = 1024 * 1024


@pytest.fixture(params=["local", "s3"])
def storage(request, tmp_path):
    """An empty storage; each test of the one bucket has a prefix of its own."""
    if request.param == "local":
        return LocalStorage(tmp_path / "objects")
    s3, bucket = request.getfixturevalue("s3"), request.getfixturevalue("bucket")
    return s3_storage(s3, bucket=bucket, prefix=f"{uuid4()}/")


def _pieces(size, *, piece=MIB):
    for start in range(0, size, piece):
        yield bytes([start // piece % 251]) * min(piece, size - start)


def _read(storage, key):
    return b"".join(storage.read(key))


@pytest.mark.parametrize("size", [0, 1, MIB, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB])
def test_what_was_put_is_read_back_and_counted(storage, size):
    whole = b"".join(_pieces(size))
    stored = storage.put("a/b/c.zip", _pieces(size), max_bytes=size)
    assert stored == (size, hashlib.sha256(whole).hexdigest())
    assert _read(storage, "a/b/c.zip") == whole


def test_putting_again_replaces(storage):
    storage.put("k", [b"first, and longer"], max_bytes=100)
    storage.put("k", [b"second"], max_bytes=100)
    assert _read(storage, "k") == b"second"


@pytest.mark.parametrize("limit", [10, 9 * MIB])
def test_more_than_the_limit_is_refused_and_leaves_nothing(storage, limit):
    with pytest.raises(TooLargeError):
        storage.put("k", _pieces(limit + 1), max_bytes=limit)
    assert not storage.exists("k")


def test_more_than_the_limit_leaves_what_was_there_before(storage):
    storage.put("k", [b"before"], max_bytes=100)
    with pytest.raises(TooLargeError):
        storage.put("k", [b"x" * 101], max_bytes=100)
    assert _read(storage, "k") == b"before"


@pytest.mark.parametrize("size", [10, 9 * MIB])
def test_a_source_that_breaks_off_leaves_nothing(storage, size):
    def broken():
        yield bytes(size)
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        storage.put("k", broken(), max_bytes=10 * size)
    assert not storage.exists("k")


def test_a_missing_object_is_said_before_the_first_chunk(storage):
    with pytest.raises(MissingObjectError):
        storage.read("nothing/here")
    assert not storage.exists("nothing/here")


def test_a_folder_is_not_an_object(storage):
    storage.put("a/b", [b"x"], max_bytes=1)
    assert not storage.exists("a")


def test_what_was_deleted_is_gone_and_deleting_again_is_harmless(storage):
    storage.put("a/b/c", [b"x"], max_bytes=1)
    storage.put("a/other", [b"y"], max_bytes=1)
    storage.delete("a/b/c")
    storage.delete("a/b/c")
    assert not storage.exists("a/b/c")
    assert _read(storage, "a/other") == b"y"


def test_a_file_goes_in_and_comes_out(storage, tmp_path):
    file, copy = tmp_path / "file", tmp_path / "copy"
    file.write_bytes(bytes(range(256)) * 9000)
    put_file(storage, "k", file)
    download(storage, "k", copy)
    assert copy.read_bytes() == file.read_bytes()


def test_it_is_ready_for_use(storage):
    storage.check()


def test_many_may_put_under_one_key_and_a_reader_sees_one_of_them_whole(storage):
    contents = [bytes([n]) * (MIB + n) for n in range(4)]
    writers = [
        threading.Thread(target=storage.put, args=("k", [content]), kwargs={"max_bytes": 2 * MIB})
        for content in contents
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert _read(storage, "k") in contents


def test_putting_and_deleting_side_by_side_never_fails(storage):
    failed = []

    def put_and_delete(name):
        try:
            for _ in range(40):
                storage.put(f"a/b/{name}", [b"x"], max_bytes=1)
                storage.delete(f"a/b/{name}")
        except StorageError as error:
            failed.append(error.__cause__)

    workers = [threading.Thread(target=put_and_delete, args=(name,)) for name in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []


# What is true of one adapter only


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x", "a/.."])
def test_a_key_that_leads_out_of_the_directory_is_refused(key, tmp_path):
    storage = LocalStorage(tmp_path / "objects")
    with pytest.raises(StorageError):
        storage.put(key, [b"x"], max_bytes=1)
    with pytest.raises(StorageError):
        storage.read(key)


def test_a_directory_that_cannot_be_made_is_said_so(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        LocalStorage(tmp_path / "file" / "objects").check()


@pytest.mark.parametrize("size", [0, 3])
def test_what_is_refused_or_breaks_off_leaves_no_folder(size, tmp_path):
    def broken():
        yield bytes(size)
        raise ConnectionError

    local = LocalStorage(tmp_path / "s")
    local.put("a/kept", [b"x"], max_bytes=1)
    with pytest.raises(ConnectionError):
        local.put("a/b/c/one.zip", broken(), max_bytes=10)
    with pytest.raises(TooLargeError):
        local.put("b/one.zip", [b"xx"], max_bytes=1)
    assert sorted(path.name for path in (tmp_path / "s").rglob("*")) == ["a", "kept"]


def test_what_cannot_be_deleted_is_told_in_our_words(tmp_path):
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(StorageError):
        LocalStorage(tmp_path).delete("folder")


@pytest.mark.parametrize("prefix", ["", "some/where/"])
def test_objects_lie_in_the_bucket_under_the_prefix(prefix, s3, bucket):
    s3_storage(s3, bucket=bucket, prefix=prefix).put("named/so", [b"x"], max_bytes=1)
    assert vendor_client(s3).get_object(Bucket=bucket, Key=f"{prefix}named/so")["Body"].read() == b"x"


@pytest.mark.parametrize("changes", [{"secret": "wrong"}, {"key": "nobody"}])
def test_a_wrong_key_opens_nothing(changes, s3, bucket):
    s3_storage(s3, bucket=bucket).put("k", [b"secret"], max_bytes=100)
    stranger = s3_storage(s3, bucket=bucket, **changes)
    for act in (
        stranger.check,
        lambda: stranger.read("k"),
        lambda: stranger.exists("k"),
        lambda: stranger.delete("k"),
        lambda: stranger.put("k", [b"x"], max_bytes=1),
    ):
        with pytest.raises(StorageError) as refused:
            act()
        assert not isinstance(refused.value, MissingObjectError)


def test_a_missing_bucket_is_not_ready_for_use_and_only_the_log_names_it(s3, caplog):
    with pytest.raises(StorageError, match="does not exist") as told:
        s3_storage(s3, bucket="no-such-bucket").check()
    assert "no-such-bucket" not in told.value.detail
    assert "no-such-bucket" in caplog.text


def test_a_bucket_is_made_where_there_is_none_and_kept_with_its_objects(s3):
    storage = s3_storage(s3, bucket="made-by-us")
    storage.make_bucket()
    storage.put("k", [b"x"], max_bytes=1)
    storage.make_bucket()
    assert _read(storage, "k") == b"x"


def test_a_broken_upload_leaves_no_parts_behind(s3, bucket):
    with pytest.raises(TooLargeError):
        s3_storage(s3, bucket=bucket, prefix="broken/").put("k", _pieces(20 * MIB), max_bytes=19 * MIB)
    assert not vendor_client(s3).list_multipart_uploads(Bucket=bucket, Prefix="broken/").get("Uploads")


def test_a_server_that_does_not_answer_is_told_in_our_words():
    nobody = S3Server("http://127.0.0.1:9", "k", "s")
    with pytest.raises(StorageError) as told:
        s3_storage(nobody, bucket="bucket").check()
    assert "127.0.0.1" not in told.value.detail
