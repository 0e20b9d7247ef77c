import socket
import threading
from contextlib import closing

import pytest

from infra.embedded.listening import listen
from infra.embedded.process import StartError


def test_two_stacks_never_tell_the_same_address() -> None:
    with closing(listen("127.0.0.1", None)) as one, closing(listen("127.0.0.1", None)) as other:
        assert one.getsockname() != other.getsockname()


def test_a_port_that_stays_taken_is_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"Port {port} is taken"):
            listen("127.0.0.1", port, patience=0.1)


def test_a_port_that_a_predecessor_is_leaving_is_waited_for() -> None:
    leaving = socket.create_server(("127.0.0.1", 0))
    port = leaving.getsockname()[1]
    threading.Timer(0.5, leaving.close).start()
    with closing(listen("127.0.0.1", port)) as door:
        assert door.getsockname()[1] == port


def test_an_address_of_another_machine_is_refused_in_words() -> None:
    with pytest.raises(StartError, match=r"192\.0\.2\.1:8000.*--host"):
        listen("192.0.2.1", 8000)
