"""The judge's door: a unix socket whose other end leads to one host and port, and nowhere else.

A job without a network gets the socket. What is said over it is not looked into: where the endpoint speaks TLS, it is
spoken between the job and the endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

NAME = "judge.sock"
_CONNECT_SECONDS = 15.0
_PIECE = 64 * 1024
_PORTS = {"http": 80, "https": 443}


@contextmanager
def relay(endpoint: str | None, *, folder: Path) -> Iterator[Path | None]:
    """The socket ``folder``/judge.sock, open to every user that can reach it, while the block runs.

    None where there is no endpoint. A connection that cannot be made is closed at once.
    """
    if endpoint is None:
        yield None
        return
    path = folder / NAME
    listening = _listening(path)
    try:
        with _forwarding(listening, *_address(endpoint)):
            yield path
    finally:
        listening.close()
        path.unlink(missing_ok=True)


def _address(endpoint: str) -> tuple[str, int]:
    parts = urlsplit(endpoint)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _listening(path: Path) -> socket.socket:
    """Bound through a handle on its folder: an address may have 107 bytes only, a path more."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listening.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o666)
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    finally:
        os.close(folder)
    return listening


@contextmanager
def _forwarding(listening: socket.socket, host: str, port: int) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        connections: set[asyncio.Task[None]] = set()

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - a coroutine always runs in one
            connections.add(task)
            try:
                await _forward(reader, writer, host, port)
            except asyncio.CancelledError:
                pass  # the job is over
            finally:
                connections.discard(task)

        server = await asyncio.start_unix_server(accepted, sock=listening)
        await over.wait()
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="judge-relay")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    with contextlib.closing(writer):
        try:
            from_there, to_there = await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT_SECONDS)
        except (OSError, TimeoutError):
            return
        with contextlib.closing(to_there), contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, to_there), _pump(from_there, writer))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while piece := await source.read(_PIECE):
        target.write(piece)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
