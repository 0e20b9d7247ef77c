"""Reports of runs, as the scorer writes them, with quantities that only maintainers may read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import Connection

from scorer.contract import Report
from server.storage.port import Storage
from server.submissions import store

CANARY = "CANARY-of-the-report"
"""Stands in every explanation; whoever may not read reports never meets it."""
FAIR, OFFICIAL = "gsi-fair-1", "gsi-official-1"


def report(subset: str) -> dict[str, Any]:
    """A report on ``subset`` with three samples, of which the second is suspicious under the ranking protocol alone."""
    names = [f"{subset}-0{number}_edit_1" for number in range(3)]
    manifest = {
        "submission": "s",
        "benchmark": "blocks",
        "benchmark_version": "v",
        "subset": subset,
        "protocol": FAIR,
        "beside": [OFFICIAL],
        "detector": "blocks-detector-1",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
    }
    told = {
        "schema": "gsi-report/2",
        "manifest": manifest,
        "versions": {"code": "test"},
        "weights": {},
        "archive_sha256": "0" * 64,
        "results": {FAIR: _result(names, suspicious=names[1]), OFFICIAL: _result(names, suspicious="")},
        "timings": {"total": 0.1},
    }
    return Report.model_validate(told).model_dump(mode="json", by_alias=True)


def _result(names: list[str], *, suspicious: str) -> dict[str, Any]:
    score = {"ic": 100.0, "sa": 81.25, "ac": 60.0, "el": 40.0, "avg": 70.3125}
    whole = {**score, "n": len(names), "missing": 0}
    return {
        "deviations": [],
        "scores": {"overall": whole, "operations": {"move": whole}, "difficulties": {"easy": whole}},
        "missing": [],
        "samples": [
            {
                "id": name,
                "operation": "move",
                "difficulty": "easy",
                "status": "scored",
                "reason": "The target stands [12 mm] from its goal.",
                "explanation": {
                    "operation": {"distance": 0.0123456789012, "goal": [0.1, -0.2, 1.5], "note": CANARY},
                    "appearance": {"score": 6.0, "reason": "same\u001b[31m block", "suspicious": name == suspicious},
                },
                **score,
            }
            for name in names
        ],
    }


def keep_reports(conn: Connection, storage: Storage, submission: UUID) -> None:
    """Put a report into the storage for every subset of ``submission`` that was scored."""
    for one in store.reports(conn, submission):
        content = Report.model_validate(report(one.subset)).model_dump_json(by_alias=True).encode()
        storage.put(one.report_key, [content], max_bytes=len(content))
