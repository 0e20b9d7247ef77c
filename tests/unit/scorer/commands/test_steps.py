from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from scorer import chunks, inputs, measuring, protocol
from scorer.__main__ import main
from scorer.chunks import Chunk, ChunkSize, Made, Pace
from scorer.contract import ExitCode, Report
from scorer.judges.folder import QUESTIONS, read_cases, read_questions
from scorer.judges.journal import Entry, Journal
from scorer.measures.msssim import MsSsim
from scorer.measuring import Instruments
from tests.unit.scorer import folders
from tests.unit.scorer.test_protocol import JUDGE, RememberingDetector, mixed, with_both_profiles

ANSWERED = {"judge_model": "a model of the test", "judge_adapter": "endpoint"}
STEP_BY_STEP = {"samples": 2}


def without_timings(path: Path) -> dict[str, Any]:
    return Report.model_validate_json(path.read_text()).model_dump(exclude={"timings"})


def instruments() -> Instruments:
    """The real ones; the detector remembers what it saw, so that a run costs little when it is repeated."""
    return Instruments(RememberingDetector(), JUDGE, MsSsim())


def measured(folder: Path, *, size: ChunkSize, stop_after: int | None = None) -> list[Chunk]:
    """The chunks that a process measures after those in the folder, until it is interrupted."""
    found = []
    loaded = inputs.load(folder)
    with measuring.opened(loaded, instruments()) as run:
        earlier = chunks.read(folder / chunks.FOLDER, inputs=run.made.fingerprint)
        pace = Pace(size, committed=folder / chunks.FOLDER, ahead=measuring.ahead(loaded))
        for chunk in measuring.in_chunks(run, earlier=earlier, size=size, pace=pace):
            found.append(chunk)
            if stop_after is not None and len(found) >= stop_after:
                break
    return found


def reported(run: Path, out: Path) -> dict[str, Any]:
    assert main(["aggregate", "--input", str(run), "--output", str(out)]) == 0
    return without_timings(out / "report.json")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    """A run under both profiles with right, wrong, missing and unreadable edits, and its report in one go."""
    folder = with_both_profiles(tmp_path_factory.mktemp("undisturbed"), mixed())
    report = protocol.score(inputs=inputs.load(folder), instruments=instruments())
    return folder, report.model_dump(exclude={"timings"})


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_chunks_and_wherever_it_is_interrupted_the_report_is_the_same(undisturbed, tmp_path, seed):
    folder, report = undisturbed
    draw = random.Random(seed)
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    covered = 0
    while covered < len(folders.EDITS):
        size = ChunkSize(samples=draw.choice([1, 2, 4, 6, 12]))
        found = measured(run, size=size, stop_after=draw.choice([1, 2, None]))
        for chunk in found[: draw.randint(1, len(found))]:  # what was not committed in time is lost
            chunks.write(run / chunks.FOLDER, chunk)
            covered += len(chunk.samples)
    assert covered == len(folders.EDITS), "a committed sample was measured again"
    assert reported(run, tmp_path / "out") == report


def test_the_steps_as_processes_give_the_report_of_one_process(undisturbed, tmp_path):
    folder, report = undisturbed
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    (run / chunks.SIZE_FILE).write_text(json.dumps(STEP_BY_STEP))
    assert main(["measure", "--input", str(run), "--output", str(tmp_path / "one")]) == 0
    assert len(list((tmp_path / "one/chunks").iterdir())) == len(folders.EDITS)
    lines = (tmp_path / "one/progress.jsonl").read_text().splitlines()
    assert json.loads(lines[-1]) == {"stage": "measure", "done": 6, "total": 6}
    assert not (tmp_path / "one/questions").exists()
    shutil.copytree(tmp_path / "one/chunks", run / "chunks")
    for hidden in ("truth", "originals", "submission.zip"):
        (run / hidden).rename(tmp_path / hidden)  # the last step needs none of them
    assert reported(run, tmp_path / "out") == report


def other(chunk: Chunk, **changes: Any) -> Chunk:
    made = Made.of(chunk).model_copy(update=changes)
    return made.chunk(chunk.samples, first=chunk.first, seconds=chunk.seconds)


def test_a_chunk_from_other_inputs_is_never_reused(undisturbed, tmp_path, capsys):
    folder, _ = undisturbed
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    first = measured(run, size=ChunkSize(samples=4), stop_after=1)[0]
    manifest = first.manifest
    others = [
        other(first, archive_sha256="0" * 64),
        other(first, versions={**first.versions, "torch": "another"}),
        other(first, versions={**first.versions, "detector": "another"}),
        other(first, weights={"lpips": "0" * 64}),
        other(first, manifest=manifest.model_copy(update={"benchmark_version": "another"})),
        other(first, manifest=manifest.model_copy(update={"protocol": manifest.beside[0], "beside": ["gsi-fair-1"]})),
    ]
    for chunk in others:
        chunks.write(run / chunks.FOLDER, chunk)
        assert measured(run, size=ChunkSize(samples=4), stop_after=1)[0].first == 0
        (run / chunks.FOLDER / "000001.json").write_text(first.model_dump_json())
        assert main(["aggregate", "--input", str(run), "--output", str(tmp_path / "out")]) == ExitCode.DEFECT
        assert "not all of this run" in capsys.readouterr().err
        (run / chunks.FOLDER / "000001.json").unlink()
    chunks.write(run / chunks.FOLDER, other(first, manifest=manifest.model_copy(update={"threads": 7})))
    assert measured(run, size=ChunkSize(samples=4), stop_after=1)[0].first == 2


