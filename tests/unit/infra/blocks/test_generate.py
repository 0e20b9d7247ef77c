from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from infra.blocks.generate import EDITORS, pack
from scorer.bundle import check
from scorer.contract import BenchmarkManifest

CALL = (
    "import sys; sys.modules['mitsuba'] = None\n"  # as if it were not installed
    "from infra.blocks.cli import app; app(['generate', '--out', sys.argv[1]])"
)


@pytest.fixture(scope="module")
def scene_plan(plan):
    return plan[4:8]


@pytest.fixture(scope="module")
def images(scene_plan):
    """Flat pictures, every name in a grey of its own."""
    names = [f"original/{scene_plan[0].scene.name}"]
    names += [f"{maker}/{s.id}" for s in scene_plan for maker in ("truth", "perfect", "noisy", "wrong-object")]
    return {name: np.full((384, 512, 3), 40 + 9 * i, dtype=np.uint8) for i, name in enumerate(names)}


@pytest.fixture(scope="module")
def packed(tmp_path_factory, scene_plan, images):
    out = tmp_path_factory.mktemp("packed")
    pack(scene_plan, images, out, seed=1)
    return out


def grey(archive, name):
    with zipfile.ZipFile(archive) as opened, Image.open(io.BytesIO(opened.read(name))) as image:
        return np.asarray(image).astype(float).mean()


def test_every_picture_lands_in_its_place(packed, scene_plan, images):
    sample = scene_plan[1]
    member = f"blocks-tabletop/{sample.id}.webp"
    original = images[f"original/{sample.scene.name}"].mean()
    assert grey(packed / "blocks-public.zip", f"originals/{sample.scene.name}.webp") == pytest.approx(original, abs=2)
    truth = images[f"truth/{sample.id}"].mean()
    assert grey(packed / "blocks-hidden.zip", f"gt/{sample.id}.webp") == pytest.approx(truth, abs=2)
    for editor in EDITORS:
        expected = original if editor == "nothing" else images[f"{editor}/{sample.id}"].mean()
        assert grey(packed / "submissions" / f"{editor}.zip", member) == pytest.approx(expected, abs=2), editor


def test_the_same_pictures_give_the_same_bytes(packed, scene_plan, images, tmp_path):
    pack(scene_plan, images, tmp_path, seed=1)
    for path in sorted(packed.rglob("*.zip")):
        assert path.read_bytes() == (tmp_path / path.relative_to(packed)).read_bytes(), path.name


def test_the_gate_accepts_every_packed_submission(packed):
    with zipfile.ZipFile(packed / "blocks-public.zip") as public:
        manifest = BenchmarkManifest.model_validate_json(public.read("benchmark.json"))
    for editor in EDITORS:
        verdict = check(archive=packed / "submissions" / f"{editor}.zip", manifest=manifest)
        assert verdict.accepted, verdict.defects
        assert len(verdict.images) == len(manifest.samples)


def test_the_noisy_editor_alone_leaves_grain(packed, scene_plan):
    def grain(editor):
        member = f"blocks-tabletop/{scene_plan[0].id}.webp"
        with (
            zipfile.ZipFile(packed / "submissions" / f"{editor}.zip") as opened,
            Image.open(io.BytesIO(opened.read(member))) as image,
        ):
            return np.asarray(image.convert("L")).astype(float).std()

    assert grain("noisy") > 0.2
    assert grain("perfect") < 0.01


def test_without_the_renderer_the_command_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CALL, str(tmp_path / "out")], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 69
    assert "extra `blocks`" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_public_manifest_names_the_pictures_that_lie_beside_it(packed):
    with zipfile.ZipFile(packed / "blocks-public.zip") as public:
        manifest = json.loads(public.read("benchmark.json"))
        assert {sample["original"] for sample in manifest["samples"]} < set(public.namelist())
