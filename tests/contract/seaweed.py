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
    server = RestartableS3(folder)
    try:
        yield server.start(timeout=timeout)
    finally:
        server.kill()  # its data is thrown away


class RestartableS3:
    """The server on ports and a folder of its own, which it finds again when it is started after a kill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "data").mkdir(parents=True)
        self._ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *, timeout: float = 60) -> S3Server:
        """Start it. Raises RuntimeError with its log when it does not come up."""
        log = self._folder / "weed.log"
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder)}
        with log.open("ab") as out:
            command = _command(self._folder, self._ports)
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        try:
            _wait_until_ready(self._child, self._ports["s3.port"], log, timeout)
        except BaseException:
            self.kill()
            raise
        return _KEYS._replace(endpoint_url=f"http://127.0.0.1:{self._ports['s3.port']}")

    def kill(self) -> None:
        """End it outright; what it had stored stays."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


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
