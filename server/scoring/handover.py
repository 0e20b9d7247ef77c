"""Who a job runs as, and how its files come to be that user's.

A worker that is an ordinary user runs its jobs as itself: what it wrote it can read, and nothing of it is root's. A
worker that is root runs them as a user of no other rights, who gets the output folder and may read the input.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from server.scoring.runner import Job


class User(NamedTuple):
    """A user and a group by number."""

    uid: int
    gid: int


class UnreadableError(Exception):
    """The job's user may not read something that it needs. The message is for operators."""


def user_of_jobs(*, if_root: int) -> User:
    """Ourselves, or that uid where we are root."""
    return User(os.geteuid(), os.getegid()) if os.geteuid() != 0 else User(if_root, if_root)


def hand_over(job: Job, user: User) -> None:
    """Let ``user`` read the input and write the output. Raises UnreadableError for what the operator must open.

    Input and output lie in a folder that only the worker may enter, so opening them opens them to the job alone.
    """
    if os.geteuid() == user.uid:
        return
    os.chown(job.output_dir, user.uid, user.gid)
    _open(job.input_dir)
    for folder, folders, files in os.walk(job.input_dir):
        for name in (*folders, *files):
            _open(Path(folder, name))
    for path in job.read_only:
        if not _is_open(path.stat()):
            raise UnreadableError(
                f"{path} may not be read by user {user.uid}, as whom jobs of a worker that is root run: "
                "open it (chmod -R a+rX), or run the worker as the user that owns it"
            )


def _open(path: Path) -> None:
    state = path.lstat()
    if not stat.S_ISLNK(state.st_mode) and not _is_open(state):
        path.chmod(stat.S_IMODE(state.st_mode) | _wanted(state))


def _is_open(state: os.stat_result) -> bool:
    return state.st_mode & _wanted(state) == _wanted(state)


def _wanted(state: os.stat_result) -> int:
    return 0o555 if stat.S_ISDIR(state.st_mode) else 0o444
