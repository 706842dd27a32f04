"""One run of the command line: ask the questions, show the answers, keep the record."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import machine
from benchmarks.record import make_record
from benchmarks.settings import Settings
from benchmarks.table import console, label_text, show_answers
from benchmarks.turn_about import Answer, Question, ask


def answer_all(questions: Sequence[Question], settings: Settings) -> list[Answer]:
    """Ask each question for all its rounds, with a progress bar on a terminal.

    Blocks: until all is measured.
    """
    err = console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    total = sum(len(question.takers) for question in questions) * settings.rounds
    answers = []
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("measuring", total=total)
        for question in questions:
            about = describe(question)

            def tick(taker: str, about: str = about) -> None:
                progress.update(task, advance=1, description=f"{about}: {taker}")

            answers.append(ask(question, settings.rounds, tick))
    return answers


def describe(question: Question) -> str:
    """Return a question in a few words."""
    labels = (label_text(name, value) for name, value in question.labels.items())
    return " ".join([question.benchmark, *labels])


def report(answers: Sequence[Answer], settings: Settings, json_file: Path | None) -> bool:
    """Print everything, write the record, and return whether nothing failed."""
    out = console()
    show_answers(answers, out)
    show_circumstances(settings, out)
    if json_file:
        record = make_record(answers, settings, sys.orig_argv[1:])
        json_file.write_text(json.dumps(record, indent=2) + "\n")
        out.print(f"Written to {json_file}.", highlight=False)
    return not show_failures(answers)


def show_circumstances(settings: Settings, out: Console) -> None:
    """Print the machine, the versions, the method, and what could not be measured."""
    facts = machine.facts()
    versions = ", ".join(f"{name} {version}" for name, version in settings.roster.versions.items())
    out.print(
        f"{facts['cpus']} CPUs ({facts['processor']}), {facts['kernel']}, {facts['python']}; "
        f"load before the run {settings.load_before:.1f}; {versions}.\n"
        f"Medians of {settings.rounds} rounds, measured in turn; "
        "ratios are medians of each round's ratio.",
        highlight=False,
        soft_wrap=True,
    )
    for name, reason in settings.roster.missing.items():
        out.print(f"Not measured: {name} ({reason}).", highlight=False, soft_wrap=True)


def show_failures(answers: Sequence[Answer]) -> bool:
    """Print every failure, with its traceback, to standard error; return whether there was one."""
    err = console(stderr=True)
    failed = False
    for answer in answers:
        for taker, failure in answer.failures.items():
            failed = True
            text = f"{describe(answer.question)}: {taker}: {failure}\n{failure.details}"
            err.print(text.rstrip(), highlight=False, markup=False, soft_wrap=True)
    return failed
