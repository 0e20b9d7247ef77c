from __future__ import annotations

import threading

import pytest

from scorer.recent import Recent


def refuse() -> str:
    raise ValueError("not this time")


def test_what_is_remembered_is_not_made_again():
    memory: Recent[str] = Recent(10, size=len)
    assert memory.get("a", lambda: "first") == "first"
    assert memory.get("a", lambda: "second") == "first"


def test_what_was_used_longest_ago_is_forgotten_when_it_is_too_much():
    memory: Recent[str] = Recent(2, size=len)
    for key in "abac":
        memory.get(key, lambda: "1")
    assert [memory.get(key, lambda: "2") for key in "ca"] == ["1", "1"]
    assert memory.get("b", lambda: "2") == "2"


def test_the_newest_is_kept_even_if_it_is_too_large():
    memory: Recent[str] = Recent(2, size=len)
    memory.get("a", lambda: "large")
    assert memory.get("a", lambda: "again") == "large"


def test_what_could_not_be_made_is_not_remembered():
    memory: Recent[str] = Recent(2, size=len)
    with pytest.raises(ValueError, match="not this time"):
        memory.get("a", refuse)
    assert memory.get("a", lambda: "now") == "now"


def test_threads_that_ask_at_a_time_wait_for_one_making():
    memory: Recent[str] = Recent(2, size=len)
    making, go, made = threading.Event(), threading.Event(), []

    def slowly() -> str:
        making.set()
        assert go.wait(10)
        made.append("once")
        return "1"

    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(memory.get("a", slowly))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert making.wait(10)
    assert memory.get("b", lambda: "2") == "2"  # another key waits for nobody
    go.set()
    for thread in threads:
        thread.join()
    assert found == ["1"] * 3
    assert made == ["once"]
