"""Programs that try what a participant's file would have the scorer do, had it broken in: each fails, and is told.

A bare process keeps few promises; what it cannot keep is asserted too, so that nobody believes it can.
"""

import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scorer.contract import Verdict
from server.scoring import outputs
from server.scoring.results import UntrustworthyResultError, read_report, read_verdict
from server.scoring.runner import OutcomeKind
from tests.contract.adapters import Promise
from tests.contract.conftest import Stage
from tests.reporting import report

CANARY = "CANARY-3fd2"
_DIGEST = "0" * 64


def test_opening_a_socket_reaches_nobody(launch: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0{CANARY}")
        abstract.listen()
        program = f"""
            import socket
            for family, address in (
                (socket.AF_INET, ("127.0.0.1", {listening.getsockname()[1]})),
                (socket.AF_UNIX, "\\0{CANARY}"),
            ):
                try:
                    with socket.socket(family) as door:
                        door.settimeout(2)
                        door.connect(address)
                        print("reached")
                except OSError as error:
                    print("failed", error.errno)
        """
        ran = launch(program)
    reached = 0 if launch.adapter.promises(Promise.NO_NETWORK) else 2
    assert (ran.said.count("reached"), ran.said.count("failed")) == (reached, 2 - reached)


def test_no_name_is_looked_up_and_no_packet_leaves(launch: Stage) -> None:
    if not launch.adapter.promises(Promise.NO_NETWORK):
        pytest.skip("a bare process has the worker's network")
    program = """
        import socket
        try:
            socket.getaddrinfo("example.org", 443)
        except OSError:
            print("no names")
        try:
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))
        except OSError:
            print("no way")
        print([line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line])
    """
    said = launch(program).said
    assert "no names\nno way\n['lo']" in said


def test_the_workers_environment_and_files_and_other_submissions_cannot_be_read(
    launch: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GSI_SECRET_KEY", CANARY)
    other = tmp_path / "work" / "job-of-another-team" / "input"
    other.mkdir(parents=True)
    (other / "submission.zip").write_text(CANARY)
    (tmp_path / "secret").write_text(CANARY)
    program = f"""
        import glob, os
        found = 0
        for name in ["{tmp_path}/secret", "{other}/submission.zip", *glob.glob("/input/../../*/input/*")]:
            try:
                found += "{CANARY}" in open(name).read()
            except OSError:
                pass
        print("files", found)
        others = [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()]
        for pid in others:
            try:
                for name in ("environ", "cmdline"):
                    open(f"/proc/{{pid}}/" + name, "rb").read()
                open(f"/proc/{{pid}}/mem", "rb")
            except OSError:
                pass
        print("processes", len(others) > 2)
    """
    said = launch(program).said
    hidden = launch.adapter.promises(Promise.NO_FILES_OF_OURS)
    assert said == ("files 0\nprocesses False\n" if hidden else "files 2\nprocesses True\n")


def test_nothing_outside_the_output_is_written(launch: Stage, tmp_path: Path) -> None:
    program = f"""
        import os
        there = os.path.dirname(__file__)
        for name in ["/", "/usr", "/usr/lib", "/etc", "/opt", "/dev", "/proc", "/proc/sys/kernel", "/run", "/var",
                     there, os.path.dirname(there), "/input", "{tmp_path}"]:
            try:
                with open(os.path.join(name, "written-by-a-job"), "w") as file:
                    file.write("x")
                print("wrote", name)
            except OSError:
                pass
        for name in (__file__, "/proc/sys/kernel/core_pattern", "/etc/passwd", "/usr/bin/env"):
            try:
                open(name, "r+")
                print("may write", name)
            except OSError:
                pass
        print("done")
    """
    if launch.adapter.name == "process":  # it would write all over this machine: one place shows it
        program = f'open("{tmp_path}/written-by-a-job", "w"); print("wrote")'
    ran = launch(program)
    assert ran.said == ("done\n" if launch.adapter.promises(Promise.NO_WRITING_ELSEWHERE) else "wrote\n")
    assert (tmp_path / "written-by-a-job").exists() is not launch.adapter.promises(Promise.NO_WRITING_ELSEWHERE)


def test_a_fork_bomb_meets_a_wall(launch: Stage) -> None:
    program = """
        import os, time
        children = 0
        try:
            for _ in range(100):
                if os.fork() == 0:
                    time.sleep(1)
                    os._exit(0)
                children += 1
        except OSError:
            pass
        print("children", children)
    """
    children = int(launch(program, runner={"processes": 40}).said.split()[1])
    assert (children < 40) is launch.adapter.promises(Promise.FEW_PROCESSES)


def test_many_processes_share_one_bound_of_memory(launch: Stage) -> None:
    program = """
        import os, sys, time
        children = []
        for _ in range(6):
            child = os.fork()
            if child == 0:
                x = bytearray(b"x") * (150 * 2**20)
                time.sleep(2)
                os._exit(0)
            children.append(child)
        ends = [os.waitpid(child, 0)[1] for child in children]
        sys.exit(1 if any(ends) else 0)
    """
    ran = launch(program, memory_bytes=2**29)
    wanted = OutcomeKind.OUT_OF_MEMORY if launch.adapter.promises(Promise.BOUNDED_MEMORY_IN_ALL) else OutcomeKind.OK
    assert ran.kind is wanted, ran.said


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("for i in range(60): open(f'{i}', 'wb').write(bytes(2**22)); time.sleep(0.01)", id="many-files"),
        pytest.param("[os.close(os.open(str(i), os.O_CREAT)) for i in range(10_500)]", id="thousands-of-empty-files"),
        pytest.param("[(os.mkdir('d' * 200), os.chdir('d' * 200)) for _ in range(60)]", id="too-deep"),
    ],
)
def test_a_disk_filler_is_stopped(launch: Stage, how: str) -> None:
    ran = launch(f"import os, time\n{how}", output_bytes=2**26 - 1)
    assert ran.kind is OutcomeKind.TOO_MUCH_OUTPUT
    outputs.remove(ran.output.parent)
    assert not ran.output.parent.exists()


