"""The options that all subcommands share, and how they become settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.cases import Case, Pattern, Transport
from benchmarks.figures import parse_size
from benchmarks.peers.interface import Peer
from benchmarks.peers.registry import COMPARED, PEERS, muster
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings


@dataclass(frozen=True)
class Defaults:
    """What a benchmark measures, how often and how long, unless it is told."""

    peers: tuple[Peer, ...]
    rounds: int
    seconds: float
    quick_rounds: int
    quick_seconds: float


USUAL = Defaults(PEERS, rounds=7, seconds=1.0, quick_rounds=3, quick_seconds=0.2)
MANY_PEERS = Defaults(COMPARED, rounds=3, seconds=0.15, quick_rounds=2, quick_seconds=0.05)


def size(text: str | int) -> int:
    """Return the bytes in a message size such as 64, 1k, 64KiB or 1M. Raises BadParameter."""
    try:
        return parse_size(str(text))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def sizes_option(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what adds --size, which may be repeated; *default* is what its help says of none."""
    return click.option(
        "--size",
        "sizes",
        multiple=True,
        type=size,
        metavar="SIZE",
        help=f"Only messages of this size; may be repeated.  [default: {default}]",
    )


size_option = click.option(
    "--size",
    "message_size",
    type=size,
    metavar="SIZE",
    default=64,
    show_default=True,
    help="Size of the messages.",
)


def addition(text: str) -> ZeromqPeer:
    """Return the library that NAME=MODULE stands for. Raises BadParameter."""
    name, _, module = text.partition("=")
    if not name or not module:
        raise click.BadParameter(f"{text!r} should be NAME=MODULE")
    return ZeromqPeer(name, module)


def common(
    defaults: Defaults = USUAL,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what adds the options of `Settings`, and --json."""
    names = "; ".join(peer.name for peer in defaults.peers)
    decorators = (
        click.option(
            "--peer",
            "peers",
            multiple=True,
            metavar="NAME",
            help=f"Measure only this library; may be repeated. There are {names}; and those added.",
        ),
        click.option(
            "--add",
            "additions",
            multiple=True,
            type=addition,
            metavar="NAME=MODULE",
            help="Measure MODULE too, which must have pyzmq's API, and call it NAME.",
        ),
        click.option(
            "--reference",
            default="pyzmq",
            show_default=True,
            help="The library that the others are compared with.",
        ),
        click.option(
            "--rounds",
            type=click.IntRange(1),
            help="How often each is measured.  "
            f"[default: {defaults.rounds}; quick: {defaults.quick_rounds}]",
        ),
        click.option(
            "--seconds",
            type=click.FloatRange(0.01),
            help="About how long one measurement takes.  "
            f"[default: {defaults.seconds:g}; quick: {defaults.quick_seconds:g}]",
        ),
        click.option(
            "--time-limit",
            type=click.FloatRange(1),
            default=120,
            show_default=True,
            help="Seconds after which one measurement has failed.",
        ),
        click.option(
            "--quick", is_flag=True, help="A short run: fewer rounds, shorter measurements."
        ),
        click.option(
            "--json",
            "json_file",
            type=click.Path(dir_okay=False, writable=True, path_type=Path),
            help="Write every figure of every round, and the machine, to this file.",
        ),
    )

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def make_settings(common_options: dict[str, Any], defaults: Defaults = USUAL) -> Settings:
    """Return the settings that the common options stand for.

    Raises: UsageError for an unknown library, ClickException when none can be imported.
    """
    known = {peer.name: peer for peer in (*defaults.peers, *common_options["additions"])}
    wanted = common_options["peers"] or list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise click.UsageError(f"unknown library {unknown[0]!r}; there are: {'; '.join(known)}")
    roster = muster(known[name] for name in dict.fromkeys(wanted))
    if not roster.present:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in roster.missing.items())
        raise click.ClickException(f"none of the libraries can be measured ({reasons})")
    quick = common_options["quick"]
    return Settings(
        roster,
        rounds=common_options["rounds"] or (defaults.quick_rounds if quick else defaults.rounds),
        seconds=common_options["seconds"]
        or (defaults.quick_seconds if quick else defaults.seconds),
        time_limit_s=common_options["time_limit"],
        reference=common_options["reference"],
    )


@dataclass(frozen=True)
class Matrix:
    """Which cells of transport x size x pattern to fill."""

    transports: tuple[Transport, ...] = tuple(Transport)
    sizes: tuple[int, ...] = (64, 1 << 10, 64 << 10, 1 << 20)
    patterns: tuple[Pattern, ...] = tuple(Pattern)

    def cases(self) -> list[Case]:
        """Return all cells, the sizes of one pattern next to each other."""
        return [
            Case(pattern, transport, size)
            for transport in self.transports
            for pattern in self.patterns
            for size in self.sizes
        ]


def matrix(command: Callable[..., None]) -> Callable[..., None]:
    """Add --transport, --size and --pattern."""
    decorators = (
        click.option(
            "--transport",
            "transports",
            multiple=True,
            type=click.Choice([transport.value for transport in Transport]),
            help="Only this transport; may be repeated. ipc and tcp (loopback) are between two "
            "processes, inproc between two threads.",
        ),
        sizes_option("64 1k 64k 1M"),
        click.option(
            "--pattern",
            "patterns",
            multiple=True,
            type=click.Choice([pattern.value for pattern in Pattern], case_sensitive=False),
            help="Only this pattern; may be repeated.",
        ),
    )
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def make_matrix(
    transports: tuple[str, ...], sizes: tuple[int, ...], patterns: tuple[str, ...]
) -> Matrix:
    """Return the cells that the matrix options stand for; no value means all values."""
    every = Matrix()
    return Matrix(
        tuple(Transport(name) for name in transports) or every.transports,
        sizes or every.sizes,
        tuple(Pattern(name) for name in patterns) or every.patterns,
    )
