"""The command line: one subcommand for each benchmark, and `all`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks import (
    fan_out,
    idle_peers,
    latency,
    matching,
    memory,
    placement,
    session,
    startup,
    throughput,
    zero_copy,
)
from benchmarks.cli_comparison import compare_command, plot_command
from benchmarks.options import (
    Matrix,
    common,
    make_matrix,
    make_settings,
    matrix,
    size_option,
    sizes_option,
)
from benchmarks.peers.batches import Api, styles
from benchmarks.settings import Settings
from benchmarks.turn_about import Answer, Question

PAUSE_MS = 5.0


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Measure shmzmq beside other ways of passing messages on one machine.

    All libraries are measured in one run, in turn (A B A B ...), each time between fresh processes.
    The figures are medians over the rounds; a ratio is the median of the ratios within each round.
    A library that is not installed is named and left out. The exit status is 1 when a measurement
    failed.
    """


main.add_command(compare_command)
main.add_command(plot_command)


@main.command("throughput")
@matrix
@click.option(
    "--api",
    "apis",
    multiple=True,
    type=click.Choice([api.value for api in Api]),
    help="How to use shmzmq: send and recv (single), send_many and recv_many with lists (many), or "
    "with one buffer and offsets (offsets). May be repeated.  [default: single]",
)
@common()
def throughput_command(
    transports: tuple[str, ...],
    sizes: tuple[int, ...],
    patterns: tuple[str, ...],
    apis: tuple[str, ...],
    **options: Any,
) -> None:
    """Messages a second from one sender to one receiver.

    Plain loops of send(bytes) and recv(), counted by the receiver from the end of a warm-up batch
    to the last message. REQ/REP counts requests, each answered by an empty reply. PUB/SUB would
    drop messages, so its publisher waits for the subscriber every 10,000 messages or 16 MiB. At
    most 1,000 messages or 64 MiB wait on each side (high water mark). The batches of --api have 256
    messages.
    """
    settings = make_settings(options)
    if apis:
        settings.roster.vary("shmzmq", lambda peer: styles(peer, tuple(map(Api, apis))))
    cases = make_matrix(transports, sizes, patterns).cases()
    conclude(throughput.questions(cases, settings), settings, options["json_file"])


@main.command("latency")
@matrix
@click.option(
    "--pause-ms",
    "pauses_ms",
    multiple=True,
    type=click.FloatRange(0),
    help="Pause before each round trip, so that both sides are asleep; 0 is busy. May be repeated."
    "  [default: 0 5]",
)
@common()
def latency_command(
    transports: tuple[str, ...],
    sizes: tuple[int, ...],
    patterns: tuple[str, ...],
    pauses_ms: tuple[float, ...],
    **options: Any,
) -> None:
    """The time of a round trip, busy and after a pause.

    A message there and the same message back, one at a time, in µs: the median and the 99th
    percentile. Busy round trips follow one another at once, so that both sides stay awake.
    PUSH/PULL and PUB/SUB use a second pair of sockets for the way back.
    """
    settings = make_settings(options)
    cases = make_matrix(transports, sizes, patterns).cases()
    pauses = pauses_ms or (0.0, PAUSE_MS)
    conclude(latency.questions(cases, pauses, settings), settings, options["json_file"])


@main.command("zero-copy")
@sizes_option("64k 1M 16M")
@common()
def zero_copy_command(sizes: tuple[int, ...], **options: Any) -> None:
    """Large messages a second, copied and not, beside a plain copy in memory.

    PUSH/PULL over ipc as in `throughput`, with each way to send and receive that a library has:
    recv(), recv(copy=False), and for shmzmq loans. The memory of a loan is written once and sent
    again and again. memcpy is one process that copies from one mapping to another.
    """
    settings = make_settings(options)
    questions = zero_copy.questions(sizes or zero_copy.SIZES, settings)
    conclude(questions, settings, options["json_file"])


@main.command("fan-out")
@sizes_option("64 1M")
@common()
def fan_out_command(sizes: tuple[int, ...], **options: Any) -> None:
    """Messages a second from one PUB to eight SUB over ipc, each in its own process.

    Received as bytes and as views (recv(copy=False); pyzmq sends with copy=False then, too). No
    message is dropped: there is no high water mark, and the publisher is two batches of 10,000
    messages or 16 MiB ahead of its subscribers at most.
    """
    settings = make_settings(options)
    questions = fan_out.questions(sizes or fan_out.SIZES, settings)
    conclude(questions, settings, options["json_file"])


