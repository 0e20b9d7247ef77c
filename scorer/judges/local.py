"""A language judge run in this process: a vision-language model of ``transformers``, greedy, in batches."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from PIL import Image as Pillow
from pydantic import Field, StringConstraints

from scorer.contract import Strict
from scorer.errors import JudgeError
from scorer.judges import rubric
from scorer.judges.cases import Case
from scorer.judges.journal import Entry, Journal
from scorer.judges.language import TRIES, Hearing, LanguageJudge, asked_with

_COMMIT = re.compile(r"[0-9a-f]{40}")
_READ_WHOLE = 16 * 2**20
"""Bytes; of larger files a folder's revision knows name, size, beginning and end."""
_READ_AT_ENDS = 2**20


class LocalSettings(Strict):
    """Which model, and how it runs.

    ``model``: a folder, or the id of a hub's repository. ``revision``: the commit (40 hex digits), needed for an id; of
    a folder it is computed where it is absent. ``device``: as torch names it (``cpu``, ``cuda:0``), or ``auto`` to
    spread the weights over what there is (needs ``accelerate``). ``batch``: questions answered together.
    """

    model: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    revision: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None
    device: Annotated[str, StringConstraints(pattern=r"^(auto|[a-z]+(:[0-9]{1,3})?)$")] = "cpu"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch: Annotated[int, Field(ge=1, le=256)] = 1
    tries: Annotated[int, Field(ge=1, le=10)] = TRIES
    max_tokens: Annotated[int, Field(ge=16, le=65_536)] = 1024


class LocalJudge(LanguageJudge):
    """Loads the model once and answers greedily. Code that comes with a model is never run.

    Raises JudgeError where the model cannot be loaded: files, packages, revision.
    """

    def __init__(self, settings: LocalSettings, *, journal: Journal | None = None) -> None:
        super().__init__(journal=journal, tries=settings.tries)
        self._settings = settings
        self._name, self._revision = _identity(settings)
        self._processor, self._model = _loaded(settings)

    def provenance(self) -> dict[str, str]:
        """Adapter, prompt, model, revision and sampling, as ``judge_*``."""
        asked = self._settings
        # Device, type of number and batch move the last bits of the logits, which can turn a greedy choice.
        how = f"device={asked.device} dtype={asked.dtype} batch={asked.batch}"
        sampling = f"greedy max_tokens={asked.max_tokens} tries={asked.tries} {how}"
        software = f"local, transformers {version('transformers')}"
        return asked_with(adapter=software, model=self._name, revision=self._revision, sampling=sampling)

    def answers(self, cases: Iterable[Case]) -> Iterator[Entry]:
        """One finished judgement for each case, in their order; one batch of cases is held at a time."""
        for group in _groups(cases, self._settings.batch):
            opened = [self._opened(case) for case in group]
            while pending := [hearing for hearing in opened if isinstance(hearing, Hearing) and not hearing.is_over]:
                for hearing, text in zip(pending, self._said(pending), strict=True):
                    hearing.hear(text)
            yield from [known if isinstance(known, Entry) else self._closed(known) for known in opened]

    def _said(self, hearings: list[Hearing]) -> list[str]:
        """What the model says to each of the conversations; empty where it did not come to an end."""
        import torch

        inputs = self._processor.apply_chat_template(
            [messages(hearing) for hearing in hearings],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            processor_kwargs={"return_tensors": "pt", "padding": True, "padding_side": "left"},
        ).to(self._model.device, dtype=self._model.dtype)
        asked = inputs["input_ids"].shape[1]
        with torch.inference_mode():
            output = self._model.generate(**inputs, max_new_tokens=self._settings.max_tokens, do_sample=False)
        said = output[:, asked:]
        texts = self._processor.batch_decode(said, skip_special_tokens=True)
        return [text if self._ended(tokens) else "" for text, tokens in zip(texts, said.tolist(), strict=True)]

    def _ended(self, tokens: list[int]) -> bool:
        ends = self._model.generation_config.eos_token_id
        stops = set(ends if isinstance(ends, list) else [ends])
        return len(tokens) < self._settings.max_tokens or not stops.isdisjoint(tokens)


def messages(hearing: Hearing) -> list[dict[str, Any]]:
    """The conversation as a chat template reads it."""
    case = hearing.case
    content: list[dict[str, Any]] = [
        {"type": "image", "image": Pillow.fromarray(image)} for image in (case.original, case.edited)
    ]
    content.append(_text(rubric.question_text(case)))
    talk = [{"role": "system", "content": [_text(rubric.SYSTEM)]}, {"role": "user", "content": content}]
    for reply, reminder in hearing.follow_ups:
        talk += [{"role": "assistant", "content": [_text(reply)]}, {"role": "user", "content": [_text(reminder)]}]
    return talk


def _text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def _identity(settings: LocalSettings) -> tuple[str, str]:
    """Name and revision for the provenance; of a folder its own name, never the path to it."""
    folder = Path(settings.model)
    if folder.is_dir():
        return folder.resolve().name, settings.revision or folder_revision(folder)
    if settings.revision is None or not _COMMIT.fullmatch(settings.revision):
        raise JudgeError(
            f"'{settings.model}' is no folder here; for a model of a hub name the revision, a commit of 40 hex digits"
        )
    return settings.model, settings.revision


def folder_revision(folder: Path) -> str:
    """``folder:`` and a SHA-256 over names, sizes and contents; of files over 16 MiB only the first and last MiB."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()} {size}\n".encode())
        with path.open("rb") as stream:
            if size <= _READ_WHOLE:
                digest.update(stream.read())
            else:
                digest.update(stream.read(_READ_AT_ENDS))
                stream.seek(-_READ_AT_ENDS, os.SEEK_END)
                digest.update(stream.read())
    return f"folder:{digest.hexdigest()}"


def _loaded(settings: LocalSettings) -> tuple[Any, Any]:
    """Processor and model, ready to generate."""
    try:
        from transformers import AutoModelForImageTextToText, AutoProcessor
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        revision = None if Path(settings.model).is_dir() else settings.revision
        source: dict[str, Any] = {"revision": revision} if revision else {}
        processor: Any = AutoProcessor.from_pretrained(settings.model, **source)  # type: ignore[no-untyped-call]
        placed = {"device_map": "auto"} if settings.device == "auto" else {}
        model: Any = AutoModelForImageTextToText.from_pretrained(
            settings.model, dtype=settings.dtype, use_safetensors=True, **source, **placed
        )
        model = model if settings.device == "auto" else model.to(settings.device)
    except ImportError as error:
        raise JudgeError(
            f"the model {settings.model} needs the package {error.name or 'that is named above'}"
        ) from error
    except (OSError, ValueError, RuntimeError, AttributeError) as error:
        name = Path(settings.model).name
        raise JudgeError(
            f"the model {name} cannot be loaded ({type(error).__name__}); check that its folder "
            "or repository is complete (config, processor, safetensors), that its packages are installed "
            "(Qwen3-VL needs torchvision) and that the device exists and is large enough"
        ) from error
    return processor, model.eval()


def _groups(cases: Iterable[Case], size: int) -> Iterator[list[Case]]:
    group: list[Case] = []
    for case in cases:
        group.append(case)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