def test_a_report_of_some_samples_is_refused(undisturbed, tmp_path, capsys):
    folder, _ = undisturbed
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    assert main(["aggregate", "--input", str(run), "--output", str(tmp_path)]) == ExitCode.DEFECT
    chunks.write(run / chunks.FOLDER, measured(run, size=ChunkSize(samples=4), stop_after=1)[0])
    assert main(["aggregate", "--input", str(run), "--output", str(tmp_path)]) == ExitCode.DEFECT
    assert "2 samples were measured" in capsys.readouterr().err
    assert not (tmp_path / "report.json").exists()


def test_originals_are_prepared_without_a_submission_and_no_run_can_change_them(undisturbed, tmp_path):
    folder, report = undisturbed
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    (run / "submission.zip").rename(tmp_path / "submission.zip")
    assert main(["originals", "--input", str(run), "--output", str(tmp_path / "made")]) == 0
    kept = tmp_path / "made/originals"
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept.iterdir()}
    assert len(before) == 5  # the original and the true view, prepared for both profiles; and its SIFT features
    settings = {"originals": {"folder": str(kept), "read_only": True}}
    (run / "instruments.json").write_text(json.dumps(settings))
    (tmp_path / "submission.zip").rename(run / "submission.zip")
    assert main(["measure", "--input", str(run), "--output", str(tmp_path / "one")]) == 0
    shutil.copytree(tmp_path / "one/chunks", run / "chunks")
    assert reported(run, tmp_path / "out") == report
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept.iterdir()} == before
    assert main(["originals", "--input", str(run), "--output", str(tmp_path / "again")]) == 0
    assert list((tmp_path / "again/originals").iterdir()) == []


@pytest.fixture
def asked(tmp_path) -> Path:
    """A run's folder whose benchmark names the language judge, of two samples."""
    edits = {name: folders.EDITS[name] for name in ("move", "remove")}
    folder = folders.write_run(tmp_path / "run", submission=folders.perfect(), edits=edits)
    for name in ("manifest.json", "benchmark.json"):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**content, "judge": "language-judge-1", "beside": ["gsi-official-1"]}))
    return folder


def test_a_run_is_measured_asked_about_elsewhere_and_ended_with_those_answers(asked, tmp_path, capsys):
    assert main(["measure", "--input", str(asked), "--output", str(tmp_path / "one")]) == 0
    questions = tmp_path / "one/questions"
    lines = read_questions(questions)
    told = {line.key.split(":")[1]: line.instruction for line in lines}
    assert set(told) == {"gsi-fair-1", "gsi-official-1"}
    assert told["gsi-official-1"] is None
    assert told["gsi-fair-1"]
    fields = {name for line in (questions / QUESTIONS).read_text().splitlines() for name in json.loads(line)}
    assert fields == {"schema", "key", "original", "edited", "operation", "instruction", "target"}, "nothing hidden"
    shutil.copytree(tmp_path / "one/chunks", asked / "chunks")
    assert main(["aggregate", "--input", str(asked), "--output", str(tmp_path / "out")]) == ExitCode.DEFECT
    assert "have the questions judged" in capsys.readouterr().err
    with Journal(asked / "journal.jsonl") as journal:
        for case in read_cases(questions, lines):
            entry = {"key": case.key, "content": case.content, "digest": case.content, "reason": "alike"}
            journal.add(Entry(**entry, score=8.0, replies=[], provenance=ANSWERED))
    report = reported(asked, tmp_path / "out")
    assert report["versions"]["judge_model"] == "a model of the test"
    assert report["results"]["gsi-fair-1"]["scores"]["overall"]["ac"] == pytest.approx(80)
    judge = {"adapter": "recorded", "journal": str(asked / "journal.jsonl")}
    (asked / "instruments.json").write_text(json.dumps({"judge": judge}))
    assert main(["score", "--input", str(asked), "--output", str(tmp_path / "whole")]) == 0
    assert without_timings(tmp_path / "whole/report.json") == report
    (asked / "judge.json").write_text(json.dumps({"schema": "gsi-judge/1", "name": "another-1", "provenance": {}}))
    assert main(["aggregate", "--input", str(asked), "--output", str(tmp_path / "out")]) == ExitCode.DEFECT
    assert "the journal is of another-1" in capsys.readouterr().err
