"""A relay between a client and a server that counts what the client sends, and acts when so many bytes have passed."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_REQUEST = re.compile(rb"PUT (\S+) HTTP/1\.1\r\n")


class Relay:
    """Passes TCP on to ``port`` on loopback, which may be set later; ``puts`` are the targets that were PUT."""

    def __init__(self) -> None:
        self.port = 0
        self.passed = 0
        self.puts: list[str] = []
        self._limit: int | None = None
        self._act: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.own_port: int = self._listening.getsockname()[1]

    def once_passed(self, more: int, act: Callable[[], None]) -> None:
        """Call ``act`` once ``more`` further bytes of clients have arrived, before the last of them are passed on."""
        with self._lock:
            self._limit, self._act = self.passed + more, act

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                return
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _pump(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(64 * 1024):
                if from_client:
                    self._count(data)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _count(self, data: bytes) -> None:
        with self._lock:
            self.passed += len(data)
            self.puts += [found.decode() for found in _REQUEST.findall(data)]
            reached = self._limit is not None and self.passed >= self._limit
            if reached:
                self._limit = None
        if reached:
            self._act()


@contextmanager
def relaying() -> Iterator[Relay]:
    relay = Relay()
    thread = threading.Thread(target=relay.serve, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        relay.close()
