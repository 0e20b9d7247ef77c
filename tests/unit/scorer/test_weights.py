from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
import torch

from scorer import weights
from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.errors import ScorerError, UnreachableError
from scorer.fetching import Source, download
from scorer.installation import default_weights_folder
from scorer.measures.lpips import Lpips, shapes
from scorer.weights import KNOWN, Weights, fetch, locate


class Server(ThreadingHTTPServer):
    """Serves ``files`` and remembers the ranges asked for; knows ranges unless told otherwise."""

    files: dict[str, bytes]
    asked: list[str | None]
    knows_ranges = True
    cut_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content, asked = self.server.files.get(self.path), self.headers.get("range")
        self.server.asked.append(asked)
        if content is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.knows_ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("content-length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.cut_after])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(("127.0.0.1", 0), Handler)
    found.files, found.asked = {}, []
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def pickled(value: object) -> bytes:
    stream = BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def small(server: Server, *, known: bool = True, content: bytes = pickled({"a": torch.arange(4.0)})) -> Weights:
    server.files["/small.pth"] = content
    digest = hashlib.sha256(content).hexdigest() if known else None
    source = Source(f"{server.url}/small.pth", sha256=digest, licence="none", most_bytes=100_000)
    return Weights("small", "for tests", (source,), lambda loaded: loaded[0])


def test_weights_are_fetched_once_verified_and_kept_under_their_hash(server, tmp_path):
    steps: list[tuple[int, int | None]] = []
    kept = fetch(small(server), folder=tmp_path, progress=lambda url, done, total: steps.append((done, total)))
    size = len(server.files["/small.pth"])
    assert steps[-1] == (size, size)
    assert kept.path.name == f"{hashlib.sha256(kept.path.read_bytes()).hexdigest()}.safetensors"
    assert fetch(small(server), folder=tmp_path) == locate("small", folder=tmp_path) == kept
    assert len(server.asked) == 1
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_file_with_another_hash_is_refused_and_deleted(server, tmp_path):
    wanted = small(server)
    server.files["/small.pth"] = pickled({"a": torch.zeros(4)})
    with pytest.raises(ScorerError, match=r"small\.pth is not the file it should be .* fetch it again"):
        fetch(wanted, folder=tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_hash_that_nobody_stated_is_pinned_at_the_first_fetch(server, tmp_path):
    kept = fetch(small(server, known=False), folder=tmp_path)
    pinned = json.loads((tmp_path / "weights.json").read_text())["small"]
    assert pinned["sha256"] == kept.sha256
    assert list(pinned["downloads"].values()) == [hashlib.sha256(server.files["/small.pth"]).hexdigest()]
    kept.path.unlink()
    with pytest.raises(ScorerError, match="not the file it should be"):
        fetch(small(server, known=False, content=pickled({"a": torch.zeros(4)})), folder=tmp_path)


def test_an_interrupted_download_is_continued(server, tmp_path):
    wanted, path = small(server), tmp_path / "small.pth"
    server.cut_after = 500
    with pytest.raises(UnreachableError):
        download(wanted.sources[0], to=path)
    assert not path.exists()
    server.cut_after = None
    download(wanted.sources[0], to=path)
    assert server.asked == [None, "bytes=500-"]
    assert path.read_bytes() == server.files["/small.pth"]


def test_a_server_without_ranges_sends_all_of_it_again(server, tmp_path):
    wanted, path = small(server), tmp_path / "small.pth"
    (tmp_path / "small.pth.partial").write_bytes(b"the beginning of another file")
    server.knows_ranges = False
    download(wanted.sources[0], to=path)
    assert path.read_bytes() == server.files["/small.pth"]


def test_an_unfinished_file_longer_than_the_servers_is_given_up(server, tmp_path):
    wanted, path = small(server), tmp_path / "small.pth"
    (tmp_path / "small.pth.partial").write_bytes(bytes(50_000))
    with pytest.raises(UnreachableError, match="answer 416"):
        download(wanted.sources[0], to=path)
    download(wanted.sources[0], to=path)
    assert path.read_bytes() == server.files["/small.pth"]


def test_a_file_that_is_too_large_is_refused(server, tmp_path):
    wanted = small(server)
    with pytest.raises(ScorerError, match="more than 100 bytes"):
        download(wanted.sources[0]._replace(most_bytes=100), to=tmp_path / "small.pth")
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_error_says_what_to_get_and_where_to_put_it(server, tmp_path):
    wanted = small(server)
    content = server.files.pop("/small.pth")
    with pytest.raises(UnreachableError, match=r"small\.pth cannot be fetched \(answer 404\).* put it at") as error:
        fetch(wanted, folder=tmp_path)
    place = tmp_path / "downloads" / "small.pth"
    assert str(place) in str(error.value)
    place.write_bytes(content)
    assert fetch(wanted, folder=tmp_path).path.exists()
    assert place.exists()


class Code:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("content", [b"no weights", pickled([torch.zeros(2)]), pickled({"a": Code()})])
def test_what_is_no_file_of_tensors_is_refused_and_runs_nothing(content, server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScorerError, match=r"small\.pth is not a file of"):
        fetch(small(server, content=content), folder=tmp_path)
    assert not (tmp_path / "ran").exists()


def test_weights_that_were_changed_or_never_fetched_are_told(server, tmp_path):
    with pytest.raises(ScorerError, match="fetch them with `python -m scorer fetch-weights small`"):
        locate("small", folder=tmp_path)
    kept = fetch(small(server), folder=tmp_path)
    kept.path.write_bytes(b"changed")
    with pytest.raises(ScorerError, match="missing or was changed"):
        locate("small", folder=tmp_path)
    (tmp_path / "weights.json").write_text("[")
    with pytest.raises(ScorerError, match="damaged"):
        locate("small", folder=tmp_path)


def test_lpips_is_made_of_torchvisions_backbone_and_the_heads_of_lpips(server, tmp_path):
    arrays = {key: torch.rand(shape) for key, shape in shapes().items()}
    server.files = {
        "/alex.pth": pickled({key.removeprefix("lpips."): arrays[key] for key in arrays if "lin" in key}),
        "/backbone.pth": pickled(
            {key: arrays[key] for key in arrays if "lin" not in key} | {"classifier.1.bias": torch.zeros(9)}
        ),
    }
    sources = tuple(Source(f"{server.url}/{name}", None, "", 10**8) for name in ("backbone.pth", "alex.pth"))
    kept = fetch(KNOWN["lpips-alex-v0.1"]._replace(sources=sources), folder=tmp_path)
    network = Lpips.load(kept.path, sha256=kept.sha256)
    assert torch.equal(network.get_buffer("bias3"), arrays["features.8.bias"])


def test_the_command_fetches_says_the_hash_and_refuses_unknown_names(server, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(weights.KNOWN, "small", small(server))
    monkeypatch.setenv("GSI_WEIGHTS", str(tmp_path))
    assert main(["fetch-weights", "small"]) == ExitCode.OK
    said = capsys.readouterr().err
    assert "100%" in said
    assert locate("small", folder=tmp_path).sha256 in said
    assert main(["fetch-weights", "--to", str(tmp_path), "other"]) == ExitCode.DEFECT
    assert "known: lpips-alex-v0.1, small" in capsys.readouterr().err
    server.files.clear()
    assert main(["fetch-weights", "--to", str(tmp_path / "new"), "small"]) == ExitCode.TRY_AGAIN


def test_known_sources_are_public_pinned_and_licensed():
    for known in KNOWN.values():
        for source in known.sources:
            assert source.url.startswith("https://")
            assert source.licence
            assert source.sha256 is not None
            assert len(source.sha256) == 64


def test_the_folder_is_the_setting_else_the_users_cache():
    assert default_weights_folder({"GSI_WEIGHTS": "/w", "XDG_CACHE_HOME": "/c"}) == Path("/w")
    assert default_weights_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/gsi/weights")
    assert default_weights_folder({}) == Path.home() / ".cache/gsi/weights"
