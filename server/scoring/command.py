"""What the scorer is called with for each kind of job: the one place that knows its verbs.

gate       input   submission.zip, benchmark.json
           output  verdict.json

originals  input   manifest.json, benchmark.json, originals/, truth/, instruments.json, kept/
           output  originals/, needed.json, progress.jsonl
measure    input   the same, submission.zip, chunks/, chunk-size.json
           output  chunks/, measured.json, questions/ (for a language judge), progress.jsonl
judge      input   questions/, settings.json, journal.jsonl
           output  journal.jsonl, judge.json, progress.jsonl
aggregate  input   manifest.json, benchmark.json, chunks/, journal.jsonl, judge.json
           output  report.json, progress.jsonl
"""

from __future__ import annotations

from pathlib import PurePath

from server.scoring.runner import Job, JobKind


def arguments(job: Job, *, input: PurePath, output: PurePath, socket: PurePath | None = None) -> list[str]:
    """What follows ``python -m scorer``. The paths are those under which the job sees its folders.

    ``socket``: the unix socket through which it reaches its judge; None where the job has no endpoint.
    """
    match job.kind:
        case JobKind.GATE:
            return [
                "gate",
                *("--archive", str(input / "submission.zip")),
                *("--manifest", str(input / "benchmark.json")),
                *("--out", str(output / "verdict.json")),
                *("--threads", str(job.threads)),
            ]
        case JobKind.JUDGE:
            return [
                "judge",
                *("--questions", str(input / "questions")),
                *("--settings", str(input / "settings.json")),
                *("--earlier", str(input / "journal.jsonl")),
                *("--out", str(output / "journal.jsonl")),
                *("--about", str(output / "judge.json")),
                *([] if socket is None else ["--socket", str(socket)]),
            ]
        case JobKind.ORIGINALS | JobKind.MEASURE | JobKind.AGGREGATE:
            return [str(job.kind), "--input", str(input), "--output", str(output)]
