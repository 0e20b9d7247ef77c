from __future__ import annotations

import json
import os

import pytest
import torch

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.detectors.detany3d import config
from scorer.detectors.detany3d.weights import NAME, Overlays, convert, load, locate, network_of, wanted
from scorer.errors import ScorerError
from tests.unit.scorer.detectors.installing import checkpoint, narrow

ROTATION = "sam.mask_decoder.bbox_3d_rotation_matrix_heads.2.layers.2.bias"


@pytest.fixture(scope="module")
def network():
    return narrow()


def test_the_published_network_wants_every_array_on_the_way_to_boxes():
    shapes = wanted(config.full())
    assert len(shapes) == 1568
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == pytest.approx(1_054.98e6, abs=5e3)


def test_a_checkpoint_is_kept_under_its_hash_and_read_back_array_for_array(network, tmp_path):
    file = checkpoint(tmp_path / "detany3d.pth", network=network)
    kept = convert(file, folder=tmp_path / "weights", network="narrow")
    assert kept == locate(tmp_path / "weights")
    assert kept.path.name == f"{kept.sha256}.safetensors"
    assert network_of(kept.path) == "narrow"
    read = load(kept.path).state_dict()
    assert read.keys() == network.state_dict().keys()  # what else the checkpoint held is left out
    assert all(torch.equal(read[key], value) for key, value in network.state_dict().items())
    index = json.loads((tmp_path / "weights" / "weights.json").read_text())
    assert index[NAME]["downloads"].keys() == {"detany3d.pth"}
    assert convert(file, folder=tmp_path / "weights", network="narrow") == kept  # again: the same file
    assert {path.suffix for path in (tmp_path / "weights").iterdir()} == {".safetensors", ".json"}


def test_arrays_at_the_top_of_a_file_and_in_half_precision_are_read_too(network, tmp_path):
    torch.save({key: value.half() for key, value in network.state_dict().items()}, tmp_path / "plain.pth")
    read = load(convert(tmp_path / "plain.pth", folder=tmp_path, network="narrow").path).state_dict()
    assert read[ROTATION].dtype == torch.float32
    assert torch.equal(read[ROTATION], network.state_dict()[ROTATION].half().float())


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({ROTATION: None}, rf"1 of 966 arrays are missing \({ROTATION}\)\. Either get detany3d\.pth"),
        ({ROTATION: torch.zeros(7)}, rf"another shape \({ROTATION} is \(7,\), not \(6,\)\)"),
        ({ROTATION: torch.full((6,), torch.nan)}, rf"not finite numbers \({ROTATION}\)"),
        ({ROTATION: torch.zeros(6, dtype=torch.int64)}, "not finite numbers"),
        ({ROTATION: [0.0] * 6}, "missing"),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_told_by_name_and_nothing_is_kept(network, tmp_path, changes, told):
    file = checkpoint(tmp_path / "detany3d.pth", network=network, **changes)
    with pytest.raises(ScorerError, match=rf"detany3d\.pth is no whole checkpoint of DetAny3D: .*{told}"):
        convert(file, folder=tmp_path / "weights", network="narrow")
    assert not (tmp_path / "weights").exists()


def test_everything_that_is_wrong_is_told_at_once(network, tmp_path):
    gone = {key: None for key in network.state_dict() if "box_3d_rotation" in key}
    file = checkpoint(tmp_path / "x.pth", network=network, **gone, **{"sam.image_encoder.pos_embed": torch.zeros(2)})
    with pytest.raises(
        ScorerError, match=r"18 of 966 arrays are missing \(.* and 13 more\); 1 of 966 arrays are of an"
    ):
        convert(file, folder=tmp_path, network="narrow")


def test_names_that_begin_otherwise_are_said_to(network, tmp_path):
    torch.save({f"module.{key}": value for key, value in network.state_dict().items()}, tmp_path / "x.pth")
    with pytest.raises(ScorerError, match=r"begin with `sam\.`, here the first is `module\.sam"):
        convert(tmp_path / "x.pth", folder=tmp_path, network="narrow")


class _Evil:
    def __reduce__(self):
        return os.system, ("exit 1",)