@main.command("matching")
@click.option(
    "--subscriptions",
    "counts",
    multiple=True,
    type=click.IntRange(1),
    help="Only with so many subscriptions; may be repeated.  [default: 1 1000 100000]",
)
@common()
def matching_command(counts: tuple[int, ...], **options: Any) -> None:
    """Messages a second that a PUB finds nobody to want, against how many subscriptions there are.

    Publisher and subscriber are in one process, over inproc. The topics are like those subscribed
    to up to their last byte.
    """
    settings = make_settings(options)
    questions = matching.questions(counts or matching.SUBSCRIPTIONS, settings)
    conclude(questions, settings, options["json_file"])


@main.command("idle-peers")
@click.option("--idle", type=click.IntRange(1), help="Idle sockets.  [default: 1000; quick: 100]")
@size_option
@common()
def idle_peers_command(idle: int | None, message_size: int, **options: Any) -> None:
    """The rate through one busy peer of a PULL socket, alone and among many idle ones.

    The idle PUSH sockets live in processes of 200 sockets each and have sent one message before the
    clock starts. The limits on open files are those of the shell.
    """
    settings = make_settings(options)
    questions = idle_peers.questions(idle or default_idle(options), message_size, settings)
    conclude(questions, settings, options["json_file"])


@main.command("startup")
@click.option(
    "--contexts",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Contexts to make and end in the loop.",
)
@common()
def startup_command(contexts: int, **options: Any) -> None:
    """How long it takes to get going.

    The import in a fresh interpreter; the time from the first context to the first message over ipc
    between two fresh processes, one of which binds and then the other connects; and contexts made
    and ended in a loop, with a message through an ipc pair in each.
    """
    settings = make_settings(options)
    conclude(startup.questions(contexts, settings), settings, options["json_file"])


@main.command("memory")
@click.option(
    "--pipes",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Idle connected pipes to divide by.",
)
@common()
def memory_command(pipes: int, **options: Any) -> None:
    """What an idle connected pipe costs over ipc.

    Shared memory is what the file system /dev/shm has in use, so unlinked segments count, and so
    does what other programs do there in the meantime. The processes' own memory and open files are
    those of the two applications, not of any helper process.
    """
    settings = make_settings(options)
    conclude(memory.questions(pipes, settings), settings, options["json_file"])


@main.command("placement")
@click.option(
    "--cpus",
    type=click.IntRange(1, 4),
    default=2,
    show_default=True,
    help="How many CPUs to place the four processes on.",
)
@size_option
@common()
def placement_command(cpus: int, message_size: int, **options: Any) -> None:
    """Which CPUs to give to two applications and their I/O workers.

    PUSH/PULL over ipc and tcp as in `throughput`, in every placement of sender, receiver and their
    workers on the CPUs, beside no placement at all; and which of them was best.
    """
    settings = make_settings(options)
    questions = placement.questions(cpus, message_size, settings)
    for answer in conclude(questions, settings, options["json_file"]):
        found = placement.best(answer)
        if found is not None:
            name, rate = found
            transport = answer.question.labels["transport"]
            click.echo(f"Best over {transport}: {name} ({rate:,.0f} messages/s).")


@main.command("all")
@common()
def all_command(**options: Any) -> None:
    """All benchmarks with their defaults, one record. An hour; with --quick some minutes."""
    settings = make_settings(options)
    cases = Matrix().cases()
    questions = [
        *throughput.questions(cases, settings),
        *latency.questions(cases, (0.0, PAUSE_MS), settings),
        *idle_peers.questions(default_idle(options), 64, settings),
        *zero_copy.questions(zero_copy.SIZES, settings),
        *fan_out.questions(fan_out.SIZES, settings),
        *matching.questions(matching.SUBSCRIPTIONS, settings),
        *startup.questions(100, settings),
        *memory.questions(100, settings),
    ]
    conclude(questions, settings, options["json_file"])


def default_idle(options: dict[str, Any]) -> int:
    """Return how many idle sockets there are unless told."""
    return 100 if options["quick"] else 1000


def conclude(
    questions: Sequence[Question], settings: Settings, json_file: Path | None
) -> list[Answer]:
    """Ask, report, and return the answers.

    Ends the process with status 1 when something failed.
    """
    questions = [question for question in questions if question.takers]
    if not questions:
        raise click.ClickException("none of the libraries here can do this benchmark")
    answers = session.answer_all(questions, settings)
    if not session.report(answers, settings, json_file):
        sys.exit(1)
    return list(answers)
