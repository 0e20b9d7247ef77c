"""What a job left behind, read so that nothing in it can lead the reader astray.

A job may leave anything: links out of its folder, pipes that block whoever opens them, devices, files of any size,
folders of any depth. Only plain files of one name are read, each opened without following links, within a bound.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC  # opens nothing: neither a pipe nor a device notices


class OutputError(Exception):
    """A file of the output is missing or not one to be read. The message is for operators."""


def read(folder: Path, name: str, *, most_bytes: int) -> bytes:
    """The content of a plain file, ``name`` relative to ``folder``. Raises OutputError."""
    with opened(folder, name) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OutputError(f"{name} is larger than {most_bytes:,} bytes")
    return content


def read_end(folder: Path, name: str, *, most_bytes: int) -> bytes:
    """The last ``most_bytes`` of a plain file. Raises OutputError."""
    with opened(folder, name) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - most_bytes))
        return file.read(most_bytes)


@contextmanager
def opened(folder: Path, name: str) -> Iterator[io.BufferedReader]:
    """A plain file of ``folder`` for reading. Raises OutputError where it is missing or anything else."""
    try:
        place = _place(folder, PurePosixPath(name).parts)
        try:
            state = os.fstat(place)
            if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
                raise OutputError(f"{name} is no plain file of its own")
            file = open(f"/proc/self/fd/{place}", "rb")  # noqa: SIM115 - closed below, opened by handle
        finally:
            os.close(place)
    except FileNotFoundError as error:
        raise OutputError(f"there is no {name}") from error
    except OSError as error:
        raise OutputError(f"{name} cannot be read: {error.strerror}") from error
    with file:
        yield file


def _place(folder: Path, parts: tuple[str, ...]) -> int:
    """A handle on a name below ``folder``, reached without following a link."""
    if not parts or ".." in parts or parts[0] == "/":
        raise OutputError("only names inside the output are read")
    at = os.open(folder, _FOLDER)
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
        return os.open(parts[-1], _PLACE, dir_fd=at)
    finally:
        os.close(at)


def names(folder: Path, name: str) -> list[str]:
    """What lies in a folder of the output, sorted; nothing where it is missing or no folder of its own."""
    try:
        place = os.open(folder / name, _FOLDER)
    except OSError:
        return []
    try:
        return sorted(os.listdir(place))
    finally:
        os.close(place)


def take(folder: Path, name: str, target: Path) -> None:
    """Move a file or folder out of the output of a job that has ended, if nothing in it is but plain files and folders.

    Raises OutputError for what is missing or anything else.
    """
    source = folder / name
    try:
        _insist_on_plain_files(source)
        source.rename(target)
    except FileNotFoundError as error:
        raise OutputError(f"there is no {name}") from error
    except OSError as error:  # a folder that its owner closed, a name longer than the system takes
        raise OutputError(f"{name} cannot be taken: {error.strerror}") from error


def _insist_on_plain_files(source: Path) -> None:
    waiting = [source]
    while waiting:
        path = waiting.pop()
        state = path.lstat()
        if stat.S_ISDIR(state.st_mode):
            waiting.extend(path.iterdir())
        elif not stat.S_ISREG(state.st_mode) or state.st_nlink != 1:
            raise OutputError(f"{path.name} is no plain file of its own")


def exceeds(folder: Path, *, most_bytes: int, most_files: int) -> bool:
    """Whether a folder holds more than it may, or what cannot be counted; stops counting as soon as that is known."""
    size = files = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    state = _state(entry)
                    size += max(state.st_size, state.st_blocks * 512) if state else 0
                    files += 1
                    if size > most_bytes or files > most_files:
                        return True
                    if state and stat.S_ISDIR(state.st_mode):
                        waiting.append(entry.path)
        except FileNotFoundError:
            continue  # it went while we looked
        except OSError:  # a name longer than the system takes, a folder that its owner closed
            return True
    return False


def _state(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def remove(folder: Path) -> None:
    """Delete a folder whatever a job made of it: closed folders and folders too deep for a path included."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], check=False, capture_output=True)
