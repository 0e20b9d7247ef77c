from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from scorer.contract import BenchmarkManifest, Report, RunManifest, Score, Truth, Verdict
from scorer.files import FILES
from tests.unit.scorer import folders

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"


@pytest.mark.parametrize("name", list(FILES))
def test_the_committed_schema_is_the_contract(name):
    committed = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert committed == FILES[name].model_json_schema(by_alias=True), (
        "write them: python -m scorer schemas --out docs/schemas"
    )


def test_no_schema_is_left_over():
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{name}.schema.json" for name in FILES}


def test_a_manifest_is_read_back_as_it_was_written():
    manifest = BenchmarkManifest.model_validate(folders.benchmark())
    assert BenchmarkManifest.model_validate_json(manifest.model_dump_json()) == manifest
    assert json.loads(manifest.model_dump_json())["schema"] == "gsi-benchmark/1"


@pytest.mark.parametrize("model", [BenchmarkManifest, RunManifest, Truth, Verdict, Report])
def test_an_unknown_field_is_refused(model):
    with pytest.raises(ValidationError, match="extra_forbidden"):
        model.model_validate({"surprise": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 100.01])
def test_a_score_is_finite_and_between_0_and_100(value):
    good = {"n": 1, "missing": 0, "ic": 0, "sa": 0, "ac": 0, "el": 0, "avg": 0}
    assert Score.model_validate(good).n == 1
    with pytest.raises(ValidationError):
        Score.model_validate(good | {"sa": value})


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\n", "é", "trailing.", "a" * 121, "a b"])
def test_an_identifier_that_could_be_mistaken_for_a_path_is_refused(name):
    content = folders.benchmark()
    content["samples"][0]["id"] = name
    with pytest.raises(ValidationError):
        BenchmarkManifest.model_validate(content)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.png", "a/../b.png", "a//b.png", "a\\b.png", "a/.b", ""])
def test_a_path_that_leads_elsewhere_is_refused(path):
    content = folders.benchmark()
    content["samples"][0]["original"] = path
    with pytest.raises(ValidationError):
        BenchmarkManifest.model_validate(content)


def test_samples_that_differ_only_in_case_are_refused():
    content = folders.benchmark()
    content["samples"][1]["id"] = content["samples"][0]["id"].upper()
    with pytest.raises(ValidationError, match="must differ"):
        BenchmarkManifest.model_validate(content)


def test_a_subset_that_counts_wrongly_is_refused():
    content = folders.benchmark()
    content["subsets"][0]["samples"] += 1
    with pytest.raises(ValidationError, match="do not agree"):
        BenchmarkManifest.model_validate(content)


def test_a_target_outside_the_objects_is_refused():
    content = folders.truth()
    content["samples"]["scene-00_edit_move"]["target_index"] = 4
    with pytest.raises(ValidationError, match="outside the 4 objects"):
        Truth.model_validate(content)


def test_the_contract_and_the_gate_are_read_without_torch():
    code = "import sys, scorer.contract, scorer.bundle, scorer.__main__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
