"""A small benchmark with the names and folders of the official data sets, and what a case of the corpus is."""

from __future__ import annotations

from typing import NamedTuple

from scorer.contract import BenchmarkManifest

WIDTH, HEIGHT = 24, 16
OTHER_SIZE = (32, 20)
_SUBSETS = {"gsi-real": ("fine",), "gsi-syn-tabletop": ("mesatask",), "gsi-syn-room": ("bathroom", "robothor")}
_SAMPLES = {
    "fine": ("036bce3393_frame_008270_edit_0", "036bce3393_frame_008270_edit_2"),
    "mesatask": ("office_table--0001_edit_1",),
    "bathroom": ("bathroom-3_edit_0",),
    "robothor": ("FloorPlan_Train1_1_edit_0", "FloorPlan_Train1_1_edit_1"),
}
SAMPLES = [name for names in _SAMPLES.values() for name in names]
DATASET = {name: dataset for dataset, names in _SAMPLES.items() for name in names}
SUBSET = {name: subset for subset, datasets in _SUBSETS.items() for dataset in datasets for name in _SAMPLES[dataset]}


class Case(NamedTuple):
    """One archive. ``codes``: of its defects, all that are errors; ``warnings``: the others, None for any."""

    name: str
    content: bytes
    codes: frozenset[str]
    warnings: frozenset[str] | None = None


def size_of(sample: str) -> tuple[int, int]:
    """Width and height of a sample; one of them has another size than the rest."""
    return OTHER_SIZE if sample == SAMPLES[-1] else (WIDTH, HEIGHT)


def _sample(name: str) -> dict[str, object]:
    scene = name.rpartition("_edit_")[0]
    width, height = size_of(name)
    return {
        "id": name,
        "subset": SUBSET[name],
        "scene": scene,
        "width": width,
        "height": height,
        "operation": "move",
        "instruction": "Move the cup 10 centimeters to the left",
        "target": "cup",
        "original": f"originals/{DATASET[name]}/{scene}.png",
        "camera": {"intrinsics": [[20, 0, 12], [0, 20, 8], [0, 0, 1]]},
    }


def manifest() -> BenchmarkManifest:
    """The public manifest."""
    return BenchmarkManifest.model_validate(
        {
            "schema": "gsi-benchmark/1",
            "benchmark": "corpus",
            "title": "Corpus",
            "protocol": "gsi-fair-1",
            "detector": "none",
            "judge": "none",
            "perceptual": "none",
            "subsets": [
                {"id": subset, "title": subset, "samples": sum(SUBSET[name] == subset for name in SAMPLES)}
                for subset in _SUBSETS
            ],
            "samples": [_sample(name) for name in SAMPLES],
        }
    )


def path_of(sample: str, suffix: str = ".png") -> str:
    """Where a sample's image lies in the layout of subsets."""
    return f"{SUBSET[sample]}/{sample}{suffix}"


def official_path_of(sample: str, suffix: str = ".png") -> str:
    """Where a sample's image lies in the official layout."""
    return f"generated_images_{DATASET[sample]}/{sample}{suffix}"
