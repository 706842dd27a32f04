"""The command line of the demo."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from benchmarks import session
from benchmarks.children import ChildFailed
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.table import console
from demo import speed
from demo.corpus import source_files, standard_library
from demo.sink import BadMessage, Harvest, Stalled, hash_everything
from demo.verdict import Verdict, judge

COMPLAINTS_SHOWN = 20


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=max(2, min(8, len(os.sched_getaffinity(0)))),
    show_default=True,
    help="Processes that hash.",
)
@click.option(
    "--library",
    "module",
    default="shmzmq",
    show_default=True,
    help="The module to use; any with pyzmq's API.",
)
@click.option(
    "--patience",
    type=click.FloatRange(1),
    default=30,
    show_default=True,
    help="Seconds without a message after which files that have not arrived count as missing.",
)
@click.option("--speed/--no-speed", "with_speed", default=True, help="Measure the speed too.")
def main(workers: int, module: str, patience: float, with_speed: bool) -> None:
    """Hash every source file of Python's standard library, with messages over ipc://.

    A ventilator process streams the files to worker processes, which send the digests on to this
    one. It compares each with one computed directly. Then the rate one way and the time of a round
    trip are measured, beside pyzmq when that is installed. The exit status is 1 when a file is
    missing, a digest is wrong, or a process fails.
    """
    out = console()
    peer = ZeromqPeer(module, module)
    try:
        peer.version()
    except ImportError as reason:
        raise click.ClickException(f"{module} cannot be imported: {reason}") from None
    try:
        good = show_pipeline(out, module, workers, patience)
    except (ChildFailed, Stalled, BadMessage) as failure:
        report_failure(failure)
    if not good or not (show_speed(out, peer) if with_speed else True):
        sys.exit(1)


def report_failure(failure: ChildFailed | Stalled | BadMessage) -> None:
    """Print what went wrong and end the process with status 1."""
    details = getattr(failure, "details", "")
    raise click.ClickException(f"{failure}\n{details}".rstrip())


def show_pipeline(out: Console, module: str, workers: int, patience_s: float) -> bool:
    """Hash the standard library and print the table; return whether all is right."""
    root = standard_library()
    names = source_files(root)
    out.print(
        f"{len(names):,} source files of {root}: ventilator, {workers} workers and sink over ipc",
        highlight=False,
        soft_wrap=True,
    )
    with progress(out, "hashing", len(names)) as on_progress:
        harvest = hash_everything(module, root, names, workers, patience_s, on_progress)
    with progress(out, "checking", len(names)) as on_progress:
        verdict = judge(harvest, root, names, on_progress)
    out.print(pipeline_table(harvest))
    return show_verdict(out, harvest, verdict)


@contextmanager
def progress(out: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, and nothing elsewhere; gives the function that moves it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def pipeline_table(harvest: Harvest) -> Table:
    """Return what went through the pipeline; each file is a message there and a digest back."""
    messages = len(harvest.digests) + sum(harvest.shares.values())
    seconds = harvest.seconds
    shares = ", ".join(f"{harvest.shares[number]:,}" for number in sorted(harvest.shares))
    table = Table(title="Pipeline", title_justify="left")
    for heading in ("files", "bytes", "messages", "seconds", "messages/s", "MB/s", "by worker"):
        table.add_column(heading, justify="right")
    table.add_row(
        f"{len(harvest.digests):,}",
        f"{harvest.size:,}",
        f"{messages:,}",
        f"{seconds:.3f}",
        f"{messages / seconds:,.0f}" if seconds else "",
        f"{harvest.size / seconds / 1e6:,.1f}" if seconds else "",
        shares,
    )
    return table


def show_verdict(out: Console, harvest: Harvest, verdict: Verdict) -> bool:
    """Print that all is right, or the names of the files that are not; return which."""
    if verdict.good:
        out.print("Every digest is the one computed directly.")
        return True
    err = console(stderr=True)
    complaints = verdict.complaints()
    reason = f" ({harvest.stalled})" if harvest.stalled else ""
    err.print(f"{len(complaints):,} files are not right{reason}:", highlight=False)
    for line in complaints[:COMPLAINTS_SHOWN]:
        err.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if len(complaints) > COMPLAINTS_SHOWN:
        err.print(f"  and {len(complaints) - COMPLAINTS_SHOWN:,} more", highlight=False)
    return False


def show_speed(out: Console, peer: ZeromqPeer) -> bool:
    """Measure and print the speed; return whether nothing failed."""
    settings = speed.speed_settings(peer)
    answers = session.answer_all(speed.speed_questions(settings), settings)
    out.print(speed.speed_table(answers, peer, settings))
    session.show_circumstances(settings, out)
    return not session.show_failures(answers)
