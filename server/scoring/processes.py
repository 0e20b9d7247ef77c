"""What a process and all below it use."""

from __future__ import annotations

from pathlib import Path


def memory_of(pid: int) -> int:
    """Bytes of memory in use by a process and all its descendants, without the files that they map."""
    total = 0
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        try:
            total += _own(one)
            for thread in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue  # it ended while we looked
    return total


def _own(pid: int) -> int:
    wanted = ("RssAnon:", "RssShmem:")
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(wanted))
