"""A run as the worker makes it, its real jobs in a real sandbox: what each job is given, and what comes of it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image, PngImagePlugin
from psycopg_pool import ConnectionPool
from pydantic import SecretStr

from infra.prepare import BLOCKS_DATA
from server.benchmarks.service import Registered, register
from server.db.pool import transaction
from server.jobs import RecordingQueue
from server.scoring.runner import Beat, Job, JobKind, Outcome, Runner
from server.scoring.service import Scoring
from server.settings import Settings
from server.storage.local import LocalStorage
from server.submissions import store
from server.submissions.lifecycle import State
from tests import making
from tests.contract.conftest import Stage as StageOfJobs
from tests.unit.scorer.judges.misbehaving import GOOD, Stage, performing, says

SAMPLES = ("tabletop-01_edit_1", "tabletop-02_edit_0")
"""A rotation and a change of view, whose true view is kept beside the originals."""
KEY = "sk-of-the-judge"
CANARY = b"CANARY-of-the-participant"


@dataclass
class Given:
    """What one job was given: its files by name, and the rest of what it may see or reach."""

    kind: JobKind
    files: dict[str, bytes]
    environment: dict[str, str]
    read_only: tuple[Path, ...]
    endpoint: str | None

    @property
    def everything(self) -> bytes:
        return b"\n".join([*self.files.values(), repr((self.environment, self.read_only)).encode()])


@dataclass
class Noting:
    """The runner, and a note of every job that it is given. ``kept``: what no job but `originals` may change."""

    runner: Runner
    kept: Path
    given: list[Given] = field(default_factory=list)
    name: str = "noting"

    def run(self, job: Job, beat: Beat) -> Outcome:
        paths = [path for path in job.input_dir.rglob("*") if path.is_file()]
        files = {str(path.relative_to(job.input_dir)): path.read_bytes() for path in paths}
        self.given.append(Given(job.kind, files, dict(job.environment), job.read_only, job.endpoint))
        before = _contents(self.kept)
        outcome = self.runner.run(job, beat)
        assert _contents(self.kept) == before
        return outcome


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


@pytest.fixture
def judged(pool: ConnectionPool, storage: LocalStorage, tmp_path: Path) -> Registered:
    """Two samples of Blocks as a benchmark that a language judge judges."""
    public, hidden = tmp_path / "public.zip", tmp_path / "hidden.zip"
    with zipfile.ZipFile(BLOCKS_DATA / "blocks-public.zip") as whole, zipfile.ZipFile(public, "w") as part:
        manifest = json.loads(whole.read("benchmark.json"))
        samples = [one for one in manifest["samples"] if one["id"] in SAMPLES]
        subset = {"id": "blocks-tabletop", "title": "Two of Blocks", "samples": len(samples)}
        manifest |= {"judge": "language-judge-1", "samples": samples, "subsets": [subset]}
        part.writestr("benchmark.json", json.dumps(manifest))
        for sample in samples:
            part.writestr(sample["original"], whole.read(sample["original"]))
    with zipfile.ZipFile(BLOCKS_DATA / "blocks-hidden.zip") as whole, zipfile.ZipFile(hidden, "w") as part:
        truth = json.loads(whole.read("truth.json"))
        truth["samples"] = {name: truth["samples"][name] for name in SAMPLES}
        part.writestr("truth.json", json.dumps(truth))
        for sample in truth["samples"].values():
            part.writestr(sample["gt_image"], whole.read(sample["gt_image"]))
    with transaction(pool) as conn:
        return register(conn, storage, public_zip=public, hidden_zip=hidden)


def edits() -> dict[str, bytes]:
    """A participant's images, each with something beside its pixels."""
    found = {}
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", CANARY.decode())
    with zipfile.ZipFile(BLOCKS_DATA / "submissions" / "noisy.zip") as whole:
        for name in whole.namelist():
            if Path(name).stem in SAMPLES:
                stream = io.BytesIO()
                Image.open(io.BytesIO(whole.read(name))).save(stream, "PNG", pnginfo=text)
                found[str(Path(name).with_suffix(".png"))] = stream.getvalue()
    return found


def scored(scoring: Scoring, benchmark: Registered) -> UUID:
    """The only run of a submission once it has been scored."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in edits().items():
            archive.writestr(name, content)
    with transaction(scoring.pool) as conn:
        made = making.submission(conn, benchmark, state=State.UPLOADED)
        key = f"submissions/{made}/a.zip"
        store.set_archive(conn, made, key=key, stored=scoring.storage.put(key, [stream.getvalue()], max_bytes=2**24))
    scoring.validate(made)
    assert isinstance(scoring.queue, RecordingQueue)
    (run,) = scoring.queue.scored
    scoring.score(run)
    with transaction(scoring.pool) as conn:
        found = store.get(conn, made)
        why = conn.execute("select error_message from runs where id = %s", (run,)).fetchone()
    assert found is not None
    assert found.state is State.SCORED, why
    return run


def shapes(given: Given) -> set[str]:
    """The names of a job's files, hashes left out."""
    return {
        "/".join(f"HASH{Path(part).suffix}" if len(Path(part).stem) == 64 else part for part in Path(name).parts)
        for name in given.files
    }


