"""A base image without a registry: this Debian's own Python and what it depends on, by dpkg's lists."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_WANTED = (
    "base-files",
    "bash",
    "ca-certificates",
    "coreutils",
    "dash",
    "grep",
    "libstdc++6",
    "passwd",
    "python3",
    "sed",
    "tzdata",
)
"""What `python:3.11-slim` has and our Dockerfiles use; dependencies follow."""
_LEFT_OUT = re.compile(
    r"/usr/(share/(doc|man|info|locale|lintian|bash-completion|bug)|include)/|/var/lib/dpkg/|/etc/pam"
)
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_MERGED = ("bin", "lib", "lib64", "sbin")
_WRITTEN = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\n",
}


def packages(wanted: Iterable[str] = _WANTED) -> dict[str, str]:
    """Versions of the installed packages that ``wanted`` need, themselves included. LookupError for one not here."""
    known = {name: (version, depends) for name, version, depends in _installed()}
    found: dict[str, str] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in known:
            raise LookupError(f"the Debian package {name} is not installed here")
        version, depends = known[name]
        found[name] = version
        waiting += [next((a for a in choice if a in known), "") for choice in depends]
        waiting = [one for one in waiting if one]
    return dict(sorted(found.items()))


def _installed() -> Iterator[tuple[str, str, list[list[str]]]]:
    form = "${Package}\\t${Version}\\t${Pre-Depends}, ${Depends}\\t${Status}\\n"
    for line in _told("dpkg-query", "-W", "-f", form).splitlines():
        name, version, depends, status = line.split("\t")
        if status.endswith(" installed"):
            choices = [one for one in depends.split(",") if one.strip()]
            yield name, version, [[re.split(r"[\s:(]", a.strip())[0] for a in one.split("|")] for one in choices]


def write_base(target: Path) -> None:
    """Write a root file system of `packages()` to the tar file ``target``."""
    paths = sorted(_files(packages()) | {_CERTIFICATES})
    with tarfile.open(target, "w") as tar:
        for name in _MERGED:
            _add_link(tar, name, f"usr/{name}")
        for path in paths:
            tar.add(path, arcname=path.lstrip("/"), recursive=False)
        for name, text in _WRITTEN.items():
            _add_file(tar, name, text.encode(), mode=0o600 if name.endswith("shadow") else 0o644)
        for name in ("tmp", "var/tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(folder)


def _files(names: Iterable[str]) -> set[str]:
    """Every file and folder of the packages, at its true place (`/bin` is a link to `/usr/bin`)."""
    listed = _told("dpkg", "-L", *names).splitlines()
    true = {str(Path(os.path.realpath(os.path.dirname(p)), os.path.basename(p))) for p in listed if p[:1] == "/"}
    kept = {path for path in true if not _LEFT_OUT.search(path + "/") and os.path.lexists(path)}
    return kept - {"/", "/tmp", "/var/tmp", *(f"/{name}" for name in (*_MERGED, *_WRITTEN))}


def _told(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> None:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    tar.addfile(link)


def _add_file(tar: tarfile.TarFile, name: str, content: bytes, *, mode: int) -> None:
    file = tarfile.TarInfo(name)
    file.size, file.mode = len(content), mode
    tar.addfile(file, io.BytesIO(content))
