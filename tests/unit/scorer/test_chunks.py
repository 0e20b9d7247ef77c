from __future__ import annotations

import threading
import time

import pytest
from pydantic import ValidationError

from scorer import chunks
from scorer.chunks import Appearance, Chunk, ChunkSize, Made, MeasuredEdit, MeasuredSample, Pace
from scorer.contract import RunManifest

MANIFEST = RunManifest(
    submission="s",
    benchmark="b",
    benchmark_version="1",
    subset="part",
    protocol="gsi-fair-1",
    detector="d",
    judge="j",
    perceptual="p",
)
MADE = Made(manifest=MANIFEST, versions={"torch": "1"}, weights={}, archive_sha256="0" * 64)
EDIT = MeasuredEdit(
    status="scored", reason="not made", made=False, compliance=0, accuracy=0, locality=0, explanation={}
)


def sample(place: int) -> MeasuredSample:
    return MeasuredSample(id=f"s{place}", under={"gsi-fair-1": EDIT})


def chunk(first: int, n: int = 1) -> Chunk:
    return MADE.chunk([sample(first + k) for k in range(n)], first=first, seconds=1.0)


def test_a_chunk_is_read_back_as_it_was_written(tmp_path):
    chunks.write(tmp_path, chunk(3, n=2))
    assert chunks.read(tmp_path) == [chunk(3, n=2)]
    assert [path.name for path in tmp_path.iterdir()] == ["000003.json"]
    assert chunks.read(tmp_path, inputs="1" * 64) == []


def test_what_is_no_chunk_is_left_out(tmp_path):
    (tmp_path / "000000.json").write_text("{")
    (tmp_path / "000001.json").write_text(chunk(1).model_dump_json().replace('"torch":"1"', '"torch":"2"'))
    assert chunks.read(tmp_path) == []
    assert chunks.read(tmp_path / "nowhere") == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 1.01])
@pytest.mark.parametrize("name", ["compliance", "accuracy", "locality"])
def test_a_measured_number_is_finite_and_between_0_and_1(name, value):
    with pytest.raises(ValidationError):
        MeasuredEdit.model_validate(EDIT.model_dump() | {name: value})


def test_an_edit_that_was_made_has_an_answer_or_a_question_and_no_other_has():
    asked = Appearance(target="cup", distance=None, content="0" * 64)
    assert MeasuredEdit.model_validate(EDIT.model_dump() | {"made": True, "appearance": asked}).made
    for wrong in ({"made": True}, {"appearance": asked}):
        with pytest.raises(ValidationError):
            MeasuredEdit.model_validate(EDIT.model_dump() | wrong)
    with pytest.raises(ValidationError, match="judged already or a question"):
        Appearance(target=None, distance=None)


def test_a_sample_under_another_profile_is_no_part_of_a_run():
    with pytest.raises(ValidationError, match="exactly"):
        MADE.chunk([MeasuredSample(id="s", under={"gsi-official-1": EDIT})], first=0, seconds=0)


def test_samples_are_cut_by_number_and_by_time():
    by_number = [len(piece) for piece, _ in chunks.cut(map(sample, range(7)), ChunkSize(samples=6))]
    assert by_number == [3, 3, 1]

    def slow(place: int) -> MeasuredSample:
        time.sleep(0.03)
        return sample(place)

    by_time = [len(piece) for piece, _ in chunks.cut(map(slow, range(4)), ChunkSize(samples=100, seconds=0.1))]
    assert by_time == [2, 2]


@pytest.mark.parametrize(("samples", "ahead", "most"), [(6, 2, 6), (1, 2, 3), (4, 8, 10)])
def test_no_more_is_measured_than_may_be_lost_until_a_chunk_is_committed(tmp_path, samples, ahead, most):
    size = ChunkSize(samples=samples, awaited=True)
    pace = Pace(size, committed=tmp_path, ahead=ahead, pause=0.001)
    begun: list[int] = []
    written: list[Chunk] = []

    def measure() -> None:
        done = 0
        for place in range(30):
            pace.begin()
            begun.append(place)
            while len(begun) - done > ahead:  # results come this much later than samples are taken
                done += 1
                if done % size.piece == 0:
                    written.append(chunk(done - size.piece, n=size.piece))
                    pace.wrote(written[-1])

    worker = threading.Thread(target=measure, daemon=True)
    worker.start()
    committed = 0
    for position in range((30 - ahead) // size.piece):
        while len(written) <= position:
            time.sleep(0.001)
        time.sleep(0.01)
        assert len(begun) - committed <= most
        chunks.write(tmp_path, written[position])
        committed += size.piece
    worker.join(timeout=5)
    assert not worker.is_alive()


def test_where_nobody_commits_nothing_waits(tmp_path):
    pace = Pace(ChunkSize(samples=1), committed=tmp_path, ahead=2)
    for _ in range(10):
        pace.begin()
