from __future__ import annotations

import hashlib
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from scorer.bundle import KINDS, ArchiveError, Limits, Outline, Picture, check, open_bundle
from scorer.contract import BenchmarkManifest, Defect, Verdict
from tests.unit.scorer import folders
from tests.unit.scorer.gate import hostile

ZIP_OF_ZEROS = 80 * 1024 * 1024
SIDE = 32


def small_benchmark() -> BenchmarkManifest:
    content = folders.benchmark()
    for sample in content["samples"]:
        sample |= {"width": SIDE, "height": SIDE}
    other = dict(content["samples"][0], id="room-00_edit_move", subset="blocks-room")
    content["samples"].append(other)
    content["subsets"].append({"id": "blocks-room", "title": "Room", "samples": 1})
    return BenchmarkManifest.model_validate(content)


MANIFEST = small_benchmark()
NAMES = [f"{sample.subset}/{sample.id}.png" for sample in MANIFEST.samples]
PICTURE = folders.encoded(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
ALL = dict.fromkeys(NAMES, PICTURE)


@pytest.fixture
def verdict_on(tmp_path: Path) -> Callable[..., Verdict]:
    def judge(content: bytes, limits: Limits | None = None) -> Verdict:
        path = tmp_path / "submission.zip"
        path.write_bytes(content)
        found = check(archive=path, manifest=MANIFEST, limits=limits or Limits())
        assert sorted(tmp_path.iterdir()) == [path], "nothing may be extracted to disk"
        assert found.accepted is not any(d.severity == "error" for d in found.defects)
        return found

    return judge


def codes(verdict: Verdict) -> list[str]:
    return [found.code for found in verdict.defects]


def the(verdict: Verdict, code: str) -> Defect:
    (found,) = [found for found in verdict.defects if found.code == code]
    return found


def test_a_complete_archive_is_accepted_without_a_word(verdict_on):
    content = folders.zipped(ALL)
    verdict = verdict_on(content)
    assert verdict.accepted
    assert verdict.defects == []
    assert set(verdict.images) == {sample.id for sample in MANIFEST.samples}
    facts = verdict.images["scene-00_edit_move"]
    assert (facts.member, facts.format, facts.width, facts.height) == (NAMES[0], "PNG", SIDE, SIDE)
    assert facts.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert verdict.archive_sha256 == hashlib.sha256(content).hexdigest()
    assert verdict.archive_bytes == len(content)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".jpeg", ".JPG", ".webp"])
def test_every_allowed_ending_is_read_in_any_case(verdict_on, suffix):
    formats = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
    picture = folders.encoded(np.zeros((SIDE, SIDE, 3), np.uint8), format=formats[suffix.lower()])
    verdict = verdict_on(folders.zipped({name.replace(".png", suffix): picture for name in NAMES}))
    assert verdict.accepted
    assert verdict.defects == []


def test_one_folder_around_everything_is_allowed(verdict_on):
    verdict = verdict_on(folders.zipped({f"my model v1.0/{name}": PICTURE for name in NAMES}))
    assert (verdict.accepted, verdict.defects) == (True, [])


def test_two_folders_around_everything_are_not(verdict_on):
    verdict = verdict_on(folders.zipped({f"a/b/{name}": PICTURE for name in NAMES}))
    assert "wrong-folder" in codes(verdict)
    assert the(verdict, "nothing-usable").severity == "error"


def test_what_systems_leave_behind_is_ignored_with_a_warning(verdict_on):
    litter = {"__MACOSX/._x.png": b"x", ".DS_Store": b"x", "blocks-tabletop/Thumbs.db": b"x", "a/._b.png": b"x"}
    verdict = verdict_on(folders.zipped(litter | ALL))
    assert verdict.accepted
    assert codes(verdict) == ["ignored-file"] * 4


def test_a_file_that_is_no_zip_is_refused(verdict_on):
    assert codes(verdict_on(b"just some text")) == ["not-a-zip"]
    assert codes(verdict_on(b"")) == ["not-a-zip"]


