"""The look: one palette for light and dark, written once, and the Gradio theme that agrees with it.

Fonts are the reader's own (system stacks); nothing is fetched from anywhere.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import gradio as gr


class Tone(NamedTuple):
    """One colour in both lights. Text on `page` and `panel` keeps a contrast of at least 4.5 in both."""

    light: str
    dark: str


PALETTE = {
    "page": Tone("#fbfaf7", "#11141a"),
    "panel": Tone("#ffffff", "#181c24"),
    "sunken": Tone("#f3f1eb", "#1e232c"),
    "ink": Tone("#1b2129", "#e7e9ed"),
    "muted": Tone("#596270", "#a0a9b6"),
    "line": Tone("#e3dfd5", "#2b313c"),
    "accent": Tone("#17566b", "#7fc6da"),
    "accent-soft": Tone("#dfedf0", "#1d3640"),
    "on-accent": Tone("#ffffff", "#0c1a20"),
    "bar": Tone("#a9cdd6", "#2f6577"),
    "bar-strong": Tone("#17566b", "#7fc6da"),
    "good": Tone("#1e6b3c", "#84d3a1"),
    "good-soft": Tone("#e2f1e6", "#18321f"),
    "warn": Tone("#85520a", "#e7b869"),
    "warn-soft": Tone("#f8eedb", "#38290f"),
    "bad": Tone("#a32a22", "#f29a92"),
    "bad-soft": Tone("#fae6e3", "#3b1a18"),
}

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'
SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, "Source Serif 4", "Noto Serif", Georgia, serif'
MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace'


@cache
def style_sheet() -> str:
    """All CSS of the site: the palette as variables, then the rules."""
    rules = files("frontend").joinpath("assets/site.css").read_text(encoding="utf-8")
    light = "".join(f"--{name}:{tone.light};" for name, tone in PALETTE.items())
    dark = "".join(f"--{name}:{tone.dark};" for name, tone in PALETTE.items())
    fonts = f"--sans:{SANS};--serif:{SERIF};--mono:{MONO};"
    return (
        f":root{{color-scheme:light;{fonts}{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n{rules}"
    )


def gradio_theme() -> gr.themes.Base:
    """Gradio's variables in our colours, so that its own container does not flash another background."""
    page, ink = PALETTE["page"], PALETTE["ink"]
    return gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]).set(
        body_background_fill=page.light,
        body_background_fill_dark=page.dark,
        background_fill_primary=page.light,
        background_fill_primary_dark=page.dark,
        body_text_color=ink.light,
        body_text_color_dark=ink.dark,
    )
