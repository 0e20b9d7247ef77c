"""A program that behaves like the scorer's command line, and badly when told to.

Called as ``scripted_scorer.py PLAN gate|originals|measure|judge|aggregate ...``: the file PLAN holds JSON {"gate": how,
"score": how}; a number ends the program with that exit status. ``executed`` names a file in which every measured sample
gets a line, ``seconds_each`` how long one takes, ``version`` what the numbers are said to depend on.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scorer import chunks
from scorer.chunks import Appearance, Chunk, Judged, Made, MeasuredEdit, MeasuredSample, Pace
from scorer.contract import Report, RunManifest, Verdict

SCORE = {"ic": 100.0, "sa": 80.0, "ac": 60.0, "el": 40.0, "avg": 70.0}


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    kind, options = sys.argv[2], dict(zip(sys.argv[3::2], sys.argv[4::2], strict=True))
    how = plan["score"]
    if kind == "gate":
        gate(plan["gate"], Path(options["--archive"]), Path(options["--out"]))
    elif kind == "judge":
        judge(how, plan, options)
    elif kind == "originals":
        originals(Path(options["--input"]), Path(options["--output"]))
    elif kind == "measure":
        measure(how, plan, Path(options["--input"]), Path(options["--output"]))
    else:
        aggregate(how, Path(options["--input"]), Path(options["--output"]))


def gate(how: str, archive: Path, out: Path) -> None:
    if how not in {"accept", "reject"}:
        raise SystemExit(int(how))
    content = archive.read_bytes()
    defect = {"code": "not-a-zip", "severity": "error", "message": "It is no zip.", "remedy": "Send a zip."}
    verdict = {
        "accepted": how == "accept",
        "defects": [] if how == "accept" else [defect],
        "images": {},
        "archive_sha256": hashlib.sha256(content).hexdigest(),
        "archive_bytes": len(content),
        "bundle_version": "scripted",
    }
    out.write_text(Verdict.model_validate(verdict).model_dump_json(by_alias=True))


def originals(folder: Path, output: Path) -> None:
    """One kept file for each subset, of which the name tells what it was made of."""
    if (folder / "submission.zip").exists():
        raise SystemExit("a submission is in sight")
    name = hashlib.sha256((folder / "truth" / "truth.json").read_bytes()).hexdigest() + ".safetensors"
    (output / "originals").mkdir()
    (output / "originals" / name).write_text("kept")
    (output / "needed.json").write_text(json.dumps({"schema": "gsi-kept/1", "files": [name]}))


def measure(how: str, plan: dict[str, Any], folder: Path, output: Path) -> None:
    manifest = RunManifest.model_validate_json((folder / "manifest.json").read_text())
    listed = json.loads((folder / "benchmark.json").read_text())["samples"]
    samples = [sample["id"] for sample in listed if sample["subset"] == manifest.subset]
    if set(json.loads((folder / "truth" / "truth.json").read_text())["samples"]) != set(samples):
        raise SystemExit("the truth of another subset is here")
    if how == "judged" and set(json.loads((folder / "instruments.json").read_text())) != {"weights"}:
        raise SystemExit("a job that measures is told of the judge")
    if os.environ.get("GSI_JUDGE_API_KEY"):
        raise SystemExit("a job that measures has the judge's key")
    if how == "kept" and len(list((folder / "kept").iterdir())) != 1:
        raise SystemExit("the kept originals of this subset are not here")
    (output / "progress.jsonl").write_text('{"stage": "measure", "done": 1, "total": 2}\n')
    if how == "sleep":
        time.sleep(120)
    if how == "slow":
        time.sleep(1.5)
    if how.isdigit():
        raise SystemExit(int(how))
    archive = hashlib.sha256((folder / "submission.zip").read_bytes()).hexdigest()
    versions = {"code": plan.get("version", "scripted")}
    made = Made(manifest=manifest, versions=versions, weights={}, archive_sha256=archive)
    size = chunks.size_of(folder)
    earlier = chunks.read(folder / chunks.FOLDER, inputs=made.fingerprint)
    known = {sample.id for chunk in earlier for sample in chunk.samples}
    pace = Pace(size, committed=folder / chunks.FOLDER, ahead=0)

    def found() -> Iterator[MeasuredSample]:
        for name in samples:
            if name not in known:
                pace.begin()
                note(plan, f"{manifest.submission} {name}")
                time.sleep(plan.get("seconds_each", 0))
                yield measured(name, manifest, archive, how)

    for piece, seconds in chunks.cut(found(), size):
        chunk = made.chunk(piece, first=samples.index(piece[0].id), seconds=seconds)
        chunks.write(output / chunks.FOLDER, chunk)
        pace.wrote(chunk)
        if how == "half":
            raise SystemExit(75)
    if how == "judged":
        ask(output / "questions", samples)
    n = len(samples)
    (output / "measured.json").write_text(json.dumps({"schema": "gsi-measured/1", "inputs": made.fingerprint, "n": n}))


def note(plan: dict[str, Any], line: str) -> None:
    """Say outside that a sample is measured; a line is written whole, however the process ends."""
    if "executed" in plan:
        with Path(plan["executed"]).open("a") as file:
            file.write(line + "\n")


def measured(name: str, manifest: RunManifest, archive: str, how: str) -> MeasuredSample:
    """The same numbers for every sample, or numbers drawn from what the archive holds."""
    edits = {}
    for protocol in manifest.protocols:
        numbers = [SCORE[name] / 100 for name in ("ic", "sa", "el")]
        if protocol != "gsi-fair-1":
            numbers[0] -= 0.4
        if how == "drawn":
            digest = hashlib.sha256(f"{archive} {name} {protocol}".encode()).digest()
            numbers = [byte / 255 for byte in digest[:3]]
        looks = Appearance(target=None, distance=None, judged=Judged(score=6.0, reason="scripted"))
        edits[protocol] = MeasuredEdit(
            status="scored",
            reason="scripted",
            made=True,
            compliance=numbers[0],
            accuracy=numbers[1],
            locality=numbers[2],
            explanation={},
            appearance=looks,
        )
    return MeasuredSample(id=name, under=edits)


def ask(folder: Path, samples: list[str]) -> None:
    folder.mkdir()
    (folder / "questions.jsonl").write_text("".join(f"{name}\n" for name in samples))


def judge(how: str, plan: dict[str, Any], options: dict[str, str]) -> None:
    """Answers every question with one line; what the earlier journal holds is not asked again."""
    folder = Path(options["--questions"]).parent
    if {path.name for path in folder.iterdir()} != {"questions", "settings.json", "journal.jsonl"}:
        raise SystemExit("a judge sees more than its questions")
    if os.environ.get("GSI_JUDGE_API_KEY") != "the judge's key":
        raise SystemExit("there is no key for the judge")
    if json.loads(Path(options["--settings"]).read_text())["model"] != "tiny":
        raise SystemExit("these are not the judge's settings")
    journal, earlier = Path(options["--out"]), Path(options["--earlier"]).read_text()
    journal.write_text(earlier)
    for name in Path(options["--questions"], "questions.jsonl").read_text().splitlines():
        if f'"{name}"' not in earlier:
            note(plan, f"judged {name}")
            with journal.open("a") as file:
                file.write(json.dumps(name) + "\n")
            if plan.get("judge") == "half":
                raise SystemExit(75)
    Path(options["--about"]).write_text("{}")


def aggregate(how: str, folder: Path, output: Path) -> None:
    manifest = RunManifest.model_validate_json((folder / "manifest.json").read_text())
    if {path.name for path in folder.iterdir()} & {"truth", "originals", "submission.zip"}:
        raise SystemExit("the last step sees pictures")
    if how == "judged" and len((folder / "journal.jsonl").read_text().splitlines()) != 2:
        raise SystemExit("there is no whole journal")
    if how == "nothing":
        return
    listed = json.loads((folder / "benchmark.json").read_text())["samples"]
    samples = [sample for sample in listed if sample["subset"] == manifest.subset]
    text = json.dumps(report(manifest, samples, chunks.read(folder / chunks.FOLDER)))
    if how == "nan":
        text = text.replace("80.0", "NaN", 1)
    if how == "another":
        text = text.replace(manifest.subset, "another-subset")
    if how == "dishonest":
        text = text.replace("70.0", "99.0")
    (output / "report.json").write_text(text)


def report(manifest: RunManifest, samples: list[dict[str, Any]], found: list[Chunk]) -> dict[str, Any]:
    edits = {sample.id: sample.under for chunk in found for sample in chunk.samples}
    told = {
        "manifest": manifest.model_dump(by_alias=True),
        "versions": found[0].versions,
        "weights": {},
        "archive_sha256": found[0].archive_sha256,
        "results": {
            protocol: result([(sample, edits[sample["id"]][protocol]) for sample in samples])
            for protocol in manifest.protocols
        },
        "timings": {"total": 0.1},
    }
    return Report.model_validate({"schema": "gsi-report/2", **told}).model_dump(by_alias=True)


def result(edits: list[tuple[dict[str, Any], MeasuredEdit]]) -> dict[str, Any]:
    rows = [numbers(edit) for _, edit in edits]
    return {
        "deviations": [],
        "scores": {
            "overall": mean(rows),
            "operations": {
                name: mean([row for row, (sample, _) in zip(rows, edits, strict=True) if sample["operation"] == name])
                for name in {sample["operation"] for sample, _ in edits}
            },
            "difficulties": {"easy": mean(rows)},
        },
        "missing": [],
        "samples": [
            {
                "id": sample["id"],
                "operation": sample["operation"],
                "difficulty": "easy",
                "status": "scored",
                "reason": "scripted",
                "explanation": {},
                **row,
            }
            for row, (sample, _) in zip(rows, edits, strict=True)
        ],
    }


def numbers(edit: MeasuredEdit) -> dict[str, float]:
    ic, sa, ac, el = round(100 * edit.compliance, 6), 100 * edit.accuracy, 60.0, 100 * edit.locality
    return {"ic": ic, "sa": sa, "ac": ac, "el": el, "avg": math.fsum((ic, sa, ac, el)) / 4}


def mean(rows: list[dict[str, float]]) -> dict[str, Any]:
    means = {name: math.fsum(row[name] for row in rows) / len(rows) for name in ("ic", "sa", "ac", "el")}
    return {**means, "avg": math.fsum(means.values()) / 4, "n": len(rows), "missing": 0}


if __name__ == "__main__":
    main()
