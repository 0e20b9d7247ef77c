from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import judge_suspicion as measured
from benchmarks.blocks_detector import jpeg, opened
from scorer.judges.port import Judgement, Question, Subject
from scorer.judges.suspicion import FAR, HIGH_SCORE, appearance_distance, suspicion
from tests.unit.scorer.judges import asking

DATA = Path(__file__).parents[4] / "infra" / "blocks" / "data"
PAGE = (Path(__file__).parents[4] / "docs" / "protocol.md").read_text(encoding="utf-8")
INK = (255, 255, 255)


@pytest.fixture(scope="module")
def honest() -> list[Question]:
    return list(measured.honest(opened(DATA / "blocks-public.zip"), opened(DATA / "blocks-hidden.zip")))


@pytest.fixture(scope="module")
def wrong(honest) -> list[Question]:
    return [edit for question in honest for edit in measured.another_object(question)]


def flagged(questions: list[Question]) -> float:
    found = [measured.found(question) for question in questions]
    return float(np.mean([one.flagged for one in found if one is not None]))


def test_no_honest_edit_of_the_demo_is_flagged(honest):
    compressed = [replace(question, edited=jpeg(50)(question.edited)) for question in honest]
    assert len(honest) == 72
    assert all(measured.found(question) is not None for question in honest)
    assert flagged(honest) == flagged(compressed) == 0.0
    assert "flags 0 of the 72 honest edits" in " ".join(PAGE.split())


def test_another_object_is_flagged_almost_always_and_a_card_in_its_place_always(honest, wrong):
    assert len(wrong) > 100
    assert flagged(wrong) > 0.97
    assert flagged([edit for question in honest for edit in measured.with_card(question)]) == 1.0


def test_writing_that_asks_for_a_score_talks_nobody_out_of_it(wrong):
    talked = []
    for question in wrong:
        after = question.target.after.bbox_2d
        edited = measured.written(question.edited.copy(), after, ink=INK)
        talked.append(replace(question, edited=edited))
    assert flagged(talked) > 0.97


def test_writing_elsewhere_in_an_honest_picture_is_not_flagged(honest):
    corner = (0, 0, 90, 30)
    assert flagged([replace(q, edited=measured.written(q.edited.copy(), corner, ink=INK)) for q in honest]) == 0.0


def test_only_a_high_score_is_flagged(wrong):
    question = next(edit for edit in wrong if measured.found(edit).flagged)
    for score, expected in ((HIGH_SCORE, True), (HIGH_SCORE - 0.5, False), (None, False)):
        found = suspicion(question, Judgement(score, "said"))
        assert (found.flagged, found.distance >= FAR) == (expected, True)


def test_a_view_is_as_suspicious_as_its_least_alike_object(honest):
    question = next(question for question in honest if question.operation == "view")
    first, second, *rest = question.others
    swapped = [Subject(first.before, second.after), Subject(second.before, first.after), *rest]
    assert measured.found(replace(question, others=swapped)).flagged
    assert not measured.found(question).flagged


def test_nothing_is_said_where_no_object_can_be_seen():
    question = asking.question(asking.case())
    box, tiny = asking.detection((4, 4, 20, 20)), asking.detection((4, 4, 10, 10))
    outside = asking.detection((200, 200, 240, 240))
    for target in (None, Subject(box, None), Subject(box, tiny), Subject(outside, box)):
        assert suspicion(replace(question, target=target), measured.PRAISE) is None


def test_the_distance_is_symmetric_bounded_and_zero_for_the_same():
    one, other = asking.picture(1, height=40, width=30), asking.picture(2, height=20, width=50)
    black, white = np.zeros_like(one), np.full_like(one, 255)
    for first, second in ((one, other), (black, white), (one, black), (black, black)):
        forth, back = appearance_distance(first, second), appearance_distance(second, first)
        assert forth == pytest.approx(back)
        assert all(0 <= value <= 1 for value in forth)
    assert appearance_distance(one, one) == pytest.approx((0, 0), abs=1e-6)