MANIFESTS = {"manifest.json", "benchmark.json"}
ORIGINALS = {"originals/tabletop-01.webp", "originals/tabletop-02.webp"}
TRUTH = {"truth/truth.json", *(f"truth/gt/{name}.webp" for name in SAMPLES)}
SCENES = {*MANIFESTS, *ORIGINALS, *TRUTH, "instruments.json"}
FILES = {
    JobKind.GATE: {"benchmark.json", "submission.zip"},
    JobKind.ORIGINALS: SCENES,
    JobKind.MEASURE: {*SCENES, "submission.zip", "chunk-size.json", "kept/HASH.safetensors"},
    JobKind.JUDGE: {"settings.json", "journal.jsonl", "questions/questions.jsonl", "questions/images/HASH.png"},
    JobKind.AGGREGATE: {*MANIFESTS, "chunks/000000.json", "journal.jsonl", "judge.json"},
}
"""All that a job of each kind finds in its input, in the order in which a run needs them."""


def test_a_run_is_scored_by_jobs_of_which_each_is_given_what_its_step_needs_and_nothing_else(
    launch: StageOfJobs,
    scorer: Runner,
    settings: Settings,
    pool: ConnectionPool,
    storage: LocalStorage,
    judged: Registered,
    tmp_path: Path,
) -> None:
    if launch.adapter.name == "process":
        pytest.skip("no sandbox; tests/database goes the same way in processes")
    kept = tmp_path / "kept"
    runner = Noting(scorer, kept)
    with performing(then=says(GOOD)) as judge:
        chosen = with_instruments(settings, judge, tmp_path)
        tools = {"settings": chosen, "pool": pool, "storage": storage, "queue": RecordingQueue(), "owner": "w"}
        run = scored(Scoring(runner=runner, **tools), judged)
    given = {one.kind: one for one in runner.given}
    assert [one.kind for one in runner.given] == list(FILES)
    for kind, files in FILES.items():
        assert shapes(given[kind]) == files, kind
    lent = [name for name in given[JobKind.MEASURE].files if name.startswith("kept/")]
    assert {Path(name).name for name in lent} == {path.name for path in kept.glob("*.safetensors")}
    key_and_endpoint_are_the_judges_alone(runner.given, judge)
    truth_and_the_participants_bytes_are_kept_from(given[JobKind.JUDGE], truth=given[JobKind.MEASURE])
    the_judge_was_shown_two_pictures_each_time(judge)
    query = "select value from scores where run_id = %s and operation = 'rotate' and dimension = 'ac' and protocol = %s"
    with transaction(pool) as conn:
        assert conn.execute(query.encode(), (run, "gsi-fair-1")).fetchone() == (70.0,), "the judge said 7 of 10"
    assert not list(settings.work_dir.glob("job-*")), "nothing of a job stays"


def with_instruments(settings: Settings, judge: Stage, folder: Path) -> Settings:
    """Kept originals, and a judge at an endpoint that wants a key."""
    endpoint = {"adapter": "endpoint", "url": judge.url, "model": "tiny", "revision": "r1"}
    instruments = {"originals": {"folder": "kept"}, "judge": endpoint}
    (folder / "instruments.json").write_text(json.dumps(instruments))
    changes = {"instruments": folder / "instruments.json", "judge_api_key": SecretStr(KEY)}
    return settings.model_copy(update=changes)


def key_and_endpoint_are_the_judges_alone(given: list[Given], judge: Stage) -> None:
    for one in given:
        is_judge = one.kind is JobKind.JUDGE
        assert one.environment == ({"GSI_JUDGE_API_KEY": KEY} if is_judge else {})
        assert one.endpoint == (judge.url if is_judge else None)
        assert (judge.url.encode() in one.everything) is is_judge
        assert (KEY.encode() in one.everything) is is_judge
        assert all(path.name == "weights" for path in one.read_only)


def truth_and_the_participants_bytes_are_kept_from(asking: Given, *, truth: Given) -> None:
    boxes_of = json.loads(truth.files["truth/truth.json"])["samples"].values()
    boxes = {str(number) for one in boxes_of for box in one["objects"] for number in box["bbox_3d"]}
    told = asking.files["questions/questions.jsonl"].decode()
    assert len(boxes) > 10
    assert not [number for number in boxes if len(number) > 5 and number in told]
    for line in told.splitlines():
        assert set(json.loads(line)) == {"schema", "key", "original", "edited", "operation", "instruction", "target"}
    truths = {hashlib.sha256(content).digest() for name, content in truth.files.items() if name.startswith("truth/")}
    assert not truths & {hashlib.sha256(content).digest() for content in asking.files.values()}
    assert CANARY in b"".join(edits().values())
    assert CANARY not in asking.everything
    pixels = {Image.open(io.BytesIO(content)).convert("RGB").tobytes() for content in edits().values()}
    shown = {
        Image.open(io.BytesIO(content)).convert("RGB").tobytes()
        for name, content in asking.files.items()
        if name.endswith(".png")
    }
    assert pixels & shown, "the pixels are what the judge is to see"


def the_judge_was_shown_two_pictures_each_time(judge: Stage) -> None:
    assert judge.requests
    assert {headers["authorization"] for headers in judge.headers} == {f"Bearer {KEY}"}
    for request in judge.requests:
        assert json.dumps(request).count("data:image/png;base64,") == 2
        assert CANARY.decode() not in json.dumps(request)
