import httpx
import pytest

from frontend.addresses import path_of
from frontend.client import Client
from frontend.errors import ClientError

ODD = ["a/b", "a?b=c", "a#b", "../audit", "%2e%2e", "a b", "ä", "a\\b", "\udcff", ";x"]


@pytest.mark.parametrize("odd", ODD)
def test_no_segment_can_end_early_or_become_two(odd: str) -> None:
    url = httpx.URL("http://service/api/v1" + path_of("submissions", odd, "archive"))
    assert url.raw_path.count(b"/") == 5
    assert url.raw_path.startswith(b"/api/v1/submissions/")
    assert url.raw_path.endswith(b"/archive")
    assert (url.query, url.fragment) == (b"", "")


@pytest.mark.parametrize("dots", ["", ".", ".."])
def test_what_no_encoding_can_protect_is_no_id(dots: str) -> None:
    with pytest.raises(ClientError, match="is no id") as raised:
        path_of("submissions", dots)
    assert raised.value.status == 404


def test_every_method_of_the_client_that_takes_an_id_quotes_it() -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(404, json={"title": "There is none"})

    with Client(url="http://service", transport=httpx.MockTransport(answer)) as client:
        calls = (
            lambda: client.benchmark("a/../b"),
            lambda: client.manifest("a/../b"),
            lambda: client.leaderboard("a/../b"),
            lambda: client.submission("a/../b"),
            lambda: client.act("a/../b", verb="publish"),
            lambda: client.edit_baseline("a/../b", {}),
            lambda: client.retire_baseline("a/../b", reason="none"),
        )
        for call in calls:
            with pytest.raises(ClientError, match="There is none"):
                call()
    assert len(seen) == len(calls)
    assert all(b"/a%2F..%2Fb" in path for path in seen), seen
