"""The runner for one machine: the scorer in a sandbox of bubblewrap, without an engine, an image or a daemon.

The job sees the system's programs, Python, the packages and the scorer's code, all read-only, and of ours its input,
its output and what it was granted. It has no network, no capability, no other process. ``docs/operations.md`` lists
where this is less than a container.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from server.scoring.command import arguments
from server.scoring.ending import kind_of, tail_of
from server.scoring.gpus import Gpus
from server.scoring.handover import UnreadableError, User, hand_over, user_of_jobs
from server.scoring.launch import Grants, could_not_start, cpu_seconds, environment, launched
from server.scoring.process_runner import ended
from server.scoring.processes import memory_of
from server.scoring.runner import Beat, Job, JobKind, Outcome, OutcomeKind
from server.scoring.system_calls import filter_program
from server.scoring.watch import Watch

PROCESSES = 256
SCRATCH_BYTES = 256 * 1024 * 1024
_FIRST_UID = 100_000_000
"""A worker that is root gives its jobs the uid of this and its process id: a user that nothing else runs as."""
_CODE = "/opt/gsi"
_INPUT, _OUTPUT, _SOCKET = PurePosixPath("/input"), PurePosixPath("/output"), PurePosixPath("/run/judge.sock")
_GPU_NODES = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools")
_LONGEST_DEATH_SECONDS = 10.0
_NO_GPUS = Gpus(folder=Path("/nonexistent"))


class BubblewrapRunner:
    """Runs ``python -m scorer`` (or ``command``, for tests) in a sandbox; ``processes``: at most, threads included."""

    name = "bubblewrap"

    def __init__(
        self,
        *,
        command: Sequence[str] | None = None,
        gpus: Gpus = _NO_GPUS,
        processes: int = PROCESSES,
        beat_seconds: float = 1.0,
    ) -> None:
        self._command = list(command) if command is not None else [python(), "-s", "-m", "scorer"]
        self._gpus = gpus
        self._processes = processes
        self._beat_seconds = beat_seconds

    def run(self, job: Job, beat: Beat) -> Outcome:
        """See `Runner.run`."""
        return launched(job, beat, gpus=self._gpus, start=lambda grants: self._run(job, beat, grants))

    def _run(self, job: Job, beat: Beat, grants: Grants) -> Outcome:
        user = user_of_jobs(if_root=_FIRST_UID + os.getpid())
        log = job.output_dir.parent / f"{job.kind}.log"
        status, status_of_bwrap = os.pipe()
        with ExitStack() as opened:
            opened.callback(os.close, status)
            system_calls = opened.enter_context(_filter_file())
            try:
                hand_over(job, user)
                with log.open("wb") as out:
                    process = subprocess.Popen(
                        [
                            *_sandbox(job, grants, status=status_of_bwrap, system_calls=system_calls),
                            *self._inside(job, grants, user),
                        ],
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=subprocess.STDOUT,
                        env={"PATH": os.defpath},
                        pass_fds=(status_of_bwrap, *([] if system_calls is None else [system_calls])),
                        start_new_session=True,
                    )
            except (OSError, UnreadableError) as error:
                return could_not_start(str(error))
            finally:
                os.close(status_of_bwrap)
            return self._watched(process, job, beat, status=status, log=log)

    def _watched(self, process: subprocess.Popen[bytes], job: Job, beat: Beat, *, status: int, log: Path) -> Outcome:
        told = os.read(status, 4096)  # the first process of the sandbox; nothing where there never was one
        first = _handle_on_first(told)
        watch = Watch(job, beat, beat_seconds=self._beat_seconds, memory=lambda: memory_of(process.pid))
        try:
            stopped = watch.until(lambda seconds: ended(process, seconds))
        finally:
            _end(process, first)
        told += b"".join(iter(lambda: os.read(status, 4096), b""))
        tail = tail_of(log)
        kind = stopped or (kind_of(process.returncode, tail) if _was_set_up(told) else OutcomeKind.COULD_NOT_START)
        return Outcome(kind=kind, exit_code=process.returncode, tail=tail)

    def _inside(self, job: Job, grants: Grants, user: User) -> list[str]:
        """What runs in the sandbox: another user where we are root, then limits, then the scorer."""
        limits = {
            "as": job.memory_bytes,
            "cpu": cpu_seconds(job),
            "fsize": job.output_bytes,
            "nproc": self._processes,
            "nofile": 1024,
            "core": 0,
        }
        as_user = ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups"]
        as_user += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"]
        return [
            *(as_user if os.geteuid() == 0 else []),
            *("prlimit", *(f"--{name}={value}" for name, value in limits.items()), "--"),
            *("env", f"--chdir={_OUTPUT}", *self._command),
            *arguments(job, input=_INPUT, output=_OUTPUT, socket=_SOCKET if grants.socket else None),
        ]


def trouble() -> str | None:
    """Why this machine cannot run jobs so, for operators; None where it can. Tries it: about a tenth of a second."""
    for tool in ("bwrap", "prlimit", "setpriv"):
        if shutil.which(tool) is None:
            package = "bubblewrap" if tool == "bwrap" else "util-linux"
            return f"{tool} is not installed (Debian: apt-get install {package})"
    with tempfile.TemporaryDirectory(prefix="gsi-bubblewrap-") as folder:
        job = Job(
            kind=JobKind.GATE,
            input_dir=Path(folder, "input"),
            output_dir=Path(folder, "output"),
            timeout=30,
            memory_bytes=2**31,
        )
        for made in (job.input_dir, job.output_dir):
            made.mkdir(mode=0o700)
        runner = BubblewrapRunner(command=[python(), "-s", "-c", "import scorer.contract"])
        outcome = runner.run(job, lambda _: True)
    return None if outcome.kind is OutcomeKind.OK else f"bwrap does not work here: {outcome.tail.strip()[-300:]}"


def python() -> str:
    """The interpreter as the sandbox sees it: behind every link, for links may lead through folders that it lacks."""
    return os.path.realpath(sys.executable)


@contextmanager
def _filter_file() -> Iterator[int | None]:
    """The filter of system calls as a file to read; None on an architecture that has none."""
    program = filter_program()
    if program is None:
        yield None
        return
    with os.fdopen(os.memfd_create("filter"), "w+b") as file:
        file.write(program)
        file.seek(0)
        yield file.fileno()


def _sandbox(job: Job, grants: Grants, *, status: int, system_calls: int | None) -> list[str]:
    """bwrap with its arguments, up to the program."""
    spaces = ["--unshare-all", "--unshare-user", "--disable-userns"]
    capabilities = ["--cap-drop", "ALL"]
    if os.geteuid() == 0:  # no namespace of users: the job becomes another user, which takes two rights to do
        spaces = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
        capabilities += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP"]
    variables = {
        **environment(job, home="/tmp"),  # noqa: S108 - the sandbox's own
        "PATH": "/usr/bin:/usr/sbin",
        "PYTHONPATH": ":".join([_CODE, *_package_folders()]),
    }
    return [
        *("bwrap", *spaces, "--die-with-parent", "--new-session", "--hostname", "scorer", *capabilities),
        *("--json-status-fd", str(status), "--clearenv"),
        *([] if system_calls is None else ["--seccomp", str(system_calls)]),
        *(word for name, value in variables.items() for word in ("--setenv", name, value)),
        *_system(),
        *_shown(job, grants),
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        "--",
    ]


def _system() -> Iterator[str]:
    """The system's programs and empty places; what can be written to is small and ends with the job."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            yield from ("--symlink", f"usr/{name}", f"/{name}")
        elif Path("/", name).is_dir():
            yield from ("--ro-bind", f"/{name}", f"/{name}")
    yield from ("--proc", "/proc", "--dev", "/dev")
    for place in ("/dev/shm", "/tmp"):  # noqa: S108 - the sandbox's own
        yield from ("--size", str(SCRATCH_BYTES), "--perms", "1777", "--tmpfs", place)


