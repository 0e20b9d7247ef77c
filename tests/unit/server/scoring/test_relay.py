import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scorer.judges.endpoint import EndpointJudge, EndpointSettings
from server.scoring.relay import relay
from tests.unit.scorer.judges import asking
from tests.unit.scorer.judges.misbehaving import GOOD, performing, says


def connected(path: Path) -> socket.socket:
    """Through the folder's handle, as the path of a test is longer than an address may be."""
    import os

    folder = os.open(path.parent, os.O_PATH)
    door = socket.socket(socket.AF_UNIX)
    door.settimeout(10)
    door.connect(f"/proc/self/fd/{folder}/{path.name}")
    os.close(folder)
    return door


@contextmanager
def echoing() -> Iterator[int]:
    """A server that sends back what it gets until its caller stops sending, then says so."""

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            with caller:
                while piece := caller.recv(65536):
                    caller.sendall(piece)
                caller.sendall(b"the end")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_without_an_endpoint_there_is_no_socket(tmp_path: Path) -> None:
    with relay(None, folder=tmp_path) as path:
        assert path is None
        assert list(tmp_path.iterdir()) == []


def test_bytes_go_both_ways_and_an_end_of_one_way_is_passed_on(tmp_path: Path) -> None:
    sent = bytes(range(256)) * 4096
    with echoing() as port, relay(f"http://127.0.0.1:{port}/v1", folder=tmp_path) as path:
        assert path is not None
        with connected(path) as door:
            sending = threading.Thread(target=lambda: (door.sendall(sent), door.shutdown(socket.SHUT_WR)))
            sending.start()
            received = b"".join(iter(lambda: door.recv(65536), b""))
            sending.join()
    assert received == sent + b"the end"
    assert list(tmp_path.iterdir()) == []


def test_it_leads_to_one_place_whatever_is_said_over_it(tmp_path: Path) -> None:
    with performing(says(GOOD)) as there, performing(says(GOOD)) as elsewhere:
        with relay(there.url, folder=tmp_path) as path, connected(path or Path()) as door:
            body = b'{"asked": 1}'
            head = (
                f"POST {elsewhere.url}/x HTTP/1.1\r\nhost: {elsewhere.url[7:-3]}\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            door.sendall(head.encode() + body)
            assert b"200 OK" in door.recv(4096)
        assert (len(there.requests), len(elsewhere.requests)) == (1, 0)


def test_connections_that_are_open_at_the_end_are_closed(tmp_path: Path) -> None:
    with echoing() as port:
        with relay(f"http://127.0.0.1:{port}", folder=tmp_path) as path:
            assert path is not None
            door = connected(path)
            door.sendall(b"x")
            assert door.recv(1) == b"x"
        assert door.recv(10) == b""
        door.close()


def test_a_place_that_does_not_answer_closes_the_connection(tmp_path: Path) -> None:
    with relay("http://127.0.0.1:9", folder=tmp_path) as path, connected(path or Path()) as door:
        assert door.recv(10) == b""


def test_many_talk_at_once(tmp_path: Path) -> None:
    acts = [says(GOOD, after=0.1)] * 12
    settings = {"url": "", "model": "tiny", "revision": "r1", "timeout": 10.0, "concurrency": 12}
    cases = [asking.case(f"q{number}", seed=number) for number in range(12)]
    (tmp_path / "s").mkdir()
    with performing(*acts) as stage, relay(stage.url, folder=tmp_path / "s") as path:
        short = Path("/tmp") / f"gsi-test-{tmp_path.parent.name}-{tmp_path.name}"[:80]
        assert path is not None
        short.symlink_to(path)
        try:
            asked = EndpointSettings.model_validate({**settings, "url": stage.url, "socket": str(short)})
            scores = [entry.score for entry in EndpointJudge(asked, api_key="k").answers(cases)]
        finally:
            short.unlink()
    assert scores == [7.0] * 12
    assert stage.busiest > 3


@pytest.mark.parametrize(("url", "port"), [("https://judge.example/v1", 443), ("http://judge.example/v1", 80)])
def test_the_port_is_the_urls_own(url: str, port: int) -> None:
    from server.scoring.relay import _address

    assert _address(url) == ("judge.example", port)
