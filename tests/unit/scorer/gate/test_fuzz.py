"""Archives damaged at random never break the gate, and what it accepts can be read by others."""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from scorer.bundle import Picture, check, open_bundle
from scorer.contract import BenchmarkManifest, Verdict
from tests.gate_corpus.benchmark import manifest
from tests.gate_corpus.corpus import hostile_cases, valid_cases
from tests.gate_corpus.zips import Part, written

MANIFEST = manifest()
SMALL = [one for one in hostile_cases() + valid_cases() if len(one.content) < 30_000]
WITH_PICTURE = [one for one in valid_cases() if one.name.startswith(("picture-", "sixteen-", "other-profile"))]
MARKS = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08")
NUMBERS = (0, 1, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
LITTLE_TIME = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def judged(path: Path, content: bytes, known: BenchmarkManifest = MANIFEST) -> Verdict:
    """A verdict that holds together; what it calls usable is readable by the usual libraries and by the scorer."""
    path.write_bytes(content)
    verdict = check(archive=path, manifest=known, threads=2)
    assert verdict.accepted is not any(found.severity == "error" for found in verdict.defects)
    if verdict.accepted:
        require_readable(path, verdict, known)
    return verdict


def require_readable(path: Path, verdict: Verdict, known: BenchmarkManifest) -> None:
    assert verdict.images
    with (
        warnings.catch_warnings(action="ignore"),  # of metadata
        zipfile.ZipFile(path) as archive,
        open_bundle(archive=path, manifest=known) as bundle,
    ):
        for sample in known.samples:
            if (facts := verdict.images.get(sample.id)) is None:
                continue
            # by its own name alone: folders of names without the flag for UTF-8 are read differently
            (info,) = (
                one for one in archive.infolist() if one.filename.endswith("/" + PurePosixPath(facts.member).name)
            )
            content = archive.read(info)
            assert hashlib.sha256(content).hexdigest() == facts.sha256
            with Image.open(io.BytesIO(content)) as picture:
                picture.load()
                assert (picture.format, picture.size) == (facts.format, (sample.width, sample.height))
            assert isinstance(bundle.image(sample), Picture)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Some bytes changed, numbers put where headers have them, pieces cut out, doubled or moved."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(changed) - 1, 0)))
        match draw(st.sampled_from(["byte", "header", "cut", "double", "insert"])):
            case "byte":
                changed[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "header":
                places = [place for mark in MARKS if (place := bytes(changed).find(mark)) >= 0]
                begin = draw(st.sampled_from(places or [0])) + draw(st.integers(4, 50))
                length = draw(st.sampled_from([2, 4]))
                number = draw(st.sampled_from(NUMBERS)) & (256**length - 1)
                changed[begin : begin + length] = number.to_bytes(length, "little")
            case "cut":
                del changed[at : at + draw(st.integers(1, 60))]
            case "double":
                piece = changed[at : at + draw(st.integers(1, 200))]
                changed[at:at] = piece
            case "insert":
                changed[at:at] = draw(st.binary(min_size=1, max_size=30))
    return bytes(changed)


@LITTLE_TIME
@given(data=st.data())
def test_a_damaged_archive_gets_a_verdict_and_is_accepted_only_if_all_can_read_it(tmp_path, data):
    case = data.draw(st.sampled_from(SMALL))
    judged(tmp_path / "a.zip", data.draw(damaged(case.content)))


@LITTLE_TIME
@given(data=st.data())
def test_a_damaged_image_in_a_sound_archive_is_accepted_only_if_all_can_read_it(tmp_path, data):
    path = tmp_path / "a.zip"
    case = data.draw(st.sampled_from(WITH_PICTURE))
    path.write_bytes(case.content)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    first = next(iter(files))
    files[first] = data.draw(damaged(files[first]))
    judged(path, written([Part(name=name, content=content) for name, content in files.items()]))


@pytest.mark.parametrize("case", WITH_PICTURE, ids=lambda case: case.name)
def test_what_the_corpus_calls_valid_is_readable_by_all(tmp_path, case):
    assert judged(tmp_path / "a.zip", case.content).accepted


@pytest.mark.parametrize("name", ["picture-rgb", "picture-jpeg-progressive", "picture-webp-lossless", "picture-grey"])
def test_an_image_cut_anywhere_is_never_accepted(tmp_path, name):
    path = tmp_path / "a.zip"
    (case,) = (one for one in WITH_PICTURE if one.name == name)
    path.write_bytes(case.content)
    with zipfile.ZipFile(path) as archive:
        first = archive.namelist()[0]
        content = archive.read(first)
    for length in range(1, len(content), max(1, len(content) // 40)):
        verdict = judged(path, written([Part(name=first, content=content[:length])]))
        assert not verdict.accepted
    assert not judged(path, written([Part(name=first, content=content[:-1])])).accepted
