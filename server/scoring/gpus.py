"""One job for each GPU at a time, on a whole machine: whoever holds the file's lock has the GPU."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_PAUSE_SECONDS = 0.2


class Gpus:
    """The GPUs that jobs may have, by the driver's numbers or names; ``folder`` is the same for all workers here."""

    def __init__(self, names: Sequence[str] = (), *, folder: Path) -> None:
        self.names = tuple(names)
        self._folder = folder

    @contextmanager
    def one(self, go_on: Callable[[], bool]) -> Iterator[str | None]:
        """A GPU of one's own while the block runs; None when ``go_on``, asked while all are taken, says no.

        A lock ends with the process that holds it, however that ends.
        """
        while True:
            for name in self.names:
                handle = self._locked(name)
                if handle is not None:
                    try:
                        yield name
                    finally:
                        os.close(handle)
                    return
            if not go_on():
                yield None
                return
            time.sleep(_PAUSE_SECONDS)

    def _locked(self, name: str) -> int | None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._folder / f"gpu-{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle
