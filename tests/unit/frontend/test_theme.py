import pytest

from frontend.theme import PALETTE, style_sheet


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("light", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *(
            (text, ground)
            for text in ("ink", "muted", "accent")
            for ground in ("page", "panel", "sunken", "accent-soft")
        ),
        ("on-accent", "accent"),
        ("good", "good-soft"),
        ("warn", "warn-soft"),
        ("bad", "bad-soft"),
        ("bad", "panel"),
        ("bad", "page"),
    ],
)
def test_text_is_readable_on_every_ground_it_stands_on(text: str, ground: str, light: str) -> None:
    assert contrast(getattr(PALETTE[text], light), getattr(PALETTE[ground], light)) >= 4.5


def test_the_style_sheet_fetches_nothing() -> None:
    assert "url(" not in style_sheet()
    assert "@import" not in style_sheet()
    assert "http" not in style_sheet()


def test_the_style_sheet_cannot_end_its_element() -> None:
    assert "</" not in style_sheet()
