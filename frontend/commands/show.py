"""Resources as rich tables."""

from collections.abc import Iterable
from urllib.parse import quote

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from frontend.commands import tables
from frontend.maintainer_resources import AuditEntry, Baseline, DeadLetter
from frontend.present import clock, dimension_label, number, operation_title, result_columns, run_word, state_badge
from frontend.resources import Benchmark, Defect, Leaderboard, Results, Submission

_NAME = 24  # characters of a name that shall stand in one line of a board
_STYLES = {"good": "green", "warn": "yellow", "bad": "red", "accent": "cyan", "plain": "dim"}


def leaderboard(console: Console, board: Leaderboard, *, benchmark: Benchmark) -> None:
    """A board; the average stands last, as on paper. A narrow terminal goes without source and team, never scores."""
    if not board.rows:
        console.print(f"[bold]{escape(benchmark.title)}[/]: nobody has published yet.")
        return
    for beside in (("Team", "Source"), ("Team",), ()):
        if tables.width(console, _board(board, benchmark=benchmark, beside=beside, longest=_NAME)) <= console.width:
            break
    console.print(_board(board, benchmark=benchmark, beside=beside))


def _board(board: Leaderboard, *, benchmark: Benchmark, beside: tuple[str, ...], longest: int | None = None) -> Table:
    """The table with the columns `beside` the scores; for measuring, names are cut at `longest` characters."""
    subset = board.subset or ("mean of all subsets" if len(benchmark.subsets) > 1 else "")
    scope = ", ".join(part for part in (subset, board.operation) if part)
    table = tables.empty("#", title=f"{benchmark.title} ({scope})" if scope and longest is None else "")
    table.columns[0].no_wrap = True
    table.add_column("Model", overflow="fold")
    labels = {dimension.id: dimension.label for dimension in benchmark.dimensions}
    for head in beside[:1]:
        table.add_column(head, overflow="fold")
    for column in board.columns:
        table.add_column(labels.get(column, column), justify="right", no_wrap=True)
    for head in beside[1:]:
        table.add_column(head, no_wrap=True)
    for row in board.rows:
        scores = [number(row.scores.get(column)) for column in board.columns]
        team = [escape((row.team or row.organization)[:longest])][: len(beside)]
        source = [escape(row.provenance)][: max(0, len(beside) - 1)]
        table.add_row(str(row.rank or "–"), escape(row.model[:longest]), *team, *scores, *source)
    return table


def state_line(submission: Submission) -> str:
    """One line: state, model, id."""
    badge = state_badge(submission.state)
    return f"[{_STYLES[badge.tone]}]{badge.word}[/]  {escape(submission.model)}  [dim]{escape(submission.id)}[/]"


def submission(console: Console, found: Submission, *, url: str) -> None:
    """Everything a team wants to know of a submission."""
    console.print(state_line(found), soft_wrap=True)
    console.print(f"[dim]{escape(url)}/submission?id={quote(found.id, safe='')}[/]", soft_wrap=True)
    if found.failure:
        console.print(f"[yellow]{escape(found.failure.title)}[/] {escape(found.failure.remedy)}", soft_wrap=True)
    if found.defects:
        defects(console, found.defects)
    if found.results:
        results(console, found)
    elif found.runs:
        for run in found.runs:
            word = run_word(run, submission=found)
            console.print(f"  {escape(run.subset)}: {run.done} of {run.total}, {escape(word)}", soft_wrap=True)


def results(console: Console, found: Submission) -> None:
    """Scores for each subset and operation, under the protocol that ranks and then under the others."""
    _results(console, found.results or {})
    for protocol, beside in found.beside.items():
        console.print(f"Under {escape(protocol)}:", soft_wrap=True)
        _results(console, beside)


def _results(console: Console, found: Results) -> None:
    columns = result_columns(found)
    for subset, operations in found.items():
        table = tables.empty("Operation", title=subset)
        for head in (*map(dimension_label, columns), "Samples", "Missing"):
            table.add_column(head, justify="right", no_wrap=True)
        for operation, scores in operations.items():
            values = [number(scores.get(column)) for column in columns]
            table.add_row(operation_title(operation), *values, _count(scores.get("n")), _count(scores.get("missing")))
        console.print(table)


def _count(value: float | None) -> str:
    return "–" if value is None else str(int(value))


def defects(console: Console, found: Iterable[Defect]) -> None:
    """What is wrong with an archive, and what to do: whole lines, so that no file name is ever cut short."""
    for defect in found:
        mark = "[yellow]warning[/]" if defect.severity == "warning" else "[red]error[/]"
        where = f"[bold]{escape(defect.file)}[/]" if defect.file else "the archive"
        console.print(f"{mark}  {where}  [dim]{escape(defect.code)}[/]", soft_wrap=True)
        console.print(f"  {escape(defect.message)}", soft_wrap=True)
        console.print(f"  [dim]to do:[/] {escape(defect.remedy)}", soft_wrap=True)


def submissions(console: Console, found: Iterable[Submission]) -> None:
    """A team's list."""
    table = tables.empty("Submitted", "Benchmark", "Model", "State", "Id")
    for each in found:
        badge = state_badge(each.state)
        state = f"[{_STYLES[badge.tone]}]{badge.word}[/]"
        table.add_row(clock(each.created_at), escape(each.benchmark), escape(each.model), state, escape(each.id))
    if table.row_count:
        tables.put(console, table)
    else:
        console.print("Your team has not submitted yet.")


def baselines(console: Console, found: Iterable[Baseline]) -> None:
    """Curated entries."""
    table = tables.empty("Model", "Vendor", "Access", "Board", "Accessed", "Source", "State", "Id")
    for each in found:
        state = f"retired: {escape(each.retired_reason)}" if each.retired else "on the board"
        cells = (each.model, each.organization, each.access, each.benchmark, each.access_date, each.source_url)
        table.add_row(*(escape(cell) for cell in cells), state, escape(each.id))
    if table.row_count:
        tables.put(console, table)
    else:
        console.print("There are no curated baselines.")


def dead_letters(console: Console, found: Iterable[DeadLetter]) -> None:
    """Submissions that failed on the service's side; the end of what the scorer said below each."""
    table = tables.empty("Failed", "Team", "Model", "Subset", "Attempts", "Ended as", "Submission")
    for each in found:
        ended = f"{each.error or each.title}{'' if each.can_be_retried else ' (its archive is gone)'}"
        said = each.message.strip().splitlines()[-1:] or [""]
        cells = (each.team, each.model, each.subset or "(the check)", str(each.attempts), ended, each.submission)
        table.add_row(clock(each.failed_at), *(escape(cell) for cell in cells))
        if said[0]:
            table.add_row("", "", "", "", "", escape(said[0][:200]), "")
    if table.row_count:
        tables.put(console, table)
        console.print("Try one again: [bold]gsi runs retry SUBMISSION[/]")
    else:
        console.print("Nothing has failed on the service's side.")


def audit(console: Console, found: Iterable[AuditEntry]) -> None:
    """Acts of maintainers."""
    table = tables.empty("When", "Who", "Act", "On", "Detail")
    for each in found:
        detail = ", ".join(f"{key}={value}" for key, value in each.detail.items())
        table.add_row(clock(each.at), escape(each.actor), escape(each.action), escape(each.subject), escape(detail))
    if table.row_count:
        tables.put(console, table)
    else:
        console.print("No act of a maintainer is on record.")
