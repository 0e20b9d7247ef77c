"""A real S3-compatible server on loopback that refuses whoever has no key."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple


class S3Server(NamedTuple):
    """Where it listens, and the one pair of keys that it knows."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str


_KEYS = S3Server("", "tests", "the-secret-of-tests")
_PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc",
    "s3.port", "s3.port.grpc",
)  # fmt: skip


@contextmanager
def running_s3(folder: Path, *, timeout: float = 60) -> Iterator[S3Server]:
    """Start it in ``folder``, end it afterwards. Raises RuntimeError with its log when it does not come up."""
    (folder / "data").mkdir()
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    log = folder / "weed.log"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with log.open("wb") as out:
        child = subprocess.Popen(
            _command(folder, ports), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
        )
    try:
        _wait_until_ready(child, ports["s3.port"], log, timeout)
        yield _KEYS._replace(endpoint_url=f"http://127.0.0.1:{ports['s3.port']}")
    finally:
        child.kill()  # its data is thrown away
        child.wait()


def _command(folder: Path, ports: dict[str, int]) -> list[str]:
    rights = ["Admin", "Read", "Write", "List", "Tagging"]
    keys = [{"accessKey": _KEYS.access_key_id, "secretKey": _KEYS.secret_access_key}]
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [{"name": "tests", "credentials": keys, "actions": rights}]}))
    return [
        str(Path(sys.executable).with_name("weed")), "-logtostderr=true", "server", f"-dir={folder / 'data'}",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64", "-volume.max=20", "-filer", "-s3",
        f"-filer.localSocket={folder / 'filer.sock'}", f"-s3.localSocket={folder / 's3.sock'}", "-s3.port.iceberg=0",
        "-s3.port.lance=0", "-master.telemetry=false",
        "-s3.iam=false", f"-s3.config={config}", *(f"-{name}={port}" for name, port in ports.items()),
    ]  # fmt: skip


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        return [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


def _wait_until_ready(child: subprocess.Popen[bytes], port: int, log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and child.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass
        else:
            return
        time.sleep(0.1)
    raise RuntimeError(f"no S3 server: {log.read_text(errors='replace')[-2000:]}")
