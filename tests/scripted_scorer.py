"""A program that behaves like the scorer's command line, and badly when told to.

Called as ``scripted_scorer.py PLAN gate|score ...``: the file PLAN holds JSON {"gate": how, "score": how}; a number
ends the program with that exit status.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from scorer.contract import Report, RunManifest, Verdict

SCORE = {"ic": 100.0, "sa": 80.0, "ac": 60.0, "el": 40.0, "avg": 70.0}


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    kind, options = sys.argv[2], dict(zip(sys.argv[3::2], sys.argv[4::2], strict=True))
    how = plan[kind]
    if kind == "gate":
        gate(how, Path(options["--archive"]), Path(options["--out"]))
    else:
        score(how, Path(options["--input"]), Path(options["--output"]))


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


def score(how: str, folder: Path, output: Path) -> None:
    manifest = RunManifest.model_validate_json((folder / "manifest.json").read_text())
    samples = [
        s for s in json.loads((folder / "benchmark.json").read_text())["samples"] if s["subset"] == manifest.subset
    ]
    truth = json.loads((folder / "truth" / "truth.json").read_text())["samples"]
    if set(truth) != {sample["id"] for sample in samples}:
        raise SystemExit("the truth of another subset is here")
    (output / "progress.jsonl").write_text('{"stage": "measure", "done": 1, "total": 2}\n')
    if how == "sleep":
        time.sleep(120)
    if how == "slow":
        time.sleep(1.5)
    if how.isdigit():
        raise SystemExit(int(how))
    if how == "nothing":
        return
    if how == "judged" and json.loads((folder / "instruments.json").read_text()).get("journals") != str(folder.root):
        raise SystemExit("these are not the instruments of the installation")
    if how == "judged" and os.environ.get("GSI_JUDGE_API_KEY") != "the judge's key":
        raise SystemExit("there is no key for the judge")
    text = json.dumps(report(manifest, samples, folder))
    if how == "nan":
        text = text.replace("80.0", "NaN", 1)
    if how == "another":
        text = text.replace(manifest.subset, "another-subset")
    if how == "dishonest":
        text = text.replace("70.0", "99.0")
    (output / "report.json").write_text(text)


def report(manifest: RunManifest, samples: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    told = {
        "manifest": manifest.model_dump(by_alias=True),
        "versions": {"code": "scripted"},
        "weights": {},
        "archive_sha256": hashlib.sha256((folder / "submission.zip").read_bytes()).hexdigest(),
        "results": {protocol: result(samples, protocol) for protocol in manifest.protocols},
        "timings": {"total": 0.1},
    }
    return Report.model_validate({"schema": "gsi-report/2", **told}).model_dump(by_alias=True)


def result(samples: list[dict[str, Any]], protocol: str) -> dict[str, Any]:
    score = SCORE if protocol == "gsi-fair-1" else {**SCORE, "ic": SCORE["ic"] - 40, "avg": SCORE["avg"] - 10}
    whole = {**score, "n": len(samples), "missing": 0}
    return {
        "deviations": [],
        "scores": {
            "overall": whole,
            "operations": {sample["operation"]: {**whole, "n": 1} for sample in samples},
            "difficulties": {"easy": whole},
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
                **score,
            }
            for sample in samples
        ],
    }


if __name__ == "__main__":
    main()
