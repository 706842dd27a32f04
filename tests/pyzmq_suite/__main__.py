"""Run pyzmq's tests with shmzmq in zmq's place and print what came of each module.

The exit status is 1 when a case fails that is listed in passing.txt, or a module could not be run,
and 3 when pyzmq's sources could not be downloaded.
"""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from .cases import CANNOT_APPLY, MEASURED, VERSION
from .suite import CannotFetch, Outcome, fetch, run_module

CANNOT_FETCH = 3
PASSING = Path(__file__).parent / "passing.txt"
DIRECTORY = Path(__file__).parents[2] / "build" / "pyzmq"


def table_of(outcomes: dict[str, Outcome], library: str) -> Table:
    """Return a row for each module, and their sum."""
    table = Table(title=f"pyzmq {VERSION}'s tests with {library}")
    for heading in ("module", "passed", "failed", "skipped", "left out"):
        table.add_column(heading, justify="left" if heading == "module" else "right")
    sums = [0, 0, 0, 0]
    for module, outcome in outcomes.items():
        left_out = sum(case.startswith(f"{module}.py::") for case in CANNOT_APPLY)
        row = [len(outcome.passed), len(outcome.failed), len(outcome.skipped), left_out]
        sums = [a + b for a, b in zip(sums, row, strict=True)]
        shown = [outcome.ended_early] if outcome.ended_early else map(str, row)
        table.add_row(module, *shown)
    table.add_section()
    table.add_row("all", *map(str, sums))
    return table


@click.command(help=__doc__)
@click.argument("modules", nargs=-1)
@click.option("--library", type=click.Choice(["shmzmq", "zmq"]), default="shmzmq")
@click.option("--accept", is_flag=True, help="Write the cases that pass to passing.txt.")
def main(modules: tuple[str, ...], library: str, accept: bool) -> None:
    """Run the modules named, or all that are measured."""
    console = Console()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    try:
        sources = fetch(DIRECTORY)
    except CannotFetch as error:
        console.print(str(error), markup=False, highlight=False)
        raise SystemExit(CANNOT_FETCH) from None
    chosen = modules or MEASURED
    outcomes = {module: run_module(sources, module, library=library) for module in chosen}
    console.print(table_of(outcomes, library))
    for outcome in outcomes.values():
        for name, message in outcome.failed.items():
            console.print(f"failed: {name}: {message[:200]}", markup=False, highlight=False)
    passed = {name for outcome in outcomes.values() for name in outcome.passed}
    listed = set(PASSING.read_text(encoding="utf-8").split())
    ours = {name for name in listed if name.split(".")[0] in chosen}
    if accept:
        ours = passed
        PASSING.write_text("".join(f"{name}\n" for name in sorted(listed | ours)), encoding="utf-8")
    expected = sorted(ours - passed)
    for name in expected:
        console.print(f"passed before, and does not now: {name}", markup=False, highlight=False)
    unfinished = any(outcome.ended_early for outcome in outcomes.values())
    raise SystemExit(bool(unfinished or (expected and library == "shmzmq")))


if __name__ == "__main__":
    main()