def test_a_file_that_would_run_something_is_refused(tmp_path):
    torch.save({"state_dict": _Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ScorerError, match=r"evil\.pth is damaged, or no file of weights alone"):
        convert(tmp_path / "evil.pth", folder=tmp_path, network="narrow")


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 half a file"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "half.pth").write_bytes(content)
    with pytest.raises(ScorerError, match=r"half\.pth is damaged"):
        convert(tmp_path / "half.pth", folder=tmp_path, network="narrow")


def test_a_checkpoint_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ScorerError, match=r"there is no file .*absent\.pth"):
        convert(tmp_path / "absent.pth", folder=tmp_path)


def test_overlays_fill_in_what_a_checkpoint_lacks_and_only_that(network, tmp_path):
    arrays = network.state_dict()
    dino = {key: value for key, value in arrays.items() if key.startswith("sam.image_encoder.dino.")}
    decoder = {key: value for key, value in arrays.items() if ".transformer." in key or ".transformer2." in key}
    kept_by_checkpoint = "sam.mask_decoder.transformer.layers.0.norm1.bias"
    lacking = {key: None for key in (*dino, *decoder) if key != kept_by_checkpoint}
    file = checkpoint(tmp_path / "x.pth", network=network, **lacking)
    torch.save({key.removeprefix("sam.image_encoder.dino."): value for key, value in dino.items()}, tmp_path / "d.pth")
    sam = {key.removeprefix("sam."): value + 1 for key, value in decoder.items() if ".transformer." in key}
    torch.save(sam, tmp_path / "s.pth")
    with pytest.raises(ScorerError, match=r"--sam sam_vit_h_4b8939\.pth and --dinov2"):
        convert(file, folder=tmp_path, network="narrow")
    overlays = Overlays(sam=tmp_path / "s.pth", dinov2=tmp_path / "d.pth")
    read = load(convert(file, folder=tmp_path, network="narrow", overlays=overlays).path).state_dict()
    assert all(torch.equal(read[key], value) for key, value in dino.items())
    one = "sam.mask_decoder.transformer.layers.0.norm2.bias"
    assert torch.equal(read[one], arrays[one] + 1)
    assert torch.equal(read[one.replace("transformer", "transformer2")], arrays[one] + 1)  # begins as a copy of SAM's
    assert torch.equal(read[kept_by_checkpoint], arrays[kept_by_checkpoint])
    made_from = json.loads((tmp_path / "weights.json").read_text())[NAME]["downloads"]
    assert made_from.keys() == {"x.pth", "s.pth", "d.pth"}


def test_a_kept_file_of_another_network_is_refused(network, tmp_path):
    import safetensors.torch

    from scorer import weights

    safetensors.torch.save_file({"a": torch.zeros(1)}, tmp_path / "x", metadata={"network": "narrow"})
    weights.keep(NAME, tmp_path / "x", made_from={}, folder=tmp_path)
    with pytest.raises(ScorerError, match="made by another version of the scorer"):
        locate(tmp_path)
    (tmp_path / "y").write_bytes(b"no safetensors")
    weights.keep(NAME, tmp_path / "y", made_from={}, folder=tmp_path)
    with pytest.raises(ScorerError, match="made by another version of the scorer"):
        locate(tmp_path)


def test_the_command_converts_says_the_terms_and_notes_a_file_that_nobody_knows(network, tmp_path, capsys):
    file = checkpoint(tmp_path / "mine.pth", network=network)
    assert main(["convert-weights", str(file), "--to", str(tmp_path / "w"), "--network", "narrow"]) == ExitCode.OK
    told = capsys.readouterr().err
    assert locate(tmp_path / "w").sha256 in told
    assert "NON-COMMERCIAL" in told
    assert main(["convert-weights", str(file), "--to", str(tmp_path / "full")]) == ExitCode.DEFECT
    assert "of 1568 arrays are missing" in capsys.readouterr().err


def test_fetching_it_says_how_it_is_had(tmp_path, capsys):
    assert main(["fetch-weights", "detany3d", "--to", str(tmp_path)]) == ExitCode.DEFECT
    assert "docs/detector.md" in capsys.readouterr().err
