"""Weights of networks: public files, fetched once, converted to arrays alone and kept under their hash in one folder.

The folder holds ``<sha256>.safetensors`` for each of the weights and ``weights.json``, which says what is what:
name -> the hash of the converted file and of every download that it was made from. A download whose hash is not known
beforehand is *pinned* there at its first fetch; anything else under that name is refused from then on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from scorer.errors import ScorerError
from scorer.fetching import Progress, Source, download

INDEX = "weights.json"
DOWNLOADS = "downloads"
_CHUNK = 1 << 20

Arrays = dict[str, Any]
"""Name -> torch tensor."""


class Weights(NamedTuple):
    """Weights by name. ``convert`` makes the arrays of the kept file from the arrays of each source, in their order."""

    name: str
    about: str
    sources: tuple[Source, ...]
    convert: Callable[[list[Arrays]], Arrays]


def _lpips_alex(loaded: list[Arrays]) -> Arrays:
    backbone, heads = loaded
    kept = {key: value for key, value in backbone.items() if key.startswith("features.")}
    return kept | {f"lpips.{key}": value for key, value in heads.items()}


LPIPS = "lpips-alex-v0.1"
"""The name of the official perceptual distance's weights."""

KNOWN = {
    LPIPS: Weights(
        LPIPS,
        "LPIPS 0.1 on AlexNet, the perceptual distance of the official protocol",
        (
            Source(
                "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
                sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
                licence="BSD-3-Clause (torchvision); trained on ImageNet, whose terms are its own",
                most_bytes=300_000_000,
            ),
            Source(
                "https://github.com/richzhang/PerceptualSimilarity/raw/master/lpips/weights/v0.1/alex.pth",
                sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
                licence="BSD-2-Clause (lpips)",
                most_bytes=100_000,
            ),
        ),
        _lpips_alex,
    ),
}


class Kept(NamedTuple):
    """A file of weights in the folder, with its hash."""

    path: Path
    sha256: str


def locate(name: str, *, folder: Path, remedy: str | None = None) -> Kept:
    """The weights of that name. Raises ScorerError where they were not fetched, or the file was changed since.

    ``remedy``: how to get them, where ``fetch-weights`` does not.
    """
    remedy = remedy or f"fetch them with `python -m scorer fetch-weights {name}`"
    entry = _index(folder).get(name)
    if entry is None:
        raise ScorerError(f"the weights {name} are not in {folder}: {remedy}")
    path = folder / f"{entry['sha256']}.safetensors"
    if not path.is_file() or sha256_of(path) != entry["sha256"]:
        raise ScorerError(f"{path} is missing or was changed: delete it, then {remedy}")
    return Kept(path, entry["sha256"])


def keep(name: str, partial: Path, *, made_from: dict[str, str], folder: Path) -> Kept:
    """Put a finished safetensors file of the folder in its place, under its hash and that name.

    ``made_from``: the sha256 of every file that it was made from, by address or file name.
    """
    digest = sha256_of(partial)
    path = folder / f"{digest}.safetensors"
    os.replace(partial, path)
    index = _index(folder) | {name: {"sha256": digest, "downloads": made_from}}
    _replace(folder / INDEX, (json.dumps(index, indent=1, sort_keys=True) + "\n").encode())
    return Kept(path, digest)


def sources_of(name: str, *, folder: Path) -> dict[str, str]:
    """The sha256 of every file that the weights of that name were made from; empty where there are none."""
    return dict(_index(folder).get(name, {}).get("downloads", {}))


def fetch(weights: Weights, *, folder: Path, progress: Progress = lambda url, done, total: None) -> Kept:
    """Fetch, verify, convert and keep; what is there already is only verified.

    A download that lies in ``folder/downloads`` under its file's name is taken from there.
    Raises ScorerError for a file that is not what it should be, UnreachableError where a source cannot be reached.
    """
    pinned = _index(folder).get(weights.name, {})
    if pinned.get("sha256") and (folder / f"{pinned['sha256']}.safetensors").is_file():
        return locate(weights.name, folder=folder)
    (folder / DOWNLOADS).mkdir(parents=True, exist_ok=True)
    loaded, hashes, fetched = [], {}, []
    for source in weights.sources:
        path = folder / DOWNLOADS / source.file
        if not path.exists():
            download(source, to=path, progress=progress)
            fetched.append(path)
        hashes[source.url] = _verified(path, source, pinned=pinned.get("downloads", {}).get(source.url))
        loaded.append(_unpickled(path))
    kept = _keep(weights, loaded, hashes, folder=folder)
    for path in fetched:
        path.unlink()
    return kept


def _verified(path: Path, source: Source, *, pinned: str | None) -> str:
    found, wanted = sha256_of(path), source.sha256 or pinned
    if wanted is not None and found != wanted:
        path.unlink()
        raise ScorerError(
            f"{source.file} is not the file it should be (sha256 {found}, not {wanted}) and was deleted: "
            f"fetch it again, or get it from {source.url} and put it into {path.parent}"
        )
    return found


def _unpickled(path: Path) -> Arrays:
    """The tensors of a ``.pth`` file, read without running anything that stands in it."""
    import pickle

    import torch  # takes seconds, and only converting needs it

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise ScorerError(f"{path.name} is not a file of weights: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise ScorerError(f"{path.name} is not a file of named weights")
    return dict(found)


def _keep(weights: Weights, loaded: list[Arrays], hashes: dict[str, str], *, folder: Path) -> Kept:
    import safetensors.torch

    arrays = {key: value.contiguous() for key, value in weights.convert(loaded).items()}
    partial = folder / f"{weights.name}.{os.getpid()}.partial"
    safetensors.torch.save_file(arrays, partial)
    return keep(weights.name, partial, made_from=hashes, folder=folder)


def _index(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / INDEX).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise ScorerError(f"{folder / INDEX} is damaged: delete it and fetch the weights again") from error


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def sha256_of(path: Path) -> str:
    """Of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
