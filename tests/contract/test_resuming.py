"""The real `gsi submit` in a process of its own, killed again and again, against a real server and both storages."""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx
import pytest

from server.app import create_app
from server.storage.local import LocalStorage
from server.storage.port import Storage
from tests.contract.conftest import s3_storage
from tests.relay import Relay, relaying
from tests.serving import served

MIB = 1024 * 1024
PARALLEL = 2
_PROGRAM = "import typer; from frontend.cli import register; app = typer.Typer(); register(app); app()"
_NUMBER = re.compile(r"/(\d+)\?|partNumber=(\d+)")


class House(NamedTuple):
    """A service, and the relay through which the bytes of parts go."""

    url: str
    relay: Relay
    storage: Storage
    part_bytes: int


@pytest.fixture(params=["local", "s3"])
def house(request, settings, queue, pool, blocks, tmp_path) -> Iterator[House]:
    part_bytes = 5 * MIB if request.param == "s3" else MIB
    large = settings.model_copy(update={"upload_part_bytes": part_bytes, "max_archive_bytes": 64 * MIB})
    with ExitStack() as stack:
        relay = stack.enter_context(relaying())
        storage: Storage = LocalStorage(tmp_path / "objects")
        if request.param == "s3":
            server, bucket = request.getfixturevalue("s3"), request.getfixturevalue("bucket")
            relay.port = int(server.endpoint_url.rpartition(":")[2])
            through = f"http://127.0.0.1:{relay.own_port}"
            storage = s3_storage(server, bucket=bucket, prefix=f"{uuid4()}/", public_endpoint_url=through)
        port = stack.enter_context(served(create_app(large, queue=queue, storage=storage, pool=pool)))
        if request.param == "local":
            relay.port = port
        here = relay.own_port if request.param == "local" else port
        yield House(f"http://127.0.0.1:{here}", relay, storage, part_bytes)


@pytest.fixture
def archive(tmp_path, house):
    path = tmp_path / "edits.zip"
    path.write_bytes(random.Random(7).randbytes(4 * house.part_bytes + 12_345))
    return path


def _submit(house: House, archive: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "GSI_URL": house.url,
    }
    wish = ["--model", "M", "--team", "Owners", "--no-check", "--parallel", str(PARALLEL)]
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "submit", str(archive), *wish],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=tmp_path,
    )


def _numbers(targets: list[str]) -> list[int]:
    return [int(found[1] or found[2]) for target in targets if (found := _NUMBER.search(target))]


def _arrived(house: House, login) -> tuple[str, set[int]]:
    """The only submission, and which parts its upload has; through the service's own door."""
    headers = login("Owners")
    with httpx.Client(base_url=house.url + "/api/v1", headers=headers) as http:
        (submission,) = http.get("/submissions").json()["submissions"]
        uploads = http.get(f"/submissions/{submission['id']}/uploads").json()["uploads"]
        if not uploads:
            return submission["id"], set()
        upload = http.get(f"/submissions/{submission['id']}/uploads/{uploads[0]['id']}").json()
    return submission["id"], {part["number"] for part in upload["parts"]}


def test_an_upload_that_is_killed_anywhere_goes_on_and_sends_no_finished_part_again(
    house, archive, login, tmp_path, queue, pool
):
    size = archive.stat().st_size
    moments = random.Random(house.part_bytes)
    submissions: set[str] = set()
    arrived: set[int] = set()
    for time in range(10):  # three times, and further until a part was not lost with its sender: parts go side by side
        if time >= 3 and arrived:
            break
        before = len(house.relay.puts)
        child = _submit(house, archive, tmp_path)
        house.relay.once_passed(moments.randrange(1000, size // 3), child.kill)
        told = child.communicate(timeout=60)[0]
        if child.returncode == 0:
            pytest.fail(f"it was not killed: {told.decode()}")
        assert not set(_numbers(house.relay.puts[before:])) & arrived, "a finished part was sent again"
        submission, now = _arrived(house, login)
        assert now >= arrived
        arrived = now
        submissions.add(submission)
    assert arrived, "something had arrived before the last run"
    before = len(house.relay.puts)
    last = _submit(house, archive, tmp_path)
    told = last.communicate(timeout=60)[0].decode()
    assert last.returncode == 0, told
    assert "Going on with the upload" in told
    assert not set(_numbers(house.relay.puts[before:])) & arrived, "a finished part was sent again"
    submissions.add(_arrived(house, login)[0])
    assert len(submissions) == 1, "one announcement, however often it was killed"
    with pool.connection() as conn:
        key = conn.execute("select archive_key from submissions").fetchone()[0]
    content = b"".join(house.storage.read(key))
    assert hashlib.sha256(content).digest() == hashlib.sha256(archive.read_bytes()).digest()
    assert len(queue.validated) == 1
    assert not list((tmp_path / "state" / "gsi" / "uploads").iterdir()), "nothing to remember any more"
