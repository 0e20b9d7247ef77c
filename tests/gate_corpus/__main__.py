"""``python -m tests.gate_corpus OUT [SEED]``: every archive as a file, the manifest, and what each must get."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.gate_corpus.benchmark import manifest
from tests.gate_corpus.corpus import hostile_cases, valid_cases


def main(out: Path, seed: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "benchmark.json").write_text(manifest().model_dump_json(indent=1))
    expected = {}
    for folder, cases in (("hostile", hostile_cases(seed)), ("valid", valid_cases(seed))):
        (out / folder).mkdir(exist_ok=True)
        for one in cases:
            (out / folder / f"{one.name}.zip").write_bytes(one.content)
            expected[f"{folder}/{one.name}.zip"] = {
                "codes": sorted(one.codes),
                "warnings": None if one.warnings is None else sorted(one.warnings),
            }
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
