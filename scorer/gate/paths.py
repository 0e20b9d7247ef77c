"""Which entries of a zip may be files of a submission at all, by name and kind."""

from __future__ import annotations

import stat
import unicodedata

from scorer.gate.directory import Header
from scorer.gate.extents import ENCRYPTED

LONGEST_NAME = 500
ARCHIVE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_INVISIBLE = {"Cc", "Cf", "Cs"}


def is_folder(header: Header) -> bool:
    """Whether an entry stands for a folder, which is named with a slash at the end."""
    return header.name.endswith("/")


def folded(name: str) -> str:
    """The same text for all names that some system takes for one: whatever their case and composition."""
    if name.isascii():
        return name.lower().removesuffix("/")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).removesuffix("/")


def wrong_path(name: str) -> str | None:
    """The code of what is wrong with a name, or None."""
    if "\\" in name:
        return "backslash-path"
    if name.startswith("/") or name[1:2] == ":":
        return "absolute-path"
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return "parent-path"
    strange = len(name) > LONGEST_NAME or any(unicodedata.category(c) in _INVISIBLE for c in name)
    return "strange-name" if strange or any(part in ("", ".") for part in parts) else None


def wrong_kind(header: Header) -> str | None:
    """The code of what makes an entry no ordinary file or folder, or None."""
    if stat.S_ISLNK(header.mode):
        return "link"
    if stat.S_IFMT(header.mode) and not (stat.S_ISREG(header.mode) or stat.S_ISDIR(header.mode)):
        return "special-file"
    if header.flags & ENCRYPTED:
        return "encrypted-file"
    if is_folder(header) and header.size:
        return "folder-with-content"
    return "nested-archive" if header.name.lower().endswith(ARCHIVE_SUFFIXES) else None
