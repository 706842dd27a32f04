"""The subcommands that compare everything, and draw what came of it."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import click

from benchmarks import compare, page, session
from benchmarks.options import MANY_PEERS, common, make_settings, sizes_option

RECORD = "comparison.json"


@click.command("compare")
@sizes_option("8 64 1k 8k 64k 1M 8M 64M; quick: 64 64k 1M")
@click.option(
    "--plot",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the record and its plots to this directory (see `plot`).",
)
@common(MANY_PEERS)
def compare_command(sizes: tuple[int, ...], directory: Path | None, **options: Any) -> None:
    """Everything that carries messages from process to process, from 8 bytes to 64 MiB.

    One process sends messages and another receives and counts them; then messages go there and back
    one at a time. With bytes in and bytes out, and for the libraries that can, without a copy:
    there only the ends of a message are written and its memory is handed over. memcpy is one
    process that copies from one mapping to another. Five minutes; with --quick less than one.
    """
    settings = make_settings(options, MANY_PEERS)
    if directory is not None:
        find_plots()  # rather than after five minutes
    sizes = sizes or (compare.QUICK_SIZES if options["quick"] else compare.SIZES)
    answers = compare.apart(session.answer_all(compare.questions(sizes, settings), settings))
    json_file = options["json_file"]
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        json_file = json_file or directory / RECORD
    all_is_well = session.report(answers, settings, json_file)
    if directory is not None:
        draw_record(json_file, directory)
    if not all_is_well:
        sys.exit(1)


@click.command("plot")
@click.argument("record", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("directory", type=click.Path(file_okay=False, exists=True, path_type=Path))
def plot_command(record: Path, directory: Path) -> None:
    """Draw the plots of RECORD, which `compare` has written, into DIRECTORY.

    Rate and round trip against message size, as SVG and PNG. The tables of DIRECTORY/comparison.md
    are brought up to date if it is there.
    """
    draw_record(record, directory)


def draw_record(record: Path, directory: Path) -> None:
    """Draw, and say what has been written. Raises ClickException."""
    plot = find_plots()
    try:
        facts = json.loads(record.read_text())
        written = [*plot.draw(facts, directory), *page.refresh(facts, directory)]
    except (KeyError, TypeError, ValueError) as error:
        raise click.ClickException(f"{record} is no record of `compare`: {error!r}") from None
    for path in written:
        click.echo(f"Written to {path}.")


def find_plots() -> Any:
    """Return the module that draws. Raises ClickException without matplotlib."""
    try:
        return importlib.import_module("benchmarks.plot")
    except ImportError as error:
        raise click.ClickException(
            f"nothing can be drawn: {error}; matplotlib comes with the extra 'plot'"
        ) from None
