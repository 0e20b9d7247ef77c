"""Everything that crosses the scorer's border: manifests in, verdicts and reports out, exit codes.

Pydantic only, so that the server, the website and the command line can read it without torch. Every model refuses
unknown fields, every number is finite and bounded. JSON Schemas are committed in ``docs/schemas``.
"""

from __future__ import annotations

from collections import Counter
from enum import IntEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class ExitCode(IntEnum):
    """How a scorer process ended, in the manner of sysexits.h."""

    OK = 0
    USAGE = 64
    PARTICIPANT_DATA = 65
    """The submission cannot be scored; its owner can mend it."""
    DEFECT = 70
    """A fault of ours: the benchmark, the installation or the program. Trying again will not help."""
    TRY_AGAIN = 75
    """A passing fault such as a full disk; the same call may succeed later."""


Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_-])?$", max_length=120)]
RelativePath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$", max_length=300)
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Text = Annotated[str, StringConstraints(max_length=2000)]

Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e9, le=1e9)]
Percent = Annotated[float, Field(allow_inf_nan=False, ge=0, le=100)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Pixels = Annotated[int, Field(ge=1, le=16_384)]

Row3 = Annotated[list[Finite], Field(min_length=3, max_length=3)]
Matrix3 = Annotated[list[Row3], Field(min_length=3, max_length=3)]
Box3D = Annotated[list[Finite], Field(min_length=7, max_length=7)]
"""[x, y, z (centre, camera frame), w, h, l, yaw]; metres and radians."""

Operation = Literal["move", "rotate", "scale", "remove", "view", "place"]
Difficulty = Literal["easy", "medium", "hard"]
Stage = Literal["prepare", "measure", "judge", "aggregate"]
Severity = Literal["error", "warning"]
SampleStatus = Literal["scored", "missing", "unreadable", "aborted"]
"""``aborted``: the official evaluation would have stopped there (profile ``gsi-official-1``)."""
Kind = Literal["real", "synthetic"]
"""Where a subset's images come from: the locality gate of photographs asks for one of two conditions, not both."""


class Strict(BaseModel):
    """A value of the contract: frozen, and nothing in it that is not named."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True)


# --- what a participant may know -------------------------------------------------------------------------------------


class CameraData(Strict):
    """The public camera of one original: K in pixels, pitch in radians (positive looks down), height in metres.

    ``pitch`` and ``height`` are None where nobody measured them: photographs.
    """

    intrinsics: Matrix3
    pitch: Finite | None = None
    height: Finite | None = None


class Sample(Strict):
    """One original image with one instruction. ``original`` is a path beside the manifest."""

    id: Identifier
    subset: Identifier
    scene: Identifier
    operation: Operation
    difficulty: Difficulty | None = None
    instruction: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    target: Annotated[str, StringConstraints(max_length=200)]
    original: RelativePath
    width: Pixels
    height: Pixels
    camera: CameraData


class Subset(Strict):
    """A part of a benchmark with scores of its own; ``samples`` is how many it has."""

    id: Identifier
    title: Name
    samples: Annotated[int, Field(ge=1, le=100_000)]
    kind: Kind = "synthetic"


class BenchmarkManifest(Strict):
    """The public description of a benchmark (``benchmark.json``).

    ``protocol`` is the profile that ranks; ``beside`` are further profiles, computed in the same pass and shown on
    boards of their own. Raises ValidationError when sample ids repeat (whatever their case), a sample's subset is
    unknown, a protocol is named twice, or the counts of the subsets are not those of the samples.
    """

    schema_: Literal["gsi-benchmark/1"] = Field(alias="schema")
    benchmark: Identifier
    title: Name
    description: Text = ""
    license: Annotated[str, StringConstraints(max_length=200)] = ""
    protocol: Identifier
    beside: Annotated[list[Identifier], Field(max_length=8)] = []
    detector: Identifier
    judge: Identifier
    perceptual: Identifier
    subsets: Annotated[list[Subset], Field(min_length=1, max_length=100)]
    samples: Annotated[list[Sample], Field(min_length=1, max_length=100_000)]

    @model_validator(mode="after")
    def _is_consistent(self) -> BenchmarkManifest:
        repeated = [name for name, n in Counter(sample.id.casefold() for sample in self.samples).items() if n > 1]
        if repeated:
            raise ValueError(f"sample ids must differ, whatever their case: {repeated[:5]}")
        counted = Counter(sample.subset for sample in self.samples)
        declared = {subset.id: subset.samples for subset in self.subsets}
        if dict(counted) != declared or len(declared) != len(self.subsets):
            raise ValueError(f"the subsets {declared} do not agree with the samples {dict(counted)}")
        if len(set(self.protocols)) != len(self.protocols):
            raise ValueError(f"a protocol is named twice: {self.protocols}")
        return self

    @property
    def protocols(self) -> list[str]:
        """Every profile that a run computes, the ranking one first."""
        return [self.protocol, *self.beside]

    def of_subset(self, subset: str) -> list[Sample]:
        """The samples of one subset, in the manifest's order; empty for an unknown one."""
        return [sample for sample in self.samples if sample.subset == subset]


# --- what only the scorer may know -----------------------------------------------------------------------------------


class TruthObject(Strict):
    """One object of a scene, in the camera frame."""

    label: Name
    bbox_3d: Box3D
    rotation_matrix: Matrix3


class TruthSample(Strict):
    """The hidden part of one sample.

    ``new_bbox_3d`` and ``new_rotation_matrix`` are absent where the operation has none (remove, view).
    ``target_index`` points into ``objects`` (None for view). ``objects`` are those that are known: all of a rendered
    scene, the target alone of a photograph. ``new_objects`` lists them after the true edit in the (possibly new)
    camera frame, in the same order, for remove without the target. ``gt_image`` may be absent where nothing reads it:
    only view compares with it.
    """

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    target: Annotated[str, StringConstraints(max_length=200)]
    original_bbox_3d: Box3D | None = None
    rotation_matrix: Matrix3 | None = None
    camera_intrinsics: Matrix3
    new_bbox_3d: Box3D | None = None
    new_rotation_matrix: Matrix3 | None = None
    target_index: Count | None = None
    objects: Annotated[list[TruthObject], Field(max_length=1000)]
    new_objects: Annotated[list[TruthObject], Field(max_length=1000)]
    gt_image: RelativePath | None = None

    @model_validator(mode="after")
    def _index_is_inside(self) -> TruthSample:
        if self.target_index is not None and self.target_index >= len(self.objects):
            raise ValueError(f"target_index {self.target_index} is outside the {len(self.objects)} objects")
        return self


class Truth(Strict):
    """The ground truth of a benchmark or of one subset (``truth.json``)."""

    schema_: Literal["gsi-truth/1"] = Field(alias="schema")
    samples: dict[Identifier, TruthSample]


# --- the gate --------------------------------------------------------------------------------------------------------


class Defect(Strict):
    """One thing wrong with an archive, in words for its owner. ``code`` is stable."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
    severity: Severity
    file: Annotated[str, StringConstraints(max_length=400)] | None = None
    message: Text
    remedy: Text


class ImageFacts(Strict):
    """What the gate saw of one usable image; ``sha256`` is of the file as it lies in the archive."""

    member: Annotated[str, StringConstraints(max_length=1000)]
    format: Literal["PNG", "JPEG", "WEBP"]
    width: Pixels
    height: Pixels
    sha256: Sha256


class Verdict(Strict):
    """The gate's answer about one archive; accepted exactly if no defect is an error."""

    schema_: Literal["gsi-verdict/1"] = Field(default="gsi-verdict/1", alias="schema")
    accepted: bool
    defects: list[Defect]
    images: dict[Identifier, ImageFacts]
    archive_sha256: Sha256
    archive_bytes: Annotated[int, Field(ge=0)]
    bundle_version: Identifier


# --- the run ---------------------------------------------------------------------------------------------------------


class RunManifest(Strict):
    """One attempt to score one subset of one submission (``manifest.json`` of a run's input folder).

    ``benchmark_version`` names the benchmark's content (a hash or a label); ``threads`` bounds the computing threads.
    """

    schema_: Literal["gsi-run/1"] = Field(default="gsi-run/1", alias="schema")
    submission: Identifier
    benchmark: Identifier
    benchmark_version: Name
    subset: Identifier
    protocol: Identifier
    beside: Annotated[list[Identifier], Field(max_length=8)] = []
    detector: Identifier
    judge: Identifier
    perceptual: Identifier
    threads: Annotated[int, Field(ge=1, le=256)] = 1
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0

    @property
    def protocols(self) -> list[str]:
        """Every profile to compute, the ranking one first."""
        return [self.protocol, *self.beside]


class ProgressLine(Strict):
    """One line of ``progress.jsonl``."""

    stage: Stage
    done: Count
    total: Count


class Score(Strict):
    """Means over ``n`` samples, in 0..100. ``missing`` of them have no score of their own.

    They count as zero, but in profiles without the deviation ``count-missing``, which leave them out of the mean.
    """

    n: Annotated[int, Field(ge=1, le=1_000_000)]
    missing: Count
    ic: Percent
    sa: Percent
    ac: Percent
    el: Percent
    avg: Percent


class Scores(Strict):
    """The scores of one subset: over everything, and by operation and difficulty (only those that occur)."""

    overall: Score
    operations: dict[Operation, Score]
    difficulties: dict[Difficulty, Score]


Quantity = bool | Count | Finite | Text | list[Finite] | None
"""One value of an explanation."""


class SampleReport(Strict):
    """The scores of one sample and every quantity behind them; ``reason`` says in a sentence what decided.

    ``explanation`` is grouped: ``objects``, ``operation``, ``locality``, ``appearance``. It holds hidden data: for
    maintainers only.
    """

    id: Identifier
    operation: Operation
    difficulty: Difficulty | None
    status: SampleStatus
    reason: Text
    ic: Percent
    sa: Percent
    ac: Percent
    el: Percent
    avg: Percent
    explanation: dict[str, dict[str, Quantity]]


class Result(Strict):
    """What one profile makes of a run. ``deviations``: where it departs from the official evaluation, by name."""

    deviations: list[Name]
    scores: Scores
    missing: list[Identifier]
    samples: list[SampleReport]


class Report(Strict):
    """The result of one run under each profile of its manifest. Two runs on the same input differ in ``timings`` alone.

    ``versions``: everything that can change a number. ``weights``: sha256 of every file of weights that was loaded.
    ``timings``: seconds.
    """

    schema_: Literal["gsi-report/2"] = Field(default="gsi-report/2", alias="schema")
    manifest: RunManifest
    versions: dict[str, Name]
    weights: dict[str, Sha256]
    archive_sha256: Sha256
    results: dict[Identifier, Result]
    timings: dict[str, Finite]

    @model_validator(mode="after")
    def _has_every_result(self) -> Report:
        if set(self.results) != set(self.manifest.protocols):
            raise ValueError(f"results of {sorted(self.results)} where {self.manifest.protocols} were asked for")
        return self

    @property
    def ranked(self) -> Result:
        """The result under the profile that ranks."""
        return self.results[self.manifest.protocol]
