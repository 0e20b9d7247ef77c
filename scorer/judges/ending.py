"""A language judge's answers at the end of a run: found in its journal, without a picture and without the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from scorer.chunks import MeasuredEdit, MeasuredSample
from scorer.contract import Name, Strict
from scorer.errors import JudgeError
from scorer.judges.journal import parse_journal
from scorer.judges.port import Judgement
from scorer.writing import read_model


class Asked(Strict):
    """Who answered (``judge.json``): the name and the provenance that reports carry."""

    schema_: Literal["gsi-judge/1"] = Field(default="gsi-judge/1", alias="schema")
    name: Name
    provenance: dict[str, Name]


@dataclass(frozen=True)
class Answers:
    """Judgements by the content of their questions, and whose they are."""

    judgements: Mapping[str, Judgement]
    provenance: Mapping[str, str]

    @classmethod
    def of(cls, samples: Sequence[MeasuredSample], *, journal: Path, judge: Path, name: str) -> Answers:
        """The answers that those samples need: none where a judge has answered all while they were measured.

        ``judge``: who was asked; where there is no such file, the one judge that wrote the journal. Raises JudgeError
        where the journal is missing, damaged, of another judge than ``name`` or of several.
        """
        if _is_judged(samples) and not judge.exists():
            return cls({}, {})
        if not journal.exists():
            raise JudgeError(f"{journal.name} is missing: have the questions judged, then make the report")
        entries = parse_journal(journal.read_bytes(), name=journal.name)
        if judge.exists():
            asked = read_model(judge, Asked)
            if asked.name != name:
                raise JudgeError(f"the run asks for {name}; the journal is of {asked.name}")
            provenance = asked.provenance
        else:
            known = {tuple(sorted(entry.provenance.items())) for entry in entries}
            if len(known) != 1:
                raise JudgeError(f"{journal.name} holds answers of {len(known)} judges; {judge.name} says whose count")
            provenance = dict(known.pop())
        chosen = [entry for entry in entries if entry.provenance == provenance]
        return cls({entry.content: Judgement(entry.score, entry.reason) for entry in chosen}, provenance)

    def find(self, edit: MeasuredEdit) -> Judgement:
        """The answer to the question about an edit. Raises JudgeError where there is none."""
        content = None if edit.appearance is None else edit.appearance.content
        found = None if content is None else self.judgements.get(content)
        if found is None:
            raise JudgeError("a question has no answer in the journal; have it judged, then make the report")
        return found


def _is_judged(samples: Sequence[MeasuredSample]) -> bool:
    looks = (edit.appearance for sample in samples for edit in sample.under.values())
    return all(look is None or look.judged is not None for look in looks)
