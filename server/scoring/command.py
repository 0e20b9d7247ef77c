"""What the scorer is called with for each kind of job: the one place that knows its verbs.

gate    input   submission.zip, benchmark.json
        output  verdict.json
score   input   manifest.json, benchmark.json, originals/, truth/, submission.zip, instruments.json
        output  report.json, progress.jsonl
"""

from __future__ import annotations

from pathlib import PurePath

from server.scoring.runner import Job, JobKind


def arguments(job: Job, *, input: PurePath, output: PurePath, socket: PurePath | None = None) -> list[str]:
    """What follows ``python -m scorer``. The paths are those under which the job sees its folders.

    ``socket``: the unix socket through which it reaches its judge; None where the job has no endpoint.
    """
    reached = [] if socket is None else ["--socket", str(socket)]
    match job.kind:
        case JobKind.GATE:
            return [
                "gate",
                *("--archive", str(input / "submission.zip")),
                *("--manifest", str(input / "benchmark.json")),
                *("--out", str(output / "verdict.json")),
                *("--threads", str(job.threads)),
            ]
        case JobKind.SCORE:
            return ["score", "--input", str(input), "--output", str(output), *reached]
