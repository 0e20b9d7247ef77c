from __future__ import annotations

import json
import shutil
import zipfile

import pytest

from infra.benchmarks.findings import Findings, RefusedError
from infra.benchmarks.own import is_own, read_own
from infra.prepare import BLOCKS_DATA
from server.benchmarks.service import read_content
from tests.unit.infra.benchmarks import making
from tests.unit.infra.benchmarks.conftest import draft_of


@pytest.fixture
def unpacked(robothor, tmp_path):
    """A benchmark in our own format as files."""
    draft, _ = draft_of({"robothor": robothor})
    folder = tmp_path / "own"
    for pictures in (draft.public, draft.hidden):
        for inside, picture in pictures.items():
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, folder / inside)
    (folder / "benchmark.json").write_text(draft.manifest.model_dump_json())
    (folder / "truth.json").write_text(draft.truth.model_dump_json())
    return folder


@pytest.fixture
def zipped(unpacked, tmp_path):
    """The same as two archives."""
    folder = tmp_path / "zipped"
    folder.mkdir()
    _, parts = read_own(unpacked, folder, found=Findings())
    for part in parts:
        part.rename(folder / f"tiny-{part.name}")
    return folder


def refusal(folder, tmp_path):
    with pytest.raises(RefusedError) as caught:
        read_own(folder, tmp_path, found=Findings())
    return [(one.file, one.field, one.wrong) for one in caught.value.findings]


def edit_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_files_make_the_same_version_as_their_archives(unpacked, zipped, tmp_path):
    versions = set()
    for folder in (unpacked, zipped):
        assert is_own(folder)
        _, parts = read_own(folder, tmp_path, found=Findings())
        versions.add(read_content(public_zip=parts.public_zip, hidden_zip=parts.hidden_zip).version)
    assert len(versions) == 1


def test_the_shipped_blocks_are_sound_and_taken_as_they_are(tmp_path):
    manifest, parts = read_own(BLOCKS_DATA, tmp_path, found=Findings())
    assert manifest.benchmark == "blocks"
    assert parts.public_zip == BLOCKS_DATA / "blocks-public.zip"


def test_an_official_folder_is_not_taken_for_our_own(robothor):
    assert not is_own(robothor)


def _no_picture(folder):
    (folder / "originals/robothor/FloorPlan1.png").write_bytes(b"text")


def _another_size(folder):
    making.picture(1, size=(40, 40)).save(folder / "gt/robothor/FloorPlan1_edit_1.png")


def _no_true_edit(folder):
    (folder / "gt/robothor/FloorPlan1_edit_1.png").unlink()


def _no_truth(folder):
    (folder / "truth.json").unlink()


def _half_a_truth(folder):
    edit_json(folder / "truth.json", lambda truth: truth["samples"].pop("FloorPlan1_edit_1"))


def _no_goal(folder):
    def forget(truth):
        truth["samples"]["FloorPlan1_edit_10"].update(new_bbox_3d=making.BOX)

    edit_json(folder / "truth.json", forget)


def _a_broken_field(folder):
    edit_json(folder / "benchmark.json", lambda manifest: manifest["samples"][0].update(width=-1))


def _no_address(folder):
    edit_json(folder / "benchmark.json", lambda manifest: manifest.update(benchmark="Tiny.1"))


@pytest.mark.parametrize(
    ("spoil", "file", "words"),
    [
        (_no_picture, "own: originals/robothor/FloorPlan1.png", "no picture"),
        (_another_size, "own: gt/robothor/FloorPlan1_edit_1.png", "40"),
        (_no_true_edit, "own: gt/robothor/FloorPlan1_edit_1.png", "missing"),
        (_no_truth, "own: truth.json", "missing"),
        (_half_a_truth, "benchmark.json", "FloorPlan1_edit_1"),
        (_no_goal, "own: truth.json", "goal is the original"),
        (_a_broken_field, "own: benchmark.json", "greater than"),
        (_no_address, "own: benchmark.json", "lower-case"),
    ],
)
def test_a_defect_is_told_with_its_file(spoil, file, words, unpacked, tmp_path):
    spoil(unpacked)
    told = refusal(unpacked, tmp_path)
    assert [one[0] for one in told] == [file]
    assert words in told[0][2]


def test_a_public_archive_with_anything_else_in_it_is_refused(zipped, tmp_path):
    with zipfile.ZipFile(zipped / "tiny-public.zip", "a") as archive:
        archive.writestr("truth.json", "{}")
    assert refusal(zipped, tmp_path)[0][0] == "tiny-public.zip: truth.json"


def test_a_file_that_is_no_archive_is_refused(zipped, tmp_path):
    (zipped / "tiny-hidden.zip").write_bytes(b"text")
    assert refusal(zipped, tmp_path)[0][0] == "tiny-hidden.zip"


def test_a_damaged_archive_is_refused(zipped, tmp_path):
    whole = bytearray((zipped / "tiny-public.zip").read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    (zipped / "tiny-public.zip").write_bytes(whole)
    assert refusal(zipped, tmp_path)[0][0] == "tiny-public.zip: originals/robothor/FloorPlan1.png"


@pytest.mark.parametrize("part", ["public", "hidden"])
def test_one_archive_without_the_other_is_refused(part, zipped, tmp_path):
    (zipped / f"tiny-{part}.zip").unlink()
    assert f"*{part}.zip" in refusal(zipped, tmp_path)[0][2]
