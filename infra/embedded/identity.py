"""Who PostgreSQL runs as: it refuses to run as root, and embedded use often is root (containers, CI)."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

_NOBODY = 65534
_MAPPED = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
_AS_NOBODY = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
# Root's folders are often closed to others; with this one right `nobody` reaches the data directory and the programs.
_ENTERING_ALL_FOLDERS = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")


class Identity(NamedTuple):
    """How to start a program unprivileged: a command prefix, and the uid that must own its files (None: ours)."""

    prefix: tuple[str, ...]
    owner: int | None


@cache
def user_namespaces_work() -> bool:
    """Whether this machine lets us make a user namespace in which we are an ordinary user."""
    if shutil.which("unshare") is None:
        return False
    return _works(*_MAPPED)


def unprivileged() -> Identity:
    """The lightest way to not be root: nothing to do, a user namespace, or (where refused) the uid of `nobody`."""
    if os.geteuid() != 0:
        return Identity((), None)
    if user_namespaces_work():
        return Identity(_MAPPED, None)
    return as_nobody()


@cache
def as_nobody() -> Identity:
    """The uid of `nobody`, able to enter root's folders where the kernel grants that."""
    able = (*_AS_NOBODY, *_ENTERING_ALL_FOLDERS, "--")
    return Identity(able if _works(*able) else (*_AS_NOBODY, "--"), _NOBODY)


def own(folder: Path, identity: Identity) -> None:
    """Give ``folder``, with all that is in it, to the uid that ``identity`` runs as."""
    if identity.owner is None:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, identity.owner, identity.owner, follow_symlinks=False)


def _works(*prefix: str) -> bool:
    return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
