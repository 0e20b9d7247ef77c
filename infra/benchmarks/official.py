"""From official data set folders to a benchmark: every file and field is checked before anything is made of them.

What becomes public is the sample's name, the instruction, the name of the target (the instruction speaks of it, and a
team's own detector needs it), the camera matrix and the original. Every other number of an edit JSON (boxes, rotations,
goals) and the true edits are ground truth. Fields that the evaluation does not use go nowhere.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.benchmarks.editions import SUBSETS, Edition, subset_of
from infra.benchmarks.fields import MOST_BYTES, Edit, goal_field, read_edit
from infra.benchmarks.findings import Findings
from infra.benchmarks.naming import EditFiles, match
from infra.benchmarks.packing import Advance, Draft
from infra.benchmarks.pictures import require_usable, size_of
from scorer.contract import BenchmarkManifest, CameraData, Sample, Truth, TruthObject, TruthSample
from scorer.inputs import Task, complaint
from scorer.official.imaging import Frame


@dataclass
class _Reading:
    """What has been read so far; ``described``: how many samples the files of each subset speak of, sound or not."""

    found: Findings
    advance: Advance
    described: dict[str, int] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    truth: dict[str, TruthSample] = field(default_factory=dict)
    public: dict[str, Path] = field(default_factory=dict)
    hidden: dict[str, Path] = field(default_factory=dict)


def count_files(folders: Mapping[str, Path]) -> int:
    """About how many steps reading takes: one for every file."""
    return sum(len(os.listdir(folder)) for folder in folders.values())


def read_official(
    folders: Mapping[str, Path], edition: Edition, *, found: Findings, advance: Advance = lambda: None
) -> Draft:
    """The benchmark that data set folders make, by name of the data set (``fine``, ``mesatask`` …).

    Raises RefusedError once everything was looked at; what only needs to be known stays in ``found``.
    """
    reading = _Reading(found, advance)
    for dataset, folder in folders.items():
        for scene in _scenes(dataset, folder, reading):
            _read_scene(dataset, folder, scene, reading)
    _require_different(reading)
    edition.check_counts(reading.described, found)
    found.require_none()
    manifest = BenchmarkManifest(
        schema="gsi-benchmark/1",
        **edition.words(),
        subsets=edition.subsets(reading.described),
        samples=_sorted(reading.samples),
    )
    truth = Truth(schema="gsi-truth/1", samples={one.id: reading.truth[one.id] for one in manifest.samples})
    return Draft(manifest, truth, reading.public, reading.hidden)


def _scenes(dataset: str, folder: Path, reading: _Reading) -> list[list[EditFiles]]:
    """The samples of a folder, those of one original together."""
    names = []
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.is_file():
            names.append(entry.name)
        else:
            wrong = "is no file; only the top level of a data set folder is read"
            reading.found.warning(f"{folder.name}/{entry.name}", wrong, "Move files of the data set up, if it has any.")
    scenes: dict[str, list[EditFiles]] = defaultdict(list)
    for files in match(names, folder=folder.name, found=reading.found):
        scenes[files.original].append(files)
        subset = subset_of(dataset).id
        reading.described[subset] = reading.described.get(subset, 0) + 1
    if not scenes:
        wrong = f"holds no sample of the data set {dataset}"
        reading.found.error(folder.name, wrong, "Name the folder that holds <img_id>_edit_<query_id>.json files.")
    return list(scenes.values())


def _read_scene(dataset: str, folder: Path, files: list[EditFiles], reading: _Reading) -> None:
    """One original with all its edits."""
    name = files[0].original
    file = f"{folder.name}/{name}"
    content = (folder / name).read_bytes()
    size = size_of(content, file=file, found=reading.found)
    reading.advance()
    looked_at = False
    for one in files:
        description = f"{folder.name}/{one.description}"
        with (folder / one.description).open("rb") as opened:
            edit = read_edit(opened.read(MOST_BYTES + 1), file=description, found=reading.found)
        reading.advance()
        if edit is None or size is None:
            continue
        original = f"originals/{dataset}/{one.scene}{Path(name).suffix}"
        sample = Sample(
            id=one.id,
            subset=subset_of(dataset).id,
            scene=one.scene,
            operation=edit.operation,  # type: ignore[arg-type]  # read_edit knows no other
            instruction=edit.prompt,
            target=edit.target,
            original=original,
            width=size.width,
            height=size.height,
            camera=CameraData(intrinsics=Frame.of(size.height, size.width).intrinsics(edit.intrinsics)),
        )
        if not looked_at:
            require_usable(content, file=file, sample=sample, found=reading.found)
            looked_at = True
        reading.public[original] = folder / name
        _keep(sample, edit, _true_edit(dataset, folder, one, sample, reading), description, reading)


def _true_edit(dataset: str, folder: Path, files: EditFiles, sample: Sample, reading: _Reading) -> str | None:
    """The name of the true edit in the hidden archive; None where the data set has none."""
    if files.true_edit is None:
        if sample.operation == "view":
            wrong = "is a change of view without its true edit"
            remedy = f"Add {files.scene}_gtedit_{files.id.rpartition('_')[2]}.png."
            reading.found.error(f"{folder.name}/{files.description}", wrong, remedy)
        return None
    picture = folder / files.true_edit
    require_usable(picture.read_bytes(), file=f"{folder.name}/{files.true_edit}", sample=sample, found=reading.found)
    reading.advance()
    inside = f"gt/{dataset}/{sample.id}{picture.suffix}"
    reading.hidden[inside] = picture
    return inside


def _keep(sample: Sample, edit: Edit, true_edit: str | None, file: str, reading: _Reading) -> None:
    """Take a sample in, if it can be scored with its truth."""
    truth = _truth(edit, true_edit)
    reading.samples.append(sample)
    if sample.id not in reading.truth:  # the same id in two folders is told of later
        reading.truth[sample.id] = truth
    if edit.operation == "view":
        return  # without its true edit it was told of already
    wrong = complaint(Task(sample, truth))
    if wrong is not None:
        remedy = "Correct the goal: the instruction would ask for nothing."
        reading.found.error(file, wrong, remedy, field=goal_field(edit.operation))


def _truth(edit: Edit, true_edit: str | None) -> TruthSample:
    """The hidden part: the target is the only object that an edit JSON knows."""
    before = _objects(edit, box=edit.box, rotation=edit.rotation)
    known = edit.operation not in {"remove", "view"}
    after = _objects(edit, box=edit.new_box or edit.box, rotation=edit.new_rotation or edit.rotation) if known else []
    return TruthSample(
        prompt=edit.prompt,
        target=edit.target,
        original_bbox_3d=edit.box,
        rotation_matrix=edit.rotation,
        camera_intrinsics=edit.intrinsics,
        new_bbox_3d=edit.new_box if known else None,
        new_rotation_matrix=edit.new_rotation if known else None,
        target_index=0 if before else None,
        objects=before,
        new_objects=after,
        gt_image=true_edit,
    )


def _objects(edit: Edit, *, box: list[float] | None, rotation: list[list[float]] | None) -> list[TruthObject]:
    if box is None or rotation is None:
        return []
    return [TruthObject(label=edit.target, bbox_3d=box, rotation_matrix=rotation)]


def _require_different(reading: _Reading) -> None:
    """Ids must differ over all folders, whatever their case: pictures are named after them."""
    seen: dict[str, Sample] = {}
    for sample in reading.samples:
        other = seen.setdefault(sample.id.casefold(), sample)
        here, there = (one.original.split("/")[1] for one in (sample, other))
        if here != there:  # within one folder it was told of by file name
            wrong = f"has the id of a sample of the data set {there}, whatever the case"
            reading.found.error(f"{here}: {sample.id}", wrong, "Rename one of them, with its pictures.")


def _sorted(samples: list[Sample]) -> list[Sample]:
    """Subset by subset; within one as they were read, so that samples of one scene follow each other."""
    order = [subset.id for subset in SUBSETS]
    return sorted(samples, key=lambda one: order.index(one.subset))
