"""Answers that were given before: a journal of ours, or the predictions file of the official evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from scorer.errors import JudgeError
from scorer.judges.cases import Case, sha256_of_parts
from scorer.judges.journal import parse_journal
from scorer.judges.language import VERSION
from scorer.judges.port import Judgement, Question
from scorer.judges.replies import UnusableReplyError, parse

OFFICIAL_MARK = "||V^=^V||"
"""What stands before and after the JSON in a reply of the official evaluation (protocol, section 8)."""
OFFICIAL = "recorded-predictions-1"


class _Meta(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    index: str


class _Prediction(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    prediction: str | None
    meta: _Meta


_PREDICTIONS: TypeAdapter[list[_Prediction]] = TypeAdapter(Annotated[list[_Prediction], Field(max_length=1_000_000)])


class RecordedJudge:
    """Looks judgements up. A question without a record is an error; where ``complete`` is False it has no score."""

    def __init__(
        self,
        judgements: Mapping[str, Judgement],
        *,
        name: str,
        provenance: Mapping[str, str],
        looked_up: Callable[[Question], str],
        complete: bool = True,
    ) -> None:
        self._judgements = judgements
        self._name = name
        self._provenance = dict(provenance)
        self._looked_up = looked_up
        self._complete = complete

    @classmethod
    def from_journal(cls, path: Path, *, provenance: Mapping[str, str] | None = None, complete: bool = True) -> Self:
        """The judgements of a journal, found by the pixels and words of the question, whatever its key.

        ``provenance``: whose answers to take where several judges wrote into the file. Raises JudgeError where the file
        is missing, damaged or holds answers of several judges and none was named.
        """
        entries = parse_journal(_content(path), name=path.name)
        chosen = [entry for entry in entries if provenance is None or entry.provenance == dict(provenance)]
        sources = {tuple(sorted(entry.provenance.items())) for entry in chosen}
        if len(sources) > 1:
            models = sorted({entry.provenance.get("judge_model", "unknown") for entry in chosen})
            raise JudgeError(f"{path.name} holds answers of {len(sources)} judges ({', '.join(models)}); name one")
        if not chosen:
            raise JudgeError(f"{path.name} holds no answers" + ("" if provenance is None else " of the judge named"))
        return cls(
            {entry.content: Judgement(entry.score, entry.reason) for entry in chosen},
            name=VERSION,
            provenance=chosen[0].provenance,
            looked_up=lambda question: Case.of(question).content,
            complete=complete,
        )

    @classmethod
    def from_predictions(
        cls, path: Path, *, read: Callable[[str], Judgement] | None = None, complete: bool = True
    ) -> Self:
        """The judgements of an official predictions file, found by the question's key (``<scene>_edit_<query>``).

        ``read``: makes a judgement of a reply; by default strictly, as of a judge of ours. Of a repeated index the last
        one stands, as in the official evaluation. Raises JudgeError where the file is missing or of another form.
        """
        content = _content(path)
        try:
            predictions = _PREDICTIONS.validate_json(content)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
            raise JudgeError(
                f"{path.name} is no predictions file: {where or 'its content'} is not as expected"
            ) from None
        understood = read or read_marked
        return cls(
            {found.meta.index: understood(found.prediction or "") for found in predictions},
            name=OFFICIAL,
            provenance={"judge_adapter": "recorded", "judge_record": sha256_of_parts([content.hex()])},
            looked_up=lambda question: question.key,
            complete=complete,
        )

    @property
    def name(self) -> str:
        """The name of the judge that answered, or of the kind of file."""
        return self._name

    @property
    def hermetic(self) -> bool:
        """It needs its records."""
        return False

    def provenance(self) -> dict[str, str]:
        """That of the judge that answered; of a predictions file its hash."""
        return dict(self._provenance)

    def recorded(self, key: str) -> Judgement | None:
        """What was recorded under that key, or None."""
        return self._judgements.get(key)

    def judge_all(self, questions: Iterable[Question]) -> Iterator[Judgement]:
        """One judgement for each question, in their order. Raises JudgeError for a question without a record."""
        for question in questions:
            found = self._judgements.get(self._looked_up(question))
            if found is None and self._complete:
                raise JudgeError(f"there is no record for question {question.key}; have it judged and run again")
            yield found or Judgement(None, "there is no record of a judgement")


def read_marked(text: str) -> Judgement:
    """The judgement in an official reply: strict JSON between the first two marks, a number from 0 to 10."""
    pieces = text.split(OFFICIAL_MARK)
    try:
        if len(pieces) < 2:
            raise UnusableReplyError("the marks around its JSON are missing")
        score, reason = parse(pieces[1])
    except UnusableReplyError as error:
        return Judgement(None, f"unusable reply: {error}")
    return Judgement(score, reason)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise JudgeError(f"{path.name} is missing") from error
