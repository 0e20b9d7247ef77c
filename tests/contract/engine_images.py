"""Builds the images of `docker/` on an engine without a registry of images; what was built before is used again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast

import docker
from docker.errors import BuildError, ImageNotFound
from docker.utils.build import exclude_paths

from tests.contract import engine_base

ROOT = Path(__file__).parents[2]
_REPOSITORY = "gsi-tests"
_OLD_DAYS = 7


class Builder:
    """Makes images on ``client``'s engine. Every image has a tag made of its content's hash."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def base(self) -> str:
        """This Debian's Python as an image; its tag."""
        tag = _tag("base", {**engine_base.packages(), "made by": _hash(Path(engine_base.__file__).read_bytes())})
        if not self._has(tag):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "base.tar")
                engine_base.write_base(file)
                with file.open("rb") as tar:
                    self._client.api.import_image_from_data(tar, repository=_REPOSITORY, tag=tag.split(":")[1])
        return tag

    def with_uv(self) -> str:
        """The base with uv, which a Debian does not have: what the first stages build in."""
        found = shutil.which("uv", path=os.pathsep.join([str(Path(os.sys.executable).parent), os.environ["PATH"]]))
        if found is None:
            raise FileNotFoundError("uv is not installed beside this Python: run ./gsi --version once")
        base = self.base()
        text = f"FROM {base}\nCOPY uv /usr/local/bin/uv\n".encode()
        return self._build("with-uv", {"Dockerfile": text}, {"uv": Path(found)}, dockerfile="Dockerfile", arguments={})

    def image(self, name: str, **arguments: str) -> str:
        """The image of ``docker/NAME.Dockerfile``, as a whole checkout would make it; its id, `sha256:…`."""
        files = {path: ROOT / path for path in sorted(_context())}
        if name == "scorer":
            files |= {f"docker/wheels/{wheel.name}": wheel for wheel in _torch_wheels()}
        dockerfile = f"docker/{name}.Dockerfile"
        files[dockerfile] = ROOT / dockerfile
        arguments = {"BASE_IMAGE": self.base(), "BUILD_IMAGE": self.with_uv(), **arguments}
        tag = self._build(name, {}, files, dockerfile=dockerfile, arguments=arguments)
        return cast("str", self._client.images.get(tag).id)

    def tidy(self) -> None:
        """Drop what other versions left behind a week ago."""
        before = datetime.now(UTC) - timedelta(days=_OLD_DAYS)
        for image in self._client.images.list(_REPOSITORY):
            if datetime.fromisoformat(image.attrs["Created"][:19] + "+00:00") < before:
                self._client.images.remove(image.id, force=True)
        self._client.images.prune(filters={"dangling": True, "until": f"{_OLD_DAYS * 24}h"})

    def _has(self, tag: str) -> bool:
        try:
            self._client.images.get(tag)
        except ImageNotFound:
            return False
        return True

    def _build(
        self,
        name: str,
        written: Mapping[str, bytes],
        files: Mapping[str, Path],
        *,
        dockerfile: str,
        arguments: dict[str, str],
    ) -> str:
        prints = {path: _fingerprint(file) for path, file in files.items()}
        tag = _tag(name, {**prints, **{path: _hash(content) for path, content in written.items()}, **arguments})
        if self._has(tag):
            return tag
        with tempfile.TemporaryFile() as context:
            _write_context(context, written, files)
            context.seek(0)
            try:
                self._client.images.build(
                    fileobj=context, custom_context=True, dockerfile=dockerfile, tag=tag, buildargs=arguments,
                    pull=False, rm=True, forcerm=True, network_mode="host",
                )  # fmt: skip
            except BuildError as error:
                said = "".join(str(line.get("stream") or line.get("error") or "") for line in error.build_log)
                raise RuntimeError(f"{dockerfile} cannot be built:\n{said[-3000:]}") from error
        return tag


def _context() -> set[str]:
    """What `docker build .` would send: the files that .dockerignore lets pass."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    return {path for path in exclude_paths(str(ROOT), patterns) if (ROOT / path).is_file()}


def _torch_wheels() -> list[Path]:
    """torch as ./gsi takes it: from the folder of wheels, where it has one."""
    folder = Path(os.environ.get("PIP_FIND_LINKS") or "/nonexistent")
    return sorted(folder.glob("torch-2.13.0*.whl")) if folder.is_dir() else []


def _write_context(target: IO[bytes], written: Mapping[str, bytes], files: Mapping[str, Path]) -> None:
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, content in written.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, file in files.items():
            tar.add(file, arcname=name, recursive=False, filter=_nobodys)


def _nobodys(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o755 if info.mode & 0o100 else 0o644
    return info


def _fingerprint(file: Path) -> str:
    """Its content's hash; of what is too large to read each time, its name and size."""
    size = file.stat().st_size
    return f"{file.name} {size}" if size > 32 * 2**20 else _hash(file.read_bytes())


def _tag(name: str, content: Mapping[str, Any]) -> str:
    return f"{_REPOSITORY}:{name}-{_hash(json.dumps(content, sort_keys=True).encode())[:16]}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