def test_an_archive_that_was_cut_off_is_told_apart_from_one_that_is_no_zip(verdict_on):
    content = folders.zipped(ALL)
    assert codes(verdict_on(content[: len(content) // 2])) == ["truncated-archive"]


def test_a_table_of_contents_that_makes_no_sense_is_refused(verdict_on):
    content = bytearray(folders.zipped(ALL))
    content[content.index(b"PK\x01\x02")] = 0
    verdict = verdict_on(bytes(content))
    assert codes(verdict) == ["damaged-archive"]


def test_an_empty_zip_has_nothing_usable(verdict_on):
    verdict = verdict_on(folders.zipped({}))
    assert not verdict.accepted
    assert "nothing-usable" in codes(verdict)
    assert codes(verdict).count("missing-subset") == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../escape.png", "parent-path"),
        ("blocks-tabletop/../../escape.png", "parent-path"),
        ("/etc/passwd", "absolute-path"),
        ("C:/x.png", "absolute-path"),
        ("..\\escape.png", "backslash-path"),
        ("blocks-tabletop\\x.png", "backslash-path"),
        ("blocks-tabletop//x.png", "strange-name"),
        ("./x.png", "strange-name"),
        ("a\x01b.png", "strange-name"),
        ("a\nb.png", "strange-name"),
        ("x" * 600 + ".png", "strange-name"),
    ],
)
def test_a_path_that_leads_elsewhere_or_cannot_be_trusted_is_refused(verdict_on, name, code):
    verdict = verdict_on(hostile.built([(name, PICTURE), *ALL.items()]))
    assert not verdict.accepted
    assert codes(verdict) == [code]
    assert len(verdict.images) == len(NAMES)


def test_a_name_cut_by_a_null_byte_is_refused(verdict_on):
    content = hostile.built([("blocks-tabletop/a0b.png", PICTURE)]).replace(b"a0b", b"a\x00b")
    assert "strange-name" in codes(verdict_on(content))


def test_links_and_pipes_are_refused(verdict_on):
    verdict = verdict_on(hostile.built([hostile.link(NAMES[0], "/etc/passwd"), hostile.pipe("p.png")]))
    assert {"link", "special-file"} <= set(codes(verdict))
    assert the(verdict, "link").file == NAMES[0]


def test_an_encrypted_file_is_refused(verdict_on):
    verdict = verdict_on(hostile.said_to_be_encrypted(folders.zipped(ALL)))
    assert the(verdict, "encrypted-file").file == NAMES[0]


def test_an_uncommon_compression_is_refused(verdict_on):
    verdict = verdict_on(hostile.built(ALL.items(), method=zipfile.ZIP_LZMA))
    assert codes(verdict).count("unsupported-compression") == len(NAMES)


def test_a_wrong_checksum_is_told_with_the_file(verdict_on):
    verdict = verdict_on(hostile.with_wrong_checksum(folders.zipped(ALL)))
    found = the(verdict, "damaged-file")
    assert found.file == NAMES[0]
    assert "checksum" in found.message
    assert len(verdict.images) == len(NAMES) - 1


def test_a_file_that_grows_beyond_reason_is_stopped_while_it_is_inflated(verdict_on):
    bomb = hostile.built([(NAMES[0], bytes(ZIP_OF_ZEROS)), *list(ALL.items())[1:]])
    assert len(bomb) < 200_000
    verdict = verdict_on(bomb)
    assert the(verdict, "suspicious-compression").file == NAMES[0]


def test_a_bomb_that_understates_its_size_gains_nothing(verdict_on):
    bomb = hostile.with_understated_size(hostile.built([(NAMES[0], bytes(ZIP_OF_ZEROS))]), 1000)
    assert {"lying-header", "nothing-usable"} <= set(codes(verdict_on(bomb)))


@pytest.mark.parametrize("offset", [100_000, 2**40, 2**62, 2**63 - 1, 2**64 - 1])
def test_a_file_said_to_lie_outside_the_archive_is_refused(verdict_on, offset):
    content = hostile.with_place(folders.zipped(ALL), offset)
    found = the(verdict_on(content), "damaged-file")
    assert found.file == NAMES[0]
    assert "outside" in found.message


def test_files_that_share_bytes_are_refused(verdict_on):
    bomb = hostile.with_shared_bytes(NAMES[0], NAMES[1:], PICTURE)
    assert codes(verdict_on(bomb))[0] == "overlapping-files"


def test_the_limits_hold_for_the_archive_its_table_its_files_and_their_sum(verdict_on):
    content = folders.zipped(ALL)
    assert codes(verdict_on(content, Limits(archive_bytes=100))) == ["archive-too-large"]
    assert codes(verdict_on(content, Limits(entries=3))) == ["too-many-files"]
    assert codes(verdict_on(content, Limits(directory_bytes=50))) == ["too-many-files"]
    assert codes(verdict_on(content, Limits(total_bytes=2 * len(PICTURE)))) == ["too-much-data"]
    assert codes(verdict_on(content, Limits(file_bytes=100))).count("file-too-large") == len(NAMES)


def test_an_archive_with_more_entries_than_it_admits_is_refused_too(verdict_on):
    content = bytearray(folders.zipped(ALL))
    end = content.rindex(b"PK\x05\x06")
    content[end + 8 : end + 12] = b"\x01\x00\x01\x00"
    assert codes(verdict_on(bytes(content), Limits(entries=3))) == ["too-many-files"]


def test_an_archive_in_the_archive_is_not_opened(verdict_on):
    verdict = verdict_on(folders.zipped(ALL | {"more.zip": folders.zipped(ALL), "x/y.tar.gz": b"x"}))
    assert codes(verdict) == ["nested-archive"] * 2


def test_repeated_and_colliding_names_are_refused(verdict_on):
    twice = [(NAMES[0], PICTURE), (NAMES[0], PICTURE), (NAMES[1], PICTURE), (NAMES[1].upper(), PICTURE)]
    verdict = verdict_on(hostile.built(twice))
    assert the(verdict, "duplicate-name").file == NAMES[0]
    assert NAMES[1] in the(verdict, "colliding-name").message
    assert list(verdict.images) == [MANIFEST.samples[1].id]


def test_two_images_for_one_sample_are_refused(verdict_on):
    verdict = verdict_on(folders.zipped(ALL | {NAMES[0].replace(".png", ".webp"): PICTURE}))
    assert NAMES[0] in the(verdict, "duplicate-sample").message


def test_an_unknown_name_is_answered_with_the_name_that_was_meant(verdict_on):
    verdict = verdict_on(folders.zipped(ALL | {"blocks-tabletop/scene-00_edit_moves.png": PICTURE}))
    found = the(verdict, "unknown-sample")
    assert found.file == "blocks-tabletop/scene-00_edit_moves.png"
    assert "scene-00_edit_move" in found.remedy


def test_a_file_in_the_wrong_subset_is_told_where_it_belongs(verdict_on):
    files = {name.replace("blocks-room", "blocks-tabletop"): PICTURE for name in NAMES}
    assert "blocks-room/room-00_edit_move.png" in the(verdict_on(folders.zipped(files)), "wrong-folder").remedy


def test_a_file_that_is_no_image_of_a_sample_is_refused(verdict_on):
    verdict = verdict_on(folders.zipped(ALL | {"README.md": b"hello"}))
    assert the(verdict, "unexpected-file").file == "README.md"


def test_missing_samples_only_warn(verdict_on):
    verdict = verdict_on(folders.zipped({NAMES[0]: PICTURE}))
    assert verdict.accepted
    assert codes(verdict).count("missing-sample") == len(NAMES) - 2
    assert "blocks-room" in the(verdict, "missing-subset").message


def test_all_defects_are_told_at_once_errors_first(verdict_on):
    files: dict[str, bytes] = {NAMES[0]: b"not an image", NAMES[1]: PICTURE, "notes.txt": b"x", ".DS_Store": b"x"}
    found = codes(verdict_on(folders.zipped(files)))
    assert found[:2] == ["unexpected-file", "not-an-image"]
    assert set(found[2:]) == {"ignored-file", "missing-sample", "missing-subset"}


def test_a_long_list_is_cut_and_says_how_many_more(verdict_on):
    verdict = verdict_on(folders.zipped(ALL | {f"n{i}.txt": b"x" for i in range(100)}), Limits(listed=10))
    assert codes(verdict) == ["unexpected-file"] * 11
    assert "90 more" in verdict.defects[-1].message


def test_a_name_with_control_or_direction_characters_is_shown_escaped(verdict_on):
    verdict = verdict_on(folders.zipped(ALL | {"a\u202egnp.txt": b"x", "b\x1b[31m.txt": b"x"}))
    assert {found.file for found in verdict.defects} == {"a\\u202egnp.txt", "b\\x1b[31m.txt"}


def test_an_empty_file_is_told(verdict_on):
    assert the(verdict_on(folders.zipped(ALL | {NAMES[0]: b""})), "empty-file").file == NAMES[0]


def test_every_kind_of_defect_has_words_and_a_remedy():
    for kind in KINDS.values():
        assert kind.message.endswith("."), kind.code
        assert kind.remedy, kind.code


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_bytes_are_damaged_the_answer_is_a_verdict(verdict_on, data):
    content = bytearray(folders.zipped(dict.fromkeys(NAMES[:3], PICTURE)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    verdict_on(bytes(content[:end] if data.draw(st.booleans()) else content))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), format=st.sampled_from(["PNG", "JPEG", "WEBP"]))
def test_whatever_bytes_of_an_image_are_damaged_the_answer_is_a_verdict(verdict_on, data, format):
    picture = Pillow.fromarray(np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    stream = io.BytesIO()
    picture.save(stream, format=format)
    content = bytearray(stream.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    verdict_on(folders.zipped(ALL | {NAMES[0]: bytes(content)}))


def test_structure_and_names_are_told_before_any_image_is_looked_at(tmp_path):
    path = tmp_path / "s.zip"
    path.write_bytes(folders.zipped({**ALL, NAMES[0]: b"no image", "notes.txt": b"x"}))
    heard: list[Outline | str] = []
    verdict = check(
        archive=path, manifest=MANIFEST, threads=3, on_outline=heard.append, on_image=lambda: heard.append("image")
    )
    outline, *images = heard
    assert isinstance(outline, Outline)
    assert (outline.accepted, outline.images) == (False, len(NAMES))
    assert [found.code for found in outline.defects] == ["unexpected-file"]
    assert images == ["image"] * len(NAMES)
    assert codes(verdict) == ["unexpected-file", "not-an-image"]


def test_an_archive_that_cannot_be_opened_is_told_of_in_its_outline_too(tmp_path):
    path = tmp_path / "s.zip"
    path.write_bytes(b"no zip")
    heard: list[Outline] = []
    verdict = check(archive=path, manifest=MANIFEST, on_outline=heard.append)
    assert heard == [Outline(False, verdict.defects, 0)]


@pytest.mark.parametrize("threads", [2, 5])
def test_the_verdict_is_the_same_for_every_number_of_threads(tmp_path, threads):
    path = tmp_path / "s.zip"
    path.write_bytes(folders.zipped(ALL | {NAMES[1]: b"no image", NAMES[3]: PICTURE[:90], "a.txt": b"x"}))
    alone = check(archive=path, manifest=MANIFEST)
    assert check(archive=path, manifest=MANIFEST, threads=threads) == alone
    assert list(check(archive=path, manifest=MANIFEST, threads=threads).images) == list(alone.images)


def test_structure_and_names_of_a_whole_benchmark_are_judged_in_well_under_a_second(tmp_path):
    sample = MANIFEST.samples[0]
    samples = [sample.model_copy(update={"id": f"scene-{index:04}_edit_0"}) for index in range(1634)]
    subset = MANIFEST.subsets[0].model_copy(update={"samples": len(samples)})
    whole = MANIFEST.model_copy(update={"samples": samples, "subsets": [subset]})
    path = tmp_path / "s.zip"
    path.write_bytes(folders.zipped({f"{one.subset}/{one.id[:-1]}.png": b"misnamed" for one in samples}))
    began, took = time.process_time(), []
    verdict = check(archive=path, manifest=whole, on_outline=lambda _: took.append(time.process_time() - began))
    assert {"unknown-sample", "missing-subset", "nothing-usable"} == set(codes(verdict))
    assert took[0] < 2


def test_a_file_that_was_refused_is_not_called_missing(verdict_on):
    content = hostile.said_to_be_encrypted(folders.zipped(ALL))
    assert codes(verdict_on(content)) == ["encrypted-file"]


def test_what_all_images_claim_is_compared_with_the_limit_before_any_is_unpacked(verdict_on):
    verdict = verdict_on(folders.zipped(ALL), Limits(total_bytes=2 * len(PICTURE)))
    assert codes(verdict) == ["too-much-data"]
    assert verdict.images == {}


def test_an_opened_archive_gives_rgb_images_one_by_one(tmp_path):
    path = tmp_path / "s.zip"
    path.write_bytes(folders.zipped({NAMES[0]: PICTURE, NAMES[1]: b"text"}))
    with open_bundle(archive=path, manifest=MANIFEST) as bundle:
        picture = bundle.image(MANIFEST.samples[0])
        assert isinstance(picture, Picture)
        assert (picture.pixels.shape, picture.pixels.dtype) == ((SIDE, SIDE, 3), np.uint8)
        assert (picture.pixels == np.asarray(Pillow.open(io.BytesIO(PICTURE)))).all()
        unusable = bundle.image(MANIFEST.samples[1])
        assert isinstance(unusable, Defect)
        assert unusable.code == "not-an-image"
        assert bundle.image(MANIFEST.samples[2]) is None


def test_an_image_may_be_read_twice(tmp_path):
    path = tmp_path / "s.zip"
    path.write_bytes(folders.zipped(ALL))
    with open_bundle(archive=path, manifest=MANIFEST) as bundle:
        for _ in range(2):
            assert all(isinstance(bundle.image(sample), Picture) for sample in MANIFEST.samples)


def test_opening_what_is_no_zip_raises_the_gates_defect(tmp_path):
    path = tmp_path / "s.zip"
    path.write_bytes(b"no")
    with pytest.raises(ArchiveError) as caught, open_bundle(archive=path, manifest=MANIFEST):
        pass
    assert caught.value.defect.code == "not-a-zip"
