from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from scorer.judges.cases import Case, png, sha256_of_pixels
from tests.unit.scorer.judges import asking


def test_the_content_is_the_pixels_and_the_words_but_not_the_key():
    known = asking.case("one")
    assert known.content == asking.case("other").content
    assert known.content != asking.case("one", seed=2).content
    assert known.content != asking.case("one", instruction=None).content


def test_pictures_of_the_same_bytes_but_another_shape_differ():
    image = asking.picture(height=24, width=32)
    assert sha256_of_pixels(image) != sha256_of_pixels(image.reshape(32, 24, 3))


def test_a_question_becomes_a_case_without_boxes():
    known = asking.case()
    made = Case.of(asking.question(known))
    assert (made.content, made.target, made.instruction) == (known.content, "red block", known.instruction)


def test_a_picture_sent_holds_the_pixels_and_nothing_else():
    image = asking.picture()
    sent = png(image)
    with Image.open(io.BytesIO(sent)) as opened:
        assert np.array_equal(np.asarray(opened), image)
        assert opened.info == {}


@pytest.mark.parametrize(
    "edited", [np.zeros((24, 31, 3), np.uint8), np.zeros((24, 32, 4), np.uint8), np.zeros((24, 32, 3))]
)
def test_pictures_that_cannot_be_compared_are_refused(edited):
    with pytest.raises(ValueError, match="question one"):
        Case(key="one", original=asking.picture(), edited=edited, operation="move", instruction=None, target=None)
