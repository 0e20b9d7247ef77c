"""API and website as a process of `gsi up`: serves on the socket that its supervisor keeps open for it."""

from __future__ import annotations

import socket
import sys

import uvicorn

_LONGEST_GOODBYE_SECONDS = 2
"""Pages hold a stream open, for which a stop does not wait."""


def main(file_descriptor: int) -> int:
    """Serve until SIGTERM; returns the exit code."""
    config = uvicorn.Config(
        "infra.asgi:create", factory=True, access_log=False, timeout_graceful_shutdown=_LONGEST_GOODBYE_SECONDS
    )
    server = uvicorn.Server(config)
    server.run(sockets=[socket.socket(fileno=file_descriptor)])
    return 0 if server.started else 3


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
