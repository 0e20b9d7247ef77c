"""``python -m scorer judge``: answers a folder of questions into a journal, in a process or container of its own."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from scorer.contract import ExitCode, ProgressLine
from scorer.errors import ScorerError
from scorer.judges.ending import Asked
from scorer.judges.port import KEY_VARIABLE
from scorer.writing import PROGRESS, progress_in, write_model

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
    parser.add_argument("--settings", type=Path, help="a JSON file with the arguments below, as in instruments.json")
    parser.add_argument("--earlier", type=Path, help="a journal to go on from where --out does not exist yet")
    parser.add_argument("--about", type=Path, help="where to write who answered (JSON), for `aggregate`")
    parser.add_argument("--adapter", choices=("endpoint", "local"), help="a served model, or one run here")
    parser.add_argument("--model", help="the served name; for local a folder or a hub's id")
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
    _go_on_from(options.earlier, options.out)
    with Journal(options.out) as journal, _progress(options) as progress:
        finished = len(journal)
        without = 0
        language_judge = make(journal)
        _tell(options.about, language_judge)
        for done, entry in enumerate(language_judge.answers(read_cases(options.questions, questions)), start=1):
            without += entry.score is None
            progress(ProgressLine(stage="judge", done=done, total=len(questions)))
        asked = len(journal) - finished
    print(  # noqa: T201 - standard error is this program's voice
        f"scorer: {len(questions)} questions, {asked} asked now, {without} without a usable reply", file=sys.stderr
    )


def _go_on_from(earlier: Path | None, journal: Path) -> None:
    """Begin the journal with what was answered before."""
    if earlier is not None and earlier.exists() and not journal.exists():
        journal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(earlier, journal)


def _tell(about: Path | None, judge: LanguageJudge) -> None:
    if about is not None:
        write_model(about, Asked(name=judge.name, provenance=judge.provenance()))


def _progress(options: argparse.Namespace) -> AbstractContextManager[Callable[[ProgressLine], None]]:
    """Lines beside the journal where somebody set the job up; none where a person called."""
    if options.settings is None:
        return nullcontext(lambda line: None)
    return progress_in(options.out.with_name(PROGRESS))


def _given(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of the judge, from the call or from the file that it names. Raises CallError."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    if options.settings is not None:
        try:
            content = json.loads(options.settings.read_bytes())
        except (OSError, ValueError):
            content = None
        if not isinstance(content, dict):
            raise CallError(f"--settings: {options.settings.name} is missing or no JSON object")
        given = {**content, **given}
    for name in ("adapter", "model"):
        if name not in given:
            raise CallError(f"the following arguments are required: --{name}")
    if given["adapter"] not in ("endpoint", "local"):
        raise CallError("--adapter: must be endpoint or local")
    return given


def _prepared(options: argparse.Namespace) -> Callable[[Journal], LanguageJudge]:
    """What makes the judge once its journal is open; the settings are checked before. Raises CallError."""
    from scorer.judges.endpoint import EndpointJudge, EndpointSettings
    from scorer.judges.local import LocalJudge, LocalSettings

    given = _given(options)
    adapter = given["adapter"]
    foreign = (EndpointSettings if adapter == "local" else LocalSettings).model_fields
    model = LocalSettings if adapter == "local" else EndpointSettings
    misplaced = sorted(given.keys() & foreign.keys() - model.model_fields.keys())
    if misplaced:
        raise CallError(f"--{misplaced[0].replace('_', '-')} is no argument of the {adapter} adapter")
    chosen = {name: given[name] for name in model.model_fields if name in given}
    try:
        if adapter == "local":
            local = LocalSettings.model_validate(chosen)
            return lambda journal: LocalJudge(local, journal=journal)
        endpoint = EndpointSettings.model_validate(chosen)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = "--" + ".".join(str(part) for part in first["loc"]).replace("_", "-")
        raise CallError(f"{name}: {first['msg'].lower()}") from None
    api_key = os.environ.get(options.api_key_env)
    return lambda journal: EndpointJudge(endpoint, api_key=api_key, journal=journal)
