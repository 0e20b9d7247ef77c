import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from infra.embedded import identity
from infra.embedded.identity import Identity, own
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.process import StartError

ROOT = Path(__file__).parents[4]


def test_a_restart_finds_its_data(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", durable=False)
    with psycopg.connect(server.start()) as conn:
        conn.execute("create table kept as select 42 as n")
    server.stop()
    assert server.pid is None
    with psycopg.connect(server.start()) as conn:
        row = conn.execute("select n from kept").fetchone()
    server.stop()
    assert row == (42,)


def test_a_deep_data_directory_still_gets_a_socket_that_fits(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    server = EmbeddedPostgres(deep, durable=False)
    try:
        with psycopg.connect(server.start()) as conn:
            assert conn.execute("select 1").fetchone() == (1,)
    finally:
        server.stop()


def test_only_its_owner_may_enter_the_socket_folder(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", durable=False)
    server.start()
    try:
        assert (tmp_path / "pg" / "socket").stat().st_mode & 0o077 == 0
    finally:
        server.stop()


def test_a_server_that_cannot_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "pg", durable=False)
    server.start()
    server.stop()
    (tmp_path / "pg" / "cluster" / "global" / "pg_control").unlink()
    with pytest.raises(StartError, match="pg_control"):
        server.start()


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from infra.embedded.postgres import EmbeddedPostgres;"
        "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False); server.start();"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "pg")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while _runs(server):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start programs as another user")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
def test_it_runs_as_nobody_where_user_namespaces_are_refused() -> None:
    fallback = Identity(("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"), 65534)
    folder = Path("/tmp") / f"gsi-nobody-{os.getpid()}"
    try:
        server = EmbeddedPostgres(folder, durable=False, identity=fallback)
        server.start()
        assert Path(f"/proc/{server.pid}").stat().st_uid == 65534
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_files_are_given_to_the_user_that_the_server_runs_as(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    own(tmp_path, Identity((), None))
    assert (tmp_path / "file").stat().st_uid == os.geteuid()


def test_an_ordinary_user_needs_no_disguise() -> None:
    found = identity.unprivileged()
    assert (found.prefix == ()) == (os.geteuid() != 0)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
