"""A folder of vectors that somebody else could have made: another tree, other counts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.official.conformance.runner import run_folder
from tests.unit.scorer.official import folders


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """A tree ``e2e`` with one model, two samples and, as expected, what the run itself writes."""
    root = tmp_path / "e2e"
    folders.write(root, prompts={"0": "Move the cup right.", "1": "Remove the cup."})
    assert main(folders.arguments(root)) == ExitCode.OK
    out = root / "out"
    shutil.move(out / "My_Model" / "fine_eval", root / "expected" / "fine_eval")
    for path in out.glob("EVAL_output_*.json"):
        shutil.copy(path, root / "expected")
    shutil.rmtree(out)
    (root / "judged").rename(root / "mllm")
    shutil.copy(folders.WEIGHTS, tmp_path)
    return tmp_path


def failures(folder: Path) -> list[str]:
    (found,) = (result for result in run_folder(folder) if result.name == "e2e")
    return [case for case, _ in found.failures]


def alter(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_every_expected_value_is_compared(vectors, capsys):
    assert main(["conformance", str(vectors)]) == ExitCode.OK
    expected = vectors / "e2e/expected"
    alter(expected / "fine_eval/instruction-compliance_eval_results.json", '"compliance": 1.0', '"compliance": 0.0')
    alter(expected / "fine_eval/spatial-accuracy_eval_stats.json", '"overall_mean_score": 0', '"overall_mean_score": 7')
    alter(expected / "EVAL_output_ac.json", "90.0", "90.1")
    assert failures(vectors) == [
        "fine_eval instruction-compliance s_0",
        "fine_eval spatial-accuracy_eval_stats.json",
        "EVAL_output_ac.json",
    ]


def test_a_sample_more_or_less_is_noticed(vectors):
    results = vectors / "e2e/expected/fine_eval/edit-locality_eval_results.json"
    content = json.loads(results.read_text())
    results.write_text(json.dumps({"s_0": content["s_0"], "s_9": content["s_1"]}))
    assert failures(vectors) == ["fine_eval edit-locality keys", "fine_eval edit-locality s_9"]


def test_a_packed_tree_is_the_same_and_a_broken_one_a_failure(vectors):
    tree = vectors / "e2e"
    with ZipFile(vectors / "e2e.zip", "w") as archive:
        for path in sorted(tree.rglob("*.*")):
            archive.write(path, path.relative_to(vectors))
    shutil.rmtree(tree)
    assert failures(vectors) == []
    tree.mkdir()
    assert failures(vectors) == ["the file"]
