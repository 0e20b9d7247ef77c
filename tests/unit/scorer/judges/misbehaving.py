"""A server that speaks the chat API and misbehaves as told, one act for each request, over real sockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GOOD = '{"reasoning": "itself", "score": 7}'


@dataclass
class Stage:
    """What was asked of the server, and how many requests it held at once."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    busiest: int = 0
    now: int = 0


Act = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, body: bytes = b"{}", **headers: str) -> Act:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def says(text: str | None, *, finish: str = "stop", after: float = 0.0) -> Act:
    body = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}]}

    def act(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(after)
        status(200, json.dumps(body).encode())(handler)

    return act


def cut(handler: BaseHTTPRequestHandler) -> None:
    """Promise more than is sent, then hang up."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for ever as it seems."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def performing(*acts: Act, then: Act | None = None) -> Iterator[Stage]:
    """Serve the acts in order, then ``then`` (an error without end where it is None)."""
    stage, lock = Stage(), threading.Lock()
    left = list(acts)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                stage.requests.append(json.loads(body))
                stage.headers.append({name.lower(): value for name, value in self.headers.items()})
                stage.moments.append(time.monotonic())
                stage.now += 1
                stage.busiest = max(stage.busiest, stage.now)
                act = left.pop(0) if left else then or status(500)
            try:
                act(self)
            except OSError:
                self.close_connection = True
            finally:
                with lock:
                    stage.now -= 1

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    stage.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield stage
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def words(request: dict[str, Any]) -> Sequence[str]:
    """The roles of a request's conversation."""
    return [message["role"] for message in request["messages"]]
