from __future__ import annotations

import json

import numpy as np
import pytest

from scorer import instruments
from scorer.contract import RunManifest
from scorer.errors import BenchmarkError, JudgeError, JudgeUnavailableError, ScorerError
from scorer.judges.endpoint import EndpointJudge
from scorer.judges.journal import Journal
from scorer.originals import Picture
from scorer.registry import instruments_of

ENDPOINT = {"adapter": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "a model", "revision": "r1"}


def manifest(**named: str) -> RunManifest:
    names = {"detector": "blocks-detector-1", "judge": "blocks-judge-1", "perceptual": "msssim-1"} | named
    return RunManifest(submission="s", benchmark="b", benchmark_version="1", subset="t", protocol="gsi-fair-1", **names)


@pytest.fixture
def settings(tmp_path):
    def write(**content: object) -> instruments.InstrumentSettings:
        path = tmp_path / instruments.FILE
        path.write_text(json.dumps(content))
        return instruments.read(path)

    return write


def test_without_a_file_nothing_is_set_up_and_blocks_is_measured_all_the_same(tmp_path):
    found = instruments_of(manifest(), instruments.read(tmp_path / "absent.json"))
    assert (found.detector.name, found.judge.name, found.perceptual.name) == (
        "blocks-detector-1",
        "blocks-judge-1",
        "msssim-1",
    )


@pytest.mark.parametrize("what", ["detector", "judge", "perceptual"])
def test_an_unknown_instrument_is_named(settings, what):
    with pytest.raises(BenchmarkError, match="no-such-thing"):
        instruments_of(manifest(**{what: "no-such-thing"}), settings())


def test_a_language_judge_that_nobody_set_up_is_a_clear_fault_of_the_installation(settings):
    with pytest.raises(BenchmarkError, match="names no judge"):
        instruments_of(manifest(judge="language-judge-1"), settings())


def test_the_judge_of_the_file_is_the_one_that_reports_name(settings, tmp_path):
    judge = instruments_of(manifest(judge="language-judge-1"), settings(judge=ENDPOINT, journals=str(tmp_path))).judge
    assert isinstance(judge, EndpointJudge)
    assert judge.provenance()["judge_model"] == "a model"
    assert judge.provenance()["judge_revision"] == "r1"
    assert (tmp_path / "s-t.jsonl").exists()


def test_recorded_answers_that_are_missing_are_a_fault_of_the_installation(settings, tmp_path):
    judge = {"adapter": "recorded", "journal": str(tmp_path / "absent.jsonl")}
    with pytest.raises(JudgeError, match=r"absent\.jsonl is missing"):
        instruments_of(manifest(judge="language-judge-1"), settings(judge=judge))


def test_missing_weights_say_how_to_fetch_them(settings, tmp_path):
    with pytest.raises(ScorerError, match=r"fetch-weights lpips-alex-v0\.1"):
        instruments_of(manifest(perceptual="lpips-alex-0.1"), settings(weights=str(tmp_path)))


def test_what_is_kept_of_the_originals_lies_in_the_folder_of_the_file_within_its_bound(settings, tmp_path):
    kept = {"folder": str(tmp_path / "kept"), "bytes": 20_000_000}
    found = instruments_of(manifest(), settings(originals=kept)).originals
    assert found is not None
    for seed in range(3):  # each share of 384 x 512 pixels takes 7 MB
        image = np.random.default_rng(seed).integers(0, 256, (384, 512, 3), dtype=np.uint8)
        found.share(Picture.of_pixels(image))
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_a_folder_for_originals_that_cannot_be_used_says_what_to_do(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchmarkError, match=r"originals\.folder cannot be used: .*; name a folder"):
        instruments_of(manifest(), settings(originals={"folder": str(tmp_path / "file")}))


def test_a_named_file_that_is_missing_is_an_error_and_no_default(tmp_path):
    with pytest.raises(BenchmarkError, match="there is no file"):
        instruments.named(str(tmp_path / "absent.json"))
    assert instruments.named(None) == instruments.InstrumentSettings()


def test_a_journal_that_an_earlier_scorer_still_writes_means_to_try_again(settings, tmp_path):
    chosen = settings(judge=ENDPOINT, journals=str(tmp_path))
    with Journal(tmp_path / "s-t.jsonl"), pytest.raises(JudgeUnavailableError, match="being written"):
        instruments_of(manifest(judge="language-judge-1"), chosen)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({"judge": {**ENDPOINT, "url": "http://[bad"}}, r"judge\.endpoint\.url"),
        ({"judge": {**ENDPOINT, "url": "http://a b"}}, r"judge\.endpoint\.url"),
        ({"judge": {**ENDPOINT, "url": "http://host:99999999/v1"}}, r"judge\.endpoint\.url"),
        ({"judge": {**ENDPOINT, "url": "ftp://x"}}, "judge.endpoint.url"),
        ({"judge": {"adapter": "oracle"}}, "judge"),
        ({"weight": "/x"}, "weight"),
        ({"originals": {"folder": "/x", "bytes": 0}}, "originals.bytes"),
        ({"detector": {"device": "a card"}}, "detector.device"),
        ({"detector": {"mode": "quick"}}, "detector.mode"),
        ({"detector": {"accept": True}}, "detector.accept"),
    ],
)
def test_a_file_that_cannot_be_used_names_the_field(settings, content, where):
    with pytest.raises(BenchmarkError, match=where):
        settings(**content)
