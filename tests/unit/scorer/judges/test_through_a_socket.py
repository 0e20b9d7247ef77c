"""A judge that is reached through a unix socket, as in a sandbox without a network."""

from __future__ import annotations

import gc
import socket
import ssl
import subprocess
import threading

import pytest

from scorer.contract import ExitCode
from scorer.errors import JudgeUnavailableError
from scorer.judges.wire import Patience, Wire

ANSWER = b'{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}'


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder whose sockets have short names: an address holds 107 bytes."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answering(listening, *, context=None):
    """Answer one request and keep what was asked."""
    asked = []

    def serve():
        caller, _ = listening.accept()
        with context.wrap_socket(caller, server_side=True) if context else caller as door:
            asked.append(door.recv(65536))
            door.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(ANSWER), ANSWER)
            )

    thread = threading.Thread(target=serve)
    thread.start()
    return asked, thread


def test_the_request_goes_through_the_socket_and_names_the_host(place):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("judge.sock")
        listening.listen()
        asked, thread = answering(listening)
        patience = Patience(attempts=1, longest_wait=0.1)
        with Wire(
            "http://judge.example:8000/v1", api_key="k", timeout=5, patience=patience, socket="judge.sock"
        ) as wire:
            assert wire.completion({"model": "m"}) == "yes"
        thread.join()
    assert asked[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert b"judge.example:8000" in asked[0]


def test_tls_is_spoken_with_the_endpoint_itself(place, monkeypatch):
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    request += ["-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=judge.example"]
    subprocess.run([*request, "-addext", "subjectAltName=DNS:judge.example"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "key.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(place / "cert.pem"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("judge.sock")
        listening.listen()
        asked, thread = answering(listening, context=context)
        patience = Patience(attempts=1, longest_wait=0.1)
        with Wire("https://judge.example/v1", api_key="k", timeout=5, patience=patience, socket="judge.sock") as wire:
            assert wire.completion({"model": "m"}) == "yes"
        thread.join()
    assert b"authorization: Bearer k" in asked[0]


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # httpcore leaves one for each failed attempt
def test_a_socket_that_leads_nowhere_asks_for_another_time(place):
    patience = Patience(attempts=2, longest_wait=0.01)
    with (
        Wire("http://judge.example/v1", api_key=None, timeout=5, patience=patience, socket="nothing.sock") as wire,
        pytest.raises(JudgeUnavailableError) as told,
    ):
        wire.completion({})
    assert told.value.exit_code == ExitCode.TRY_AGAIN
    del told
    gc.collect()
