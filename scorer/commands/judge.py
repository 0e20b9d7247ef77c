"""``python -m scorer judge``: answers a folder of questions into a journal, in a process or container of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from scorer.contract import ExitCode
from scorer.errors import ScorerError
from scorer.judges.port import KEY_VARIABLE

if TYPE_CHECKING:
    from scorer.judges.journal import Journal
    from scorer.judges.language import LanguageJudge


class CallError(ScorerError):
    """An argument cannot be used."""

    exit_code = ExitCode.USAGE


def describe(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("--questions", type=Path, required=True, help="the folder with questions.jsonl and its images")
    parser.add_argument(
        "--out", type=Path, required=True, help="the journal (JSON lines); an existing one is continued"
    )
    parser.add_argument(
        "--adapter", choices=("endpoint", "local"), required=True, help="a served model, or one run here"
    )
    parser.add_argument("--model", required=True, help="the served name; for local a folder or a hub's id")
    parser.add_argument("--revision", help="which weights these are; for a hub's id its commit")
    parser.add_argument("--tries", type=int, help="how often a question is put before its replies are given up")
    parser.add_argument("--max-tokens", type=int, help="longest reply, in tokens")
    served = parser.add_argument_group("endpoint")
    served.add_argument("--url", help="base of the OpenAI-compatible API, such as http://judge:8000/v1")
    served.add_argument("--api-key-env", default=KEY_VARIABLE, help="the variable that holds the API key")
    served.add_argument("--concurrency", type=int, help="questions in flight")
    served.add_argument("--timeout", type=float, help="seconds for one answer")
    served.add_argument("--attempts", type=int, help="how often a request is sent while its failure may pass")
    served.add_argument("--patience", type=float, help="longest wait between attempts, in seconds")
    served.add_argument("--socket", help="a unix socket that leads to the url's host, where there is no network")
    served.add_argument("--answers", choices=("text", "json_schema"), help="whether the server enforces the form")
    local = parser.add_argument_group("local")
    local.add_argument("--device", help="cpu, cuda:0 … or auto")
    local.add_argument("--dtype", choices=("auto", "float32", "bfloat16", "float16"), help="type of the weights")
    local.add_argument("--batch", type=int, help="questions answered together")


def judge(options: argparse.Namespace) -> None:
    """Answer every question that the journal does not answer yet."""
    from scorer.judges.folder import read_cases, read_questions
    from scorer.judges.journal import Journal

    questions = read_questions(options.questions)
    make = _prepared(options)
    with Journal(options.out) as journal:
        finished = len(journal)
        without = 0
        for entry in make(journal).answers(read_cases(options.questions, questions)):
            without += entry.score is None
        asked = len(journal) - finished
    print(  # noqa: T201 - standard error is this program's voice
        f"scorer: {len(questions)} questions, {asked} asked now, {without} without a usable reply", file=sys.stderr
    )


def _prepared(options: argparse.Namespace) -> Callable[[Journal], LanguageJudge]:
    """What makes the judge once its journal is open; the settings are checked before. Raises CallError."""
    from scorer.judges.endpoint import EndpointJudge, EndpointSettings
    from scorer.judges.local import LocalJudge, LocalSettings

    given = {name: value for name, value in vars(options).items() if value is not None}
    foreign = (EndpointSettings if options.adapter == "local" else LocalSettings).model_fields
    model = LocalSettings if options.adapter == "local" else EndpointSettings
    misplaced = sorted(given.keys() & foreign.keys() - model.model_fields.keys())
    if misplaced:
        raise CallError(f"--{misplaced[0].replace('_', '-')} is no argument of the {options.adapter} adapter")
    chosen = {name: given[name] for name in model.model_fields if name in given}
    try:
        if options.adapter == "local":
            local = LocalSettings.model_validate(chosen)
            return lambda journal: LocalJudge(local, journal=journal)
        endpoint = EndpointSettings.model_validate(chosen)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = "--" + ".".join(str(part) for part in first["loc"]).replace("_", "-")
        raise CallError(f"{name}: {first['msg'].lower()}") from None
    api_key = os.environ.get(options.api_key_env)
    return lambda journal: EndpointJudge(endpoint, api_key=api_key, journal=journal)