def _shown(job: Job, grants: Grants) -> Iterator[str]:
    """Everything of ours that the job sees."""
    scorer = importlib.util.find_spec("scorer")
    if scorer is None or scorer.origin is None:
        raise FileNotFoundError("the package `scorer` is not installed")
    binds: list[tuple[str, str, str]] = [
        *(("--ro-bind", path, path) for path in (sys.base_prefix, *_package_folders())),
        ("--ro-bind", str(Path(scorer.origin).parent), f"{_CODE}/scorer"),
        *(("--ro-bind", str(path), str(path)) for path in job.read_only),
        ("--ro-bind", str(job.input_dir), str(_INPUT)),
        ("--bind", str(job.output_dir), str(_OUTPUT)),
    ]
    if grants.socket is not None:
        binds.append(("--ro-bind", str(grants.socket), str(_SOCKET)))
    if grants.gpu is not None:
        binds += [("--dev-bind-try", node, node) for node in (*_GPU_NODES, f"/dev/nvidia{grants.gpu}")]
    for how, source, target in binds:
        if PurePosixPath(target).is_relative_to("/usr"):
            continue
        for parent in reversed(PurePosixPath(target).parents[:-1]):  # made open: bwrap would close them to other users
            yield from ("--perms", "0755", "--dir", str(parent))
        yield from (how, source, target)


def _package_folders() -> list[str]:
    """Where this process has its packages from, in order."""
    return [path for path in sys.path if path.endswith(("site-packages", "dist-packages")) and Path(path).is_dir()]


def _handle_on_first(told: bytes) -> int | None:
    """A handle on the sandbox's first process, with which all others end."""
    with suppress(ValueError, LookupError, OSError):
        return os.pidfd_open(json.loads(told.splitlines()[0])["child-pid"])
    return None


def _end(process: subprocess.Popen[bytes], first: int | None) -> None:
    """Nothing that the job started stays, whether it ended by itself or not; waits until that is so."""
    if first is not None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(first, signal.SIGKILL)
        select.select([first], [], [], _LONGEST_DEATH_SECONDS)
        os.close(first)
    if not ended(process, _LONGEST_DEATH_SECONDS if first is not None else 0):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _was_set_up(told: bytes) -> bool:
    """Whether the program was started: bwrap tells its exit status only then."""
    return b'"exit-code"' in told
