"""The folder of questions that goes to a judge in a container of its own: re-encoded images and ``questions.jsonl``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from pydantic import ValidationError

from scorer.detectors.port import Image
from scorer.errors import BenchmarkError
from scorer.judges.cases import Case, png
from scorer.judges.journal import QuestionLine

QUESTIONS = "questions.jsonl"
IMAGES = "images"


def write_questions(folder: Path, cases: Iterable[Case]) -> int:
    """Write the cases for another process; how many. Images are PNGs named by their pixels, each written once.

    ``questions.jsonl`` appears last and whole. Raises ValidationError for a case that the form does not allow.
    """
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    lines = []
    for case in cases:
        names = [f"{IMAGES}/{digest}.png" for digest in case.pixels]
        for name, image in zip(names, (case.original, case.edited), strict=True):
            if not (folder / name).exists():
                _replace(folder / name, png(image))
        question = {
            "key": case.key,
            "original": names[0],
            "edited": names[1],
            "operation": case.operation,
            "instruction": case.instruction,
            "target": case.target,
        }
        lines.append(QuestionLine.model_validate(question).model_dump_json() + "\n")
    _replace(folder / QUESTIONS, "".join(lines).encode())
    return len(lines)


def read_questions(folder: Path) -> list[QuestionLine]:
    """Every question of a folder. Raises BenchmarkError where the file is missing, damaged or repeats a key."""
    path = folder / QUESTIONS
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BenchmarkError(f"{QUESTIONS} is missing from the folder of questions") from error
    lines = []
    for number, text in enumerate(content.splitlines(), start=1):
        try:
            lines.append(QuestionLine.model_validate_json(text))
        except ValidationError as error:
            raise BenchmarkError(f"{QUESTIONS}: line {number} is not a valid question") from error
    if len({line.key for line in lines}) != len(lines):
        raise BenchmarkError(f"{QUESTIONS}: a key is repeated")
    return lines


def read_cases(folder: Path, lines: Iterable[QuestionLine]) -> Iterator[Case]:
    """The cases of some questions, images and all, one by one. Raises BenchmarkError naming the file at fault."""
    for line in lines:
        try:
            yield Case(
                key=line.key,
                original=_image(folder / line.original),
                edited=_image(folder / line.edited),
                operation=line.operation,
                instruction=line.instruction,
                target=line.target,
            )
        except ValueError as error:
            raise BenchmarkError(str(error)) from error


def _image(path: Path) -> Image:
    try:
        with Pillow.open(path, formats=("PNG",)) as image:
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, FileNotFoundError):
            raise
        raise BenchmarkError(f"{path.name} is missing or no readable PNG") from error


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    os.replace(partial, path)
