"""Answers as a table on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.figures import format_figure, format_ratio, format_size
from benchmarks.turn_about import Answer, Spread, spread

# What rich assumes for a file or a pipe (80) would fold the wider tables.
WIDTH_OF_A_FILE = 140


def console(*, stderr: bool = False) -> Console:
    """Return a console as wide as the terminal, and wide enough for a table where there is none."""
    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=WIDTH_OF_A_FILE)


def show_answers(answers: Sequence[Answer], out: Console) -> None:
    """Print one table for each group of answers that have the same columns."""
    groups: dict[tuple[str, ...], list[Answer]] = {}
    for answer in answers:
        key = (answer.question.benchmark, answer.question.what_differs, *answer.metrics())
        groups.setdefault(key, []).append(answer)
    for group in groups.values():
        out.print(make_table(group))


def make_table(answers: Sequence[Answer]) -> Table:
    """Return a table with a row for each taker of each answer, which must have the same columns."""
    question = answers[0].question
    metrics = answers[0].metrics()
    reference = next((a.question.reference for a in answers if a.question.reference), None)
    table = Table(title=question.benchmark, title_justify="left")
    for label in (*question.labels, question.what_differs):
        table.add_column(label)
    for number, metric in enumerate(metrics):
        table.add_column(metric, justify="right")
        if number == 0:
            table.add_column("least - most", justify="right")
    if reference:
        better = "more" if question.higher_is_better else "shorter"
        table.add_column(f"ratio to {reference}\n(times {better})", justify="right")
        table.add_column("least - most", justify="right")
    for answer in answers:
        for taker in answer.question.takers:
            table.add_row(*row(answer, taker, metrics, bool(reference)))
        table.add_section()
    return table


def row(answer: Answer, taker: str, metrics: list[str], with_ratio: bool) -> list[str]:
    """Return the cells of one taker's row; a failure stands where its first figure would."""
    labels = [label_text(name, value) for name, value in answer.question.labels.items()]
    if taker in answer.failures:
        return [*labels, taker, "failed"]
    cells = [*labels, taker]
    for number, metric in enumerate(metrics):
        found = spread(answer.values(taker, metric))
        cells.append(format_figure(found.median) if found else "")
        if number == 0:
            cells.append(ends(found))
    if with_ratio:
        ratio = spread(answer.ratios(taker))
        cells += [format_ratio(ratio.median) if ratio else "", ends(ratio)]
    return cells


def ends(found: Spread | None) -> str:
    """Return the least and the most of a spread."""
    return f"{format_figure(found.least)} - {format_figure(found.most)}" if found else ""


def label_text(name: str, value: str | int) -> str:
    """Return a label as it stands in a table; sizes get their unit."""
    if isinstance(value, str):
        return value
    return format_size(value) if name == "size" else f"{value:,}"
