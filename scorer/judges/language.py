"""What all language judges share: the conversation, asking again, and the journal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from scorer.judges import rubric
from scorer.judges.cases import Case, sha256_of_parts
from scorer.judges.journal import Entry, Journal
from scorer.judges.port import Judgement, Question
from scorer.judges.replies import Reply, UnusableReplyError, legible, parse

VERSION = "language-judge-1"
"""Changes with the way of asking and reading; the model, the words and the sampling are provenance."""

TRIES = 3
"""How often a question is put before its replies are given up."""
_KEPT_OF_A_REPLY = 20_000


@dataclass
class Hearing:
    """One question on its way to a judgement: what was said so far, and what is to be said next."""

    case: Case
    digest: str
    tries: int
    replies: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    outcome: Reply | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to ask."""
        return self.outcome is not None or len(self.replies) >= self.tries

    @property
    def follow_ups(self) -> list[tuple[str, str]]:
        """The last unusable reply with the reminder that answers it; empty on the first asking.

        Earlier ones are left out, so that a conversation stays short however often the judge is asked.
        """
        if not self.replies:
            return []
        return [(self.replies[-1], rubric.reminder_text(self.complaints[-1]))]

    def hear(self, text: str) -> None:
        """Take a reply."""
        self.replies.append(legible(text, limit=_KEPT_OF_A_REPLY))
        try:
            self.outcome = parse(text)
        except UnusableReplyError as error:
            self.complaints.append(str(error))

    def entry(self, provenance: Mapping[str, str]) -> Entry:
        """The finished judgement."""
        if self.outcome is None:
            score, reason = None, f"no usable reply in {len(self.replies)} tries, the last: {self.complaints[-1]}"
        else:
            score, reason = self.outcome
        return Entry(
            key=self.case.key,
            content=self.case.content,
            digest=self.digest,
            score=score,
            reason=reason,
            replies=self.replies,
            provenance=dict(provenance),
        )


class LanguageJudge(ABC):
    """A judge that answers in words. ``journal``: where finished judgements are kept and looked up."""

    def __init__(self, *, journal: Journal | None, tries: int = TRIES) -> None:
        if tries < 1:
            raise ValueError("a judge must be asked at least once")
        self._journal = journal
        self._tries = tries

    @property
    def name(self) -> str:
        """``language-judge-1``; :meth:`provenance` says who speaks."""
        return VERSION

    @property
    def hermetic(self) -> bool:
        """It needs a model."""
        return False

    @abstractmethod
    def provenance(self) -> dict[str, str]:
        """Adapter, prompt, model, revision and sampling, as ``judge_*``."""

    @abstractmethod
    def answers(self, cases: Iterable[Case]) -> Iterator[Entry]:
        """One finished judgement for each case, in their order; cases are taken as they can be worked on."""

    def judge_all(self, questions: Iterable[Question]) -> Iterator[Judgement]:
        """One judgement for each question, in their order. Raises JudgeUnavailableError or JudgeError."""
        for entry in self.answers(Case.of(question) for question in questions):
            yield Judgement(score=entry.score, reason=entry.reason)

    def _opened(self, case: Case) -> Entry | Hearing:
        """What the journal knows of a case, or a hearing to be held."""
        words = [rubric.SYSTEM, rubric.question_text(case)]
        digest = sha256_of_parts([*case.pixels, *words, self.provenance()])
        known = None if self._journal is None else self._journal.get(digest)
        return known or Hearing(case=case, digest=digest, tries=self._tries)

    def _closed(self, hearing: Hearing) -> Entry:
        """The hearing's judgement, in the journal."""
        entry = hearing.entry(self.provenance())
        if self._journal is not None:
            self._journal.add(entry)
        return entry


def asked_with(*, adapter: str, model: str, revision: str, sampling: str) -> dict[str, str]:
    """The provenance of a language judge; a value longer than a report's 120 characters ends in its hash."""
    found = {
        "judge_adapter": adapter,
        "judge_prompt": f"{rubric.VERSION}+{rubric.FINGERPRINT[:12]}",
        "judge_model": model,
        "judge_revision": revision,
        "judge_sampling": sampling,
    }
    return {name: _short(value) for name, value in found.items()}


def _short(value: str) -> str:
    line = legible(value, limit=len(value) + 1)
    return line if len(line) <= 120 else f"{line[:100]}…{sha256_of_parts([value])[:16]}"
