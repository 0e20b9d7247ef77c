"""What every storage promises of objects that arrive in parts, asked of our own service and of a real S3 server."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from uuid import uuid4

import httpx
import pytest

from server.app import create_app
from server.db.pool import transaction
from server.errors import MissingUploadError
from server.storage.local import LocalStorage
from server.storage.port import Part, SignedPart, Storage
from tests import making
from tests.contract.conftest import s3_storage, vendor_client
from tests.serving import served

MIB = 1024 * 1024
WHOLE = 5 * MIB  # the least that S3 takes for a part that is not the last


@dataclass(frozen=True)
class Place:
    """A storage, where paths of our own service lead to, and what lies in the storage, finished or not."""

    storage: Storage
    base: str
    lies_there: Callable[[], list[str]]
    announce: Callable[[str, str], None]

    def begin(self, key: str) -> str:
        name = self.storage.parts.begin(key)
        self.announce(key, name)
        return name

    def sign(self, key: str, name: str, number: int, content: bytes, *, seconds: int = 60) -> SignedPart:
        return self.storage.parts.sign(key, name, part(number, content), seconds=seconds)

    def send(self, signed: SignedPart, content: bytes, *, change: Callable[[str], str] = str) -> int:
        url = httpx.URL(self.base).join(change(signed.url))
        return httpx.put(url, content=content, headers=dict(signed.headers), timeout=30).status_code


def part(number: int, content: bytes) -> Part:
    return Part(number, len(content), hashlib.sha256(content).hexdigest())


def _local(request, exit_stack: ExitStack) -> Place:
    settings, pool, tmp_path = (request.getfixturevalue(name) for name in ("settings", "pool", "tmp_path"))
    blocks, queue = request.getfixturevalue("blocks"), request.getfixturevalue("queue")
    storage = LocalStorage(tmp_path / "objects")
    port = exit_stack.enter_context(served(create_app(settings, queue=queue, storage=storage, pool=pool)))

    def announce(key: str, name: str) -> None:
        with transaction(pool) as conn:
            conn.execute(
                "insert into uploads (submission_id, archive_key, storage_id, part_bytes, most_bytes, expires_at)"
                " values (%s, %s, %s, 1, 1, now() + interval '1 hour') on conflict do nothing",
                (making.submission(conn, blocks), key, name),
            )

    def lies_there() -> list[str]:
        found = (tmp_path / "objects").rglob("*")
        return [str(path.relative_to(tmp_path / "objects")) for path in found if path.is_file()]

    return Place(storage, f"http://127.0.0.1:{port}", lies_there, announce)


def _s3(request) -> Place:
    s3, bucket, prefix = request.getfixturevalue("s3"), request.getfixturevalue("bucket"), f"{uuid4()}/"
    vendor = vendor_client(s3)

    def lies_there() -> list[str]:
        objects = vendor.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        uploads = vendor.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
        return [one["Key"] for one in (*objects, *uploads)]

    storage = s3_storage(s3, bucket=bucket, prefix=prefix)
    return Place(storage, s3.endpoint_url, lies_there, lambda key, name: None)


@pytest.fixture(params=["local", "s3"])
def place(request):
    with ExitStack() as stack:
        yield _local(request, stack) if request.param == "local" else _s3(request)


def test_parts_sent_by_others_in_any_order_and_twice_make_the_object(place):
    contents = {1: b"a" * WHOLE, 2: b"b" * WHOLE, 3: b"the rest"}
    name = place.begin("a/b.zip")
    for number in (3, 1, 2, 3):
        assert place.send(place.sign("a/b.zip", name, number, contents[number]), contents[number]) in (200, 204)
    assert place.storage.parts.arrived("a/b.zip", name) == {1: WHOLE, 2: WHOLE, 3: 8}
    assert not place.storage.exists("a/b.zip")
    parts = [part(number, content) for number, content in contents.items()]
    assert place.storage.parts.complete("a/b.zip", name, parts) == 2 * WHOLE + 8
    assert place.storage.exists("a/b.zip")
    assert b"".join(place.storage.read("a/b.zip")) == b"".join(contents.values())


@pytest.fixture
def one(place):
    """An upload, and a URL of its only part."""
    content = b"the only part"
    name = place.begin("one.zip")
    return name, content, place.sign("one.zip", name, 1, content)


def test_completing_again_answers_the_same_and_a_late_part_is_refused(place, one):
    name, content, signed = one
    place.send(signed, content)
    for _ in range(2):
        assert place.storage.parts.complete("one.zip", name, [part(1, content)]) == len(content)
    assert place.send(signed, content) == 404
    assert b"".join(place.storage.read("one.zip")) == content
    with pytest.raises(MissingUploadError):
        place.storage.parts.arrived("one.zip", name)


def test_what_is_given_up_leaves_nothing_and_takes_nothing(place, one):
    name, content, signed = one
    place.send(signed, content)
    place.storage.parts.abort("one.zip")
    assert place.lies_there() == []
    assert place.send(signed, content) == 404
    with pytest.raises(MissingUploadError):
        place.storage.parts.complete("one.zip", name, [part(1, content)])
    place.storage.parts.abort("one.zip")
    assert place.lies_there() == []


def test_giving_up_spares_the_finished_object_and_deleting_takes_it_whole(place, one):
    name, content, signed = one
    place.send(signed, content)
    place.storage.parts.complete("one.zip", name, [part(1, content)])
    place.storage.parts.abort("one.zip")
    assert b"".join(place.storage.read("one.zip")) == content
    place.storage.delete("one.zip")
    assert not place.storage.exists("one.zip")
    assert place.lies_there() == []


@pytest.mark.parametrize("content", [b"the only par", b"the only part and more", b""], ids=["short", "long", "empty"])
def test_another_length_than_was_signed_is_refused(content, place, one):
    name, _, signed = one
    assert 400 <= place.send(signed, content) < 500
    assert place.storage.parts.arrived("one.zip", name) == {}


def test_other_bytes_than_were_signed_are_refused_by_their_checksum(place, one):
    name, content, signed = one
    assert place.send(signed, content.upper()) == 400
    assert place.storage.parts.arrived("one.zip", name) == {}


def test_other_bytes_do_not_replace_a_part_that_has_arrived(place, one):
    name, content, signed = one
    place.send(signed, content)
    assert place.send(signed, content.upper()) == 400
    place.storage.parts.complete("one.zip", name, [part(1, content)])
    assert b"".join(place.storage.read("one.zip")) == content


def _swapped(old: str, new: str) -> Callable[[str], str]:
    def swap(url: str) -> str:
        assert old in url, url
        return url.replace(old, new)

    return swap


def test_a_url_that_was_changed_anywhere_is_refused(place, one):
    name, content, signed = one
    other = place.begin("other.zip")
    changes = [_swapped(name, other), lambda url: url[:-1] + ("0" if url[-1] != "0" else "1")]
    if place.storage.parts.origin:
        changes += [_swapped("partNumber=1", "partNumber=2"), _swapped("Expires=60", "Expires=6000")]
        changes += [_swapped("one.zip", "other.zip"), lambda url: url.split("?")[0] + f"?uploadId={name}&partNumber=1"]
    else:
        expires = httpx.URL(signed.url).params["expires"]
        changes += [_swapped("/1?", "/2?"), _swapped(expires, str(int(expires) + 1)), _swapped("bytes=13", "bytes=14")]
        changes += [_swapped("sha256=", "sha256=" + "0" * 64 + "&x=")]
    for change in changes:
        assert place.send(signed, content, change=change) in (400, 403), change(signed.url)
    for key, upload in (("one.zip", name), ("other.zip", other)):
        assert place.storage.parts.arrived(key, upload) == {}


def test_a_url_is_good_for_sending_alone(place, one):
    _, content, signed = one
    place.send(signed, content)
    url = httpx.URL(place.base).join(signed.url)
    for method in ("GET", "DELETE", "POST"):
        assert httpx.request(method, url, headers=dict(signed.headers)).status_code in (400, 403, 405)


def test_a_url_is_refused_once_it_has_expired(place):
    name = place.begin("one.zip")
    signed = place.sign("one.zip", name, 1, b"x", seconds=1)
    time.sleep(2.1)
    assert place.send(signed, b"x") == 403
    assert place.storage.parts.arrived("one.zip", name) == {}


def test_uploads_of_two_objects_never_mix(place):
    names = {key: place.begin(key) for key in ("a.zip", "a.zip-and-more")}
    for key, name in names.items():
        place.send(place.sign(key, name, 1, key.encode()), key.encode())
    for key, name in names.items():
        place.storage.parts.complete(key, name, [part(1, key.encode())])
    assert [b"".join(place.storage.read(key)).decode() for key in names] == list(names)
    assert all(one != other for one, other in pairwise(names.values()))


def test_giving_one_up_spares_another_whose_name_begins_the_same(place):
    name = place.begin("a.zip-and-more")
    place.begin("a.zip")
    place.storage.parts.abort("a.zip")
    assert place.storage.parts.arrived("a.zip-and-more", name) == {}


# What is true of one adapter only


def test_without_a_signature_the_bucket_takes_and_tells_nothing(s3, bucket):
    s3_storage(s3, bucket=bucket).put("private", [b"secret"], max_bytes=10)
    url = f"{s3.endpoint_url}/{bucket}/private"
    assert httpx.get(url).status_code == 403
    assert httpx.put(url, content=b"x").status_code == 403


def test_urls_of_a_bucket_name_the_address_that_others_know(s3, bucket):
    parts = s3_storage(s3, bucket=bucket, public_endpoint_url="https://files.example.org").parts
    assert parts.origin == "https://files.example.org"
    assert parts.sign("k", "u", Part(1, 1, "0" * 64), seconds=9).url.startswith("https://files.example.org/objects/k?")


def test_the_seal_of_another_process_without_the_key_is_none(tmp_path):
    ours, others = LocalStorage(tmp_path).parts, LocalStorage(tmp_path).parts
    wanted = part(1, b"x")
    assert ours.sign("k", "u", wanted, seconds=9).url != others.sign("k", "u", wanted, seconds=9).url


@pytest.mark.parametrize("upload_id", ["", "..", "../x", "a/b", "."])
def test_an_upload_of_a_directory_has_a_plain_name(upload_id, tmp_path):
    (tmp_path / ".parts").mkdir()
    with pytest.raises(MissingUploadError):
        LocalStorage(tmp_path).parts.arrived("k", upload_id)
