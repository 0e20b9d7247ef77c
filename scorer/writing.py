"""Files of the contract: written so that a reader never sees half of one, read with a word on what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from scorer.contract import ProgressLine
from scorer.errors import BenchmarkError

REPORT = "report.json"
PROGRESS = "progress.jsonl"

Model = TypeVar("Model", bound=BaseModel)


@contextmanager
def progress_in(path: Path) -> Iterator[Callable[[ProgressLine], None]]:
    """Appends one line per step, visible to readers at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:

        def write(line: ProgressLine) -> None:
            stream.write(line.model_dump_json() + "\n")
            stream.flush()

        yield write


def write_model(path: Path, value: BaseModel) -> None:
    """Write a value as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, value.model_dump_json(indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def read_model(path: Path, model: type[Model]) -> Model:
    """A value from its file. Raises BenchmarkError; its message names fields, never their values."""
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise BenchmarkError(f"{path.name} is missing") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        # Locations may hold sample ids, which are public; inputs would be hidden values.
        where = ".".join(str(part) for part in first["loc"])
        raise BenchmarkError(f"{path.name} is not valid: {where or 'content'}: {first['type']}") from None
