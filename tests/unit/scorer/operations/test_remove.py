from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from scorer.operations import remove
from tests.unit.scorer.operations.scenes import Block, change_of, layouts

RED = Block("red block", 0.0, 0.9, 0.4, (0.06, 0.05, 0.1))
TWIN = replace(RED, x=0.3)
BLUE = Block("blue block", -0.3, 0.9, 0.4, (0.06, 0.05, 0.1))
GREEN = Block("green block", 0.0, 1.2, 0.4, (0.06, 0.05, 0.1))


def judged(before, after):
    return remove.measure(change_of(before, [block.seen for block in after], goal=None))


@given(layouts())
def test_a_perfect_removal_scores_everything(blocks):
    found = judged(blocks, blocks[1:])
    assert (found.done, found.accuracy) == (True, 1.0)


@given(layouts())
def test_an_unchanged_image_scores_nothing(blocks):
    found = judged(blocks, blocks)
    assert (found.done, found.accuracy) == (False, 0.0)


@pytest.mark.parametrize("after", [[RED, TWIN], [RED, BLUE], [RED]])
def test_removing_anything_else_scores_nothing(after):
    found = judged([RED, TWIN, BLUE], after)
    assert (found.done, found.accuracy) == (False, 0.0)


def test_moving_the_target_is_not_removing_it():
    assert not judged([RED, BLUE], [replace(RED, x=0.5), BLUE]).done


def test_one_other_object_lost_costs_half():
    found = judged([RED, BLUE, GREEN], [GREEN])
    assert (found.done, found.accuracy) == (True, 0.5)


@pytest.mark.parametrize("before", [[RED, BLUE], [RED, BLUE, GREEN], [RED, BLUE, GREEN, TWIN]])
def test_an_empty_picture_is_no_removal(before):
    found = judged(before, [])
    assert (found.done, found.accuracy) == (False, 0.0)


def test_two_other_objects_lost_spoil_the_removal():
    yellow = replace(GREEN, label="yellow block", x=0.3)
    found = judged([RED, BLUE, GREEN, yellow], [yellow])
    assert (found.done, found.accuracy) == (False, 0.0)
    assert "too many" in found.reason


def test_every_object_added_costs_half():
    found = judged([RED, BLUE], [BLUE, replace(GREEN, label="green")])
    assert (found.done, found.accuracy) == (True, 0.5)


def test_a_twin_that_appears_spoils_the_removal():
    found = judged([RED, TWIN, BLUE], [TWIN, replace(RED, x=0.7), BLUE])
    assert (found.done, found.accuracy) == (False, 0.0)
