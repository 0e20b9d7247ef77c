from __future__ import annotations

import numpy as np
import pytest
import torch

from scorer.contract import CameraData
from scorer.detectors.grounded import GroundedDetector
from scorer.detectors.installed import FOLDER, DetectorSettings
from scorer.detectors.port import Detector, Learned
from scorer.errors import BenchmarkError, ScorerError
from scorer.measures.msssim import MsSsim
from scorer.official.imaging import Frame
from scorer.originals import Originals, Picture
from tests.unit.scorer.detectors.installing import ACCEPTED, Counted

IN_FRAME = [[800.0, 0.0, 448.0], [0.0, 810.0, 300.0], [0.0, 0.0, 1.0]]


def picture(*, seed: int = 0, size: tuple[int, int] = (60, 90)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def camera(size: tuple[int, int] = (60, 90), matrix=IN_FRAME) -> CameraData:
    return CameraData(intrinsics=Frame.of(*size).intrinsics(matrix))


@pytest.fixture(scope="module")
def counted(installed):
    return Counted(installed)


@pytest.fixture(scope="module")
def detections(counted):
    return counted.detector.detect(image=picture(), target="Red cup", camera=camera())


def test_it_is_a_learned_detector(counted):
    detector: Detector = counted.detector
    assert isinstance(detector, Learned)
    assert detector.name == "grounding-dino-detany3d"
    assert not detector.sees_everything


def test_every_rectangle_becomes_a_box_in_the_order_of_the_queries(counted, detections):
    first, second = counted.detector.networks
    found = first.find(picture(), "Red cup")
    boxes = second.decode(second.encode(picture()), found.boxes.numpy(), np.array(IN_FRAME))
    assert len(detections) == len(found.boxes) > 1
    frame = Frame.of(60, 90)
    for i, one in enumerate(detections):
        assert one.label == "Red cup"
        assert one.score == float(found.scores[i])
        np.testing.assert_allclose(one.bbox_3d, boxes.bbox_3d[i], rtol=1e-5)
        np.testing.assert_allclose(frame.to_frame(one.bbox_2d), boxes.bbox_2d[i], atol=1e-3)
        np.testing.assert_array_equal(one.rotation_matrix, boxes.rotation[i].astype(np.float64))


def test_rectangles_are_in_the_images_own_pixels_though_the_network_works_in_the_frame(detections):
    frame = Frame.of(60, 90)
    assert frame.start[0] == 4  # the frame is cut: scaling alone would not do
    back = np.array([frame.to_frame(one.bbox_2d) for one in detections])
    own = np.array([one.bbox_2d for one in detections])
    np.testing.assert_allclose(back[:, 0], own[:, 0] * 896 / 90)
    np.testing.assert_allclose(back[:, 1], own[:, 1] * 597 / 60 - 4)


def test_the_camera_reaches_the_network_as_the_edit_json_holds_it(counted, detections):
    """Centres lie in the frame, and so does the matrix that places them: projecting back with it finds them again."""
    doubled = [[1600.0, 0.0, 448.0], [0.0, 1620.0, 300.0], [0.0, 0.0, 1.0]]
    others = counted.detector.detect(image=picture(), target="Red cup", camera=camera(matrix=doubled))
    for one, other in zip(detections, others, strict=True):
        pixel, pixel_too = (
            np.array(matrix) @ found.bbox_3d[:3] / found.bbox_3d[2]
            for matrix, found in ((IN_FRAME, one), (doubled, other))
        )
        np.testing.assert_allclose(pixel, pixel_too, rtol=1e-4, atol=1e-2)
        assert other.bbox_3d[2] == pytest.approx(2 * one.bbox_3d[2], rel=1e-5)  # depth follows the focal lengths


def test_an_image_is_encoded_once_for_all_names_and_cameras(counted):
    before = counted.encoded
    for target, focal in (("red cup", 500.0), ("blue chair", 900.0)):
        matrix = [[focal, 0.0, 448.0], [0.0, focal, 300.0], [0.0, 0.0, 1.0]]
        assert counted.detector.detect(image=picture(seed=7), target=target, camera=camera(matrix=matrix))
    assert counted.encoded == before + 1


@pytest.mark.parametrize("target", ["", "  ", "*"])
def test_without_a_name_nothing_is_looked_for(counted, target):
    before = counted.found
    assert counted.detector.detect(image=picture(), target=target, camera=camera()) == []
    assert counted.found == before


def test_an_image_too_thin_for_the_network_has_no_objects(counted):
    before = counted.found
    thin = picture(size=(1, 90))
    assert counted.detector.detect(image=thin, target="cup", camera=camera((1, 90))) == []
    assert counted.found == before


def test_an_array_that_is_no_image_is_refused(counted):
    with pytest.raises(ValueError, match="uint8"):
        counted.detector.detect(image=picture().astype(np.float32), target="cup", camera=camera())


def test_a_camera_without_an_inverse_is_the_benchmarks_fault(counted):
    flat = CameraData(intrinsics=[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    with pytest.raises(BenchmarkError, match="camera"):
        counted.detector.detect(image=picture(), target="cup", camera=flat)


def test_what_was_seen_in_an_original_is_kept_with_the_very_same_numbers(counted, installed, tmp_path):
    kept = picture(seed=1)

    def look(detector, *, target: str = "red cup", matrix=IN_FRAME):
        originals = Originals(network=MsSsim(), folder=tmp_path / "kept")
        return originals.detections(
            Picture.of_pixels(kept), detector=detector, target=target, camera=camera(matrix=matrix)
        )

    first = look(counted.detector)
    later = Counted(installed)
    again = look(later.detector)
    assert (later.found, later.encoded) == (0, 0)
    assert first
    for one, other in zip(first, again, strict=True):
        assert (one.label, one.score) == (other.label, other.score)
        for part in ("bbox_3d", "bbox_2d", "rotation_matrix"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
    look(later.detector, target="blue cup")  # another name, and another camera, are asked for anew
    look(later.detector, matrix=[[700.0, 0.0, 448.0], [0.0, 700.0, 300.0], [0.0, 0.0, 1.0]])
    assert (later.found, later.encoded) == (2, 1)


def test_other_weights_or_another_mode_find_nothing_kept(installed, tmp_path):
    from scorer.kept_detections import key_of

    def key(**changes: object) -> str:
        detector = GroundedDetector.of(ACCEPTED.model_copy(update=changes), folder=installed)
        return key_of("0" * 64, detector=detector, target="cup", camera=camera())

    assert key() == key()
    assert key(mode="fast") != key()
    other = GroundedDetector.of(ACCEPTED, folder=installed)
    other._files.sha256["detany3d"] = "1" * 64
    assert key_of("0" * 64, detector=other, target="cup", camera=camera()) != key()


def test_an_answer_of_nothing_is_kept_too(tmp_path):
    from scorer.kept_detections import packed, unpacked

    assert unpacked(packed([]), target="cup") == []


def test_reports_are_told_of_both_networks_files_and_of_how_they_ran(counted):
    weights = counted.detector.weights
    assert set(weights) >= {"detany3d", "grounding-dino/model.safetensors", "grounding-dino/vocab.txt"}
    told = counted.detector.provenance()
    assert told["detector_mode"] == "parity"
    assert told["detector_network"] == "narrow"
    assert told["detector_device"].startswith("cpu")
    assert told["detector_tf32"] == "off"


def test_the_mode_of_the_settings_is_the_one_that_computes_and_is_recorded(installed, detections):
    fast = GroundedDetector.of(ACCEPTED.model_copy(update={"mode": "fast"}), folder=installed)
    found = fast.detect(image=picture(), target="Red cup", camera=camera())
    # On a processor GroundingDINO has one mode.
    assert [one.score for one in found] == [one.score for one in detections]
    difference = np.abs([one.bbox_2d - other.bbox_2d for one, other in zip(found, detections, strict=True)]).max()
    assert 1e-4 < difference < 20
    assert fast.provenance()["detector_mode"] == "fast"
    assert fast.provenance()["detector_autocast"] == "bfloat16"
    assert fast.provenance()["detector_tf32"] == "off"  # a processor has none


def test_nothing_runs_before_the_terms_are_accepted(installed):
    with pytest.raises(ScorerError, match=r"NON-COMMERCIAL.*accept_noncommercial_weights.*file of instruments"):
        GroundedDetector.of(DetectorSettings(), folder=installed)


def test_everything_that_is_missing_is_told_at_once_with_where_to_get_it(tmp_path):
    with pytest.raises(ScorerError) as told:
        GroundedDetector.of(DetectorSettings(), folder=tmp_path)
    for word in (
        "accept_noncommercial_weights",
        "model.safetensors",
        str(tmp_path / FOLDER),
        "IDEA-Research/grounding-dino-base",
        "detany3d.pth",
        "github.com/OpenDriveLab/DetAny3D",
        "convert-weights",
    ):
        assert word in str(told.value), word


def test_a_folder_of_the_settings_comes_before_the_one_among_the_weights(installed, tmp_path):
    chosen = ACCEPTED.model_copy(update={"grounding_dino": str(tmp_path / "elsewhere")})
    with pytest.raises(ScorerError, match="elsewhere"):
        GroundedDetector.of(chosen, folder=installed)


def test_a_device_that_is_full_is_out_of_memory_and_no_defect(installed):
    detector = Counted(installed).detector

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    detector.networks[1].sam.image_encoder.register_forward_pre_hook(full)
    with pytest.raises(MemoryError, match="cpu is full"):
        detector.detect(image=picture(), target="cup", camera=camera())


def test_a_device_that_is_not_there_is_said(installed):
    absent = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ScorerError, match=rf"detector\.device is {absent}"):
        GroundedDetector.of(ACCEPTED.model_copy(update={"device": absent}), folder=installed)
