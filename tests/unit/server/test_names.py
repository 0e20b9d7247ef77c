from __future__ import annotations

import pytest

from server.names import key, tidy


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  The   Team ", "The Team"),
        ("The\u00a0Team", "The Team"),
        ("The\u2003Team", "The Team"),
        ("\uff34\uff45\uff41\uff4d", "Team"),
        ("\ufb01ne", "fine"),
        ("e\u0301", "\u00e9"),
        ("東京 2号", "東京 2号"),
        ("🙂", "🙂"),
        ("", ""),
    ],
)
def test_a_name_has_one_form(sent, kept):
    assert tidy(sent) == kept
    assert tidy(kept) == kept


HIDDEN = (
    "\u200b\u200d\u2060\ufeff\u00ad\u202e\u2066\u2028\u2029\n\t\x00\x7f\x85\ud800\u3164\u2800\ufe0f\u034f\U000e0041"
)


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda one: f"U+{ord(one):04X}")
def test_what_cannot_be_seen_is_refused_by_its_number(hidden):
    with pytest.raises(ValueError, match=rf"U\+{ord(hidden):04X}"):
        tidy(f"Te{hidden}am")


@pytest.mark.parametrize("name", ["\u0301", "\u0301 \u0302"])
def test_a_name_shows_something(name):
    with pytest.raises(ValueError, match="can be seen"):
        tidy(name)


def test_what_is_no_text_is_left_to_others():
    assert tidy(None) is None
    assert tidy(3) == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [("Team", "TEAM"), ("Straße", "STRASSE"), ("Σίσυφος", "ΣΊΣΥΦΟΣ"), ("Ａ B", "a  b"), ("İx", "i̇X"), ("\ufb01", "FI")],
)
def test_spellings_of_one_name_have_one_key(one, other):
    assert key(one) == key(other)


def test_other_names_have_other_keys():
    assert len({key(name) for name in ("Team", "Teams", "Te am", "Teäm")}) == 4