def test_what_a_job_prints_does_not_fill_the_disk(launch: Stage) -> None:
    ran = launch("import sys\nfor _ in range(40): sys.stdout.write('x' * 2**20)", output_bytes=2**22)
    assert len(ran.said) <= 4096
    kept = sum(file.stat().st_size for file in ran.output.parent.glob("*.log"))
    assert kept <= 2**22


NO_REPORTS = {
    "nothing": "",
    "half-a-report": "open(name, 'w').write('{')",
    "link-out-of-the-output": "os.symlink('/etc/passwd', name)",
    "link-to-a-report": "open('x', 'w').write(report); os.symlink('x', name)",
    "second-name": "open('y', 'w').write(report); os.link('y', name)",
    "pipe": "os.mkfifo(name)",
    "socket": "socket.socket(socket.AF_UNIX).bind(name)",
    "folder": "os.mkdir(name)",
    "nested": "open(name, 'w').write('[' * 10_000_000)",
    "huge-and-empty": "open(name, 'w'); os.truncate(name, 2**27)",
    "not-a-number": "open(name, 'w').write(report.replace('70.3125', 'NaN'))",
    "infinity": "open(name, 'w').write(report.replace('70.3125', 'Infinity'))",
    "too-large-a-number": "open(name, 'w').write(report.replace('70.3125', '1e999'))",
    "dishonest": "open(name, 'w').write(report.replace('70.3125', '99'))",
    "of-another-submission": "open(name, 'w').write(report.replace('\"s\"', '\"another\"'))",
}
"""What is left in place of a report, and how."""


def test_whatever_is_no_report_is_no_score(launch: Stage) -> None:
    class Asked:
        submission_id, subset, protocol, benchmark_version = "s", "tabletop", "gsi-fair-1", "v"

    run: Any = Asked()
    made = [
        f"name = '{name}'\n{how}" for name, how in {**NO_REPORTS, "honest": "open(name, 'w').write(report)"}.items()
    ]
    program = "import os, socket\nreport = open(os.path.dirname(__file__) + '/told').read()\n" + "\n".join(made)
    ran = launch(program, files={"told": json.dumps(report("tabletop")).encode()})
    assert ran.kind is OutcomeKind.OK, ran.said
    believed = []
    for name in (*NO_REPORTS, "honest"):
        with suppress(UntrustworthyResultError):
            read_report(ran.output / name, run=run, n=3)
            believed.append(name)
    assert believed == ["honest"]


