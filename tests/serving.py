"""The API behind a real HTTP server on loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI


@contextmanager
def served(app: FastAPI) -> Iterator[int]:
    """Serve ``app``; the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def upload_head(submission: object, headers: dict[str, str], *, length: int) -> bytes:
    """The head of an upload's request, to be followed by as much of the body as one likes."""
    return (
        f"PUT /api/v1/submissions/{submission}/archive HTTP/1.1\r\nhost: x\r\ncontent-type: application/zip\r\n"
        f"content-length: {length}\r\nauthorization: {headers['authorization']}\r\n\r\n"
    ).encode()
