"""The container engine, spoken to through its API: the one place that knows its client.

An engine's or a client's words are turned into `EngineError` here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import requests
from docker.client import DockerClient
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.types import DeviceRequest, LogConfig, Mount, Ulimit

from server.scoring.handover import User

_ANSWER_SECONDS = 30
_LOG_LINES = 200
_LOG_BYTES = 1024 * 1024
SCRATCH_BYTES = 256 * 1024 * 1024
_SHARED_BYTES = 64 * 1024 * 1024


class EngineError(Exception):
    """The engine does not answer, or refuses. The message is for operators."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One container: what runs in it, what it sees, its bounds. ``mounts``: target → (source, may be written)."""

    image: str
    entrypoint: Sequence[str] | None
    command: Sequence[str]
    user: User
    environment: Mapping[str, str] = field(repr=False)
    mounts: Mapping[PurePosixPath, tuple[Path, bool]]
    working_dir: PurePosixPath
    memory_bytes: int
    processes: int
    threads: int
    file_bytes: int
    cpu_seconds: int
    gpu: str | None
    labels: Mapping[str, str]

    def _scratch(self) -> str:
        """Owned by the job: engines give it the mode that the folder has in the image, whatever is asked for."""
        owner = f"uid={self.user.uid},gid={self.user.gid}"
        return f"rw,noexec,nosuid,nodev,size={SCRATCH_BYTES},mode=1777,{owner}"

    def options(self) -> dict[str, Any]:
        """What the engine is asked for: no network, no right, one place to write to."""
        return {
            "image": self.image,
            "entrypoint": None if self.entrypoint is None else list(self.entrypoint),
            "command": list(self.command),
            "user": f"{self.user.uid}:{self.user.gid}",
            "environment": dict(self.environment),
            "labels": dict(self.labels),
            "mounts": [
                Mount(str(target), str(source), type="bind", read_only=not writable)
                for target, (source, writable) in self.mounts.items()
            ],
            "working_dir": str(self.working_dir),
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],  # and the engine's seccomp filter, as nothing else is said
            "ipc_mode": "private",
            "pids_limit": self.processes,
            "mem_limit": self.memory_bytes,
            "memswap_limit": self.memory_bytes,  # memory and swap together: no swap
            "nano_cpus": self.threads * 10**9,
            "tmpfs": {"/tmp": self._scratch()},  # noqa: S108 - its own
            "shm_size": _SHARED_BYTES,
            "ulimits": [
                Ulimit(name=name, soft=value, hard=value)
                for name, value in {
                    "nofile": 1024,
                    "core": 0,
                    "fsize": self.file_bytes,
                    "cpu": self.cpu_seconds,
                }.items()
            ],
            "device_requests": []
            if self.gpu is None
            else [DeviceRequest(device_ids=[self.gpu], capabilities=[["gpu"]])],
            "log_config": LogConfig(type="json-file", config={"max-size": str(_LOG_BYTES), "max-file": "1"}),
        }


@dataclass(frozen=True)
class State:
    """How a container stands. ``trouble``: what the engine says of a start that failed; empty for none."""

    running: bool
    exit_code: int
    out_of_memory: bool
    trouble: str


class Engine:
    """The engine at ``host`` (``unix:///var/run/docker.sock``); reached at the first call."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._made: DockerClient | None = None

    @property
    def _client(self) -> Any:
        if self._made is None:
            socket = self._host.removeprefix("unix://")
            if socket != self._host and not Path(socket).is_socket():
                raise EngineError(f"there is no container engine at {self._host} (GSI_DOCKER_HOST)")
            self._made = DockerClient(base_url=self._host, timeout=_ANSWER_SECONDS)
        return self._made

    def close(self) -> None:
        """Let the connections go."""
        if self._made is not None:
            self._made.close()
            self._made = None

    def require(self, image: str) -> str:
        """The engine's version, if it has the image. Raises EngineError."""
        with _in_our_words():
            self._client.images.get(image)
            return str(self._client.version()["Version"])

    def start(self, plan: Plan) -> str:
        """The id of a container that runs; one that was made and did not start is removed. Raises EngineError."""
        with _in_our_words():
            container = self._client.containers.create(**plan.options())
            try:
                container.start()
            except BaseException:
                container.remove(force=True, v=True)
                raise
            return str(container.id)

    def state(self, container: str) -> State:
        """How it stands. Raises EngineError."""
        with _in_our_words():
            told = self._client.api.inspect_container(container)["State"]
        running = told["Status"] not in {"exited", "dead"}
        return State(running, int(told["ExitCode"]), bool(told["OOMKilled"]), str(told["Error"]))

    def tail(self, container: str, *, most_bytes: int) -> str:
        """The end of what it printed. Raises EngineError."""
        with _in_our_words():
            said: bytes = self._client.api.logs(container, tail=_LOG_LINES)
        return said[-most_bytes:].decode(errors="replace")

    def remove(self, container: str) -> None:
        """End it and everything in it. Raises EngineError."""
        with _in_our_words():
            try:
                self._client.api.remove_container(container, force=True, v=True)
            except NotFound:
                return

    def labelled(self, label: str) -> dict[str, Mapping[str, str]]:
        """Every container, running or not, that has this label: id → labels. Raises EngineError."""
        with _in_our_words():
            return {one["Id"]: one["Labels"] for one in self._client.api.containers(all=True, filters={"label": label})}


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except ImageNotFound as error:
        raise EngineError("the engine does not have the image of GSI_SCORER_IMAGE; it is never pulled") from error
    except DockerException as error:
        raise EngineError(f"the container engine refuses: {getattr(error, 'explanation', None) or error}") from error
    except (requests.RequestException, OSError) as error:
        raise EngineError(f"the container engine does not answer ({type(error).__name__})") from error
