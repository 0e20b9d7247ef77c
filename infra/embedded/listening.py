"""The address that a stack serves at."""

from __future__ import annotations

import errno
import socket
import time

from infra.embedded.process import StartError

DEFAULT_PORT = 8000
_PORTS_TO_TRY = 20
_BACKLOG = 512
_PATIENCE_SECONDS = 5.0


def listen(host: str, port: int | None, *, patience: float = _PATIENCE_SECONDS) -> socket.socket:
    """A socket that listens at ``port``, None: at the first free one from 8000 on.

    Raises StartError when the port stays taken for ``patience`` seconds (a predecessor may be ending), when twenty in a
    row are taken, for a port that is root's, and for an address that is not this machine's.
    """
    if port is not None:
        return _patiently(host, port, patience)
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TO_TRY):
        found = _listening(host, candidate)
        if found is not None:
            return found
    raise StartError(f"No free port from {DEFAULT_PORT} to {DEFAULT_PORT + _PORTS_TO_TRY - 1}. Name one with --port.")


def _patiently(host: str, port: int, patience: float) -> socket.socket:
    deadline = time.monotonic() + patience
    while (found := _listening(host, port)) is None:
        if time.monotonic() > deadline:
            raise StartError(f"Port {port} is taken. Name another with --port, or none to get a free one.")
        time.sleep(0.2)
    return found


def _listening(host: str, port: int) -> socket.socket | None:
    """None when the port is taken. Listening, not only bound: two sockets may be bound to one port."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(_BACKLOG)
    except OSError as error:
        door.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise _explained(error, host, port) from error
    return door


def _explained(error: OSError, host: str, port: int) -> StartError:
    if isinstance(error, PermissionError):
        return StartError(f"Ports below 1024 are for root: {port}. Name another with --port.")
    return StartError(f"Nothing can listen at {host}:{port} ({error.strerror}). Check --host.")
