"""The boxes that a data set stores for its originals: read from official folders, or from the service's own format."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from scorer.contract import BenchmarkManifest, CameraData, Truth
from scorer.detectors.checking import Stored
from scorer.errors import ScorerError
from scorer.official.aborts import OfficialAbortError
from scorer.official.dataset import read_truth
from scorer.official.imaging import Frame
from scorer.official.names import match
from scorer.official.pictures import UnreadableError, decoded, size_of
from scorer.official.sample import operation_of
from scorer.originals import Picture

MANIFEST, TRUTH = "benchmark.json", "truth.json"
Read = Callable[[str], bytes]
Model = TypeVar("Model", bound=BaseModel)


class Boxes:
    """The stored boxes of a folder. ``unusable``: samples that cannot be checked -> why. Close it when done."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ScorerError(f"there is no folder {folder}")
        self.unusable: dict[str, str] = {}
        self._open = ExitStack()
        own = self._own_format(folder)
        self.all = list(self._official(folder)) if own is None else list(self._own(*own))
        if not self.all and not self.unusable:
            raise ScorerError(
                f"{folder} holds neither edit JSONs (<image>_edit_<query>.json), nor {MANIFEST} and {TRUTH}, nor "
                "*public.zip and *hidden.zip"
            )

    def close(self) -> None:
        """Close archives."""
        self._open.close()

    def _own_format(self, folder: Path) -> tuple[Read, Read] | None:
        if (folder / MANIFEST).is_file():
            return (lambda name: (folder / name).read_bytes(),) * 2
        pair = [sorted(folder.glob(f"*{part}.zip")) for part in ("public", "hidden")]
        if [len(found) for found in pair] != [1, 1]:
            return None
        public, hidden = (self._open.enter_context(zipfile.ZipFile(found[0])) for found in pair)
        return public.read, hidden.read

    def _own(self, public: Read, hidden: Read) -> Iterator[Stored]:
        manifest, truth = _parsed(public, MANIFEST, BenchmarkManifest), _parsed(hidden, TRUTH, Truth)
        for sample in manifest.samples:
            known = truth.samples.get(sample.id)
            if known is None or known.original_bbox_3d is None:
                self.unusable[sample.id] = "the truth has no box of its original"
                continue

            def picture(name: str = sample.original) -> Picture:
                return _picture(public(name), name=name)

            yield Stored(
                id=sample.id,
                subset=sample.subset,
                operation=sample.operation,
                picture=picture,
                original=sample.original,
                target=known.target,
                camera=sample.camera,
                box=np.array(known.original_bbox_3d),
            )

    def _official(self, folder: Path) -> Iterator[Stored]:
        # Boxes of one picture follow each other, so that it is encoded once.
        for path in sorted(folder.glob("*_edit_*.json")):
            try:
                yield _of_edit(path)
            except (OfficialAbortError, UnreadableError, ValidationError, ValueError, KeyError) as error:
                known = isinstance(error, OfficialAbortError | UnreadableError)
                self.unusable[path.stem] = str(error) if known else f"{path.name} cannot be used"


def _of_edit(path: Path) -> Stored:
    """Of one edit JSON. Raises OfficialAbortError, UnreadableError, ValueError, KeyError where it has no usable box."""
    found = match(path.with_suffix(".png"), dataset=path.parent, keep_marker=True, exact=True, absent=True)
    truth = read_truth(path)
    original = found.original

    def picture() -> Picture:
        return _picture(original.read_bytes(), name=original.name)

    height, width = size_of(original.read_bytes(), name=original.name)
    return Stored(
        id=path.stem,
        subset=path.parent.name,
        operation=operation_of(truth),
        picture=picture,
        original=original.name,
        target=str(truth.fields["target"]),
        # An edit JSON's matrix projects into the frame, the detector's camera to the picture's own pixels.
        camera=CameraData(intrinsics=Frame.of(height, width).intrinsics(truth.intrinsics)),
        box=truth.original,
    )


def _picture(content: bytes, *, name: str) -> Picture:
    try:
        return Picture.of_pixels(decoded(content, name=name))
    except UnreadableError as error:
        raise ScorerError(f"{error}: mend this original, then check again") from error


def _parsed(read: Read, name: str, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(read(name))
    except (OSError, KeyError) as error:
        raise ScorerError(f"{name} is missing") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ScorerError(f"{name} is not valid: {where or 'content'}: {first['type']}") from None