def test_a_report_of_a_gigabyte_is_not_written(launch: Stage) -> None:
    program = """
        with open("report.json", "wb") as file:
            for _ in range(1024):
                file.write(bytes(2**20))
    """
    ran = launch(program, output_bytes=2**26)
    assert ran.kind in {OutcomeKind.DEFECT, OutcomeKind.TOO_MUCH_OUTPUT}
    assert (ran.output / "report.json").stat().st_size <= 2**26


def test_progress_that_is_a_pipe_or_a_link_holds_nobody_up(launch: Stage) -> None:
    program = "import os, time; os.mkfifo('progress.jsonl'); time.sleep(0.3)"
    assert launch(program).kind is OutcomeKind.OK


def test_a_device_cannot_be_made(launch: Stage) -> None:
    program = """
        import os, stat
        try:
            os.mknod("report.json", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        except OSError:
            print("refused")
    """
    ran = launch(program)
    assert ("refused" in ran.said) is launch.adapter.promises(Promise.NO_DEVICES)
    with pytest.raises(UntrustworthyResultError):
        read_verdict(ran.output / "report.json", archive_sha256=_DIGEST)


def test_the_job_is_nobody_with_no_rights(launch: Stage) -> None:
    program = """
        import os
        told = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
        names = ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")
        print(os.geteuid(), *(told[name].strip() for name in names))
    """
    uid, effective, bounding, no_new, filtered = launch(program).said.split()
    if launch.adapter.name == "process":
        assert int(uid) == os.geteuid()
        return
    assert int(uid) != 0
    assert (int(effective, 16), int(bounding, 16), no_new) == (0, 0, "1")
    assert (filtered == "2") is launch.adapter.promises(Promise.FILTERED_SYSTEM_CALLS)


def test_what_breaking_out_begins_with_is_refused_by_the_kernel(launch: Stage) -> None:
    if not launch.adapter.promises(Promise.FILTERED_SYSTEM_CALLS):
        pytest.skip("a bare process may call what it likes")
    program = """
        import ctypes, errno, os, platform, socket
        libc = ctypes.CDLL(None, use_errno=True)
        numbers = {"x86_64": (321, 250, 304), "aarch64": (280, 219, 265)}[platform.machine()]
        calls = [lambda: libc.unshare(0x10000000), lambda: libc.unshare(0x20000)]
        calls += [lambda number=number: libc.syscall(number, 0, 0, 0, 0, 0) for number in numbers]
        told = []
        for call in calls:
            ctypes.set_errno(0)
            told.append(call() == -1 and errno.errorcode[ctypes.get_errno()])
        print(*told)
        try:
            socket.socket(40, socket.SOCK_STREAM)  # AF_VSOCK: knows no namespaces
        except OSError:
            print("no vsock")
        if os.fork() == 0:
            os._exit(0)
        print("forks", os.wait()[1])
    """
    said = launch(program).said.splitlines()
    assert set(said[0].split()) == {"EPERM"}, said
    assert said[-1] == "forks 0"
    if launch.adapter.name == "bubblewrap":  # the filter of engines before Docker 23 lets it through
        assert said[1] == "no vsock"


def test_what_is_written_to_the_scratch_space_is_bounded_and_gone(launch: Stage) -> None:
    if launch.adapter.name == "process":
        pytest.skip("a bare process has no scratch space of its own")
    program = """
        import os, tempfile
        written = 0
        try:
            with open(os.path.join(tempfile.gettempdir(), "big"), "wb") as file:
                for _ in range(400):
                    written += file.write(bytes(2**20))
        except OSError:
            pass
        print(written // 2**20, os.listdir(tempfile.gettempdir()))
    """
    said = launch(program).said
    assert int(said.split()[0]) <= 256
    assert "'big'" in said  # beside it stand mount points, where the checkout itself lies below the temporary folder
    assert "'big'" not in launch("import os, tempfile; print(os.listdir(tempfile.gettempdir()))").said


def test_a_verdict_is_believed_only_about_the_archive_that_was_sent(launch: Stage) -> None:
    verdict = {"accepted": True, "defects": [], "images": {}, "archive_sha256": "1" * 64, "archive_bytes": 1}
    content = Verdict.model_validate({**verdict, "bundle_version": "x"}).model_dump_json(by_alias=True)
    ran = launch(f"open('verdict.json', 'w').write({content!r})")
    assert read_verdict(ran.output / "verdict.json", archive_sha256="1" * 64).accepted
    with pytest.raises(UntrustworthyResultError, match="another archive"):
        read_verdict(ran.output / "verdict.json", archive_sha256=_DIGEST)
