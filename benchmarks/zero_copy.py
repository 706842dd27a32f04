"""Large messages a second, with every way to send and receive them that a library has."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from mmap import mmap
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.cases import Case, Pattern, Role, Transport, payload
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.throughput import METRIC, Throughput
from benchmarks.turn_about import Figures, Question, Taker

SIZES = (64 << 10, 1 << 20, 16 << 20)


@dataclass(frozen=True)
class StyledPeer(ZeromqPeer):
    """A library with pyzmq's API, used without copies as far as `loans` and `views` say."""

    views: bool = False  # recv(copy=False)
    frames: bool = False  # send(copy=False)
    loans: bool = False  # send(loan(size)); the memory is written when it is first seen

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: tuple[str, str], gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Open one end, and have it send and receive in this style."""
        with super().open(case, role, wiring, gates, duplex=duplex) as channel:
            send, recv = channel.send, channel.recv
            if self.loans:
                send = lend(send, payload(case.size))
            elif self.frames:
                send = without_copy(send)
            if self.views:
                recv = view(recv)
            yield replace(channel, send=send, recv=recv)


def lend(send: Any, body: bytes) -> Callable[[bytes], object]:
    """Return a sender of loans, filled unless they hold `body` from an earlier time."""
    loan_of, size = send.__self__.loan, len(body)

    def send_loan(_: bytes) -> None:
        loan = loan_of(size)
        memory = memoryview(loan)
        if memory[0] != body[0] or memory[-1] != body[-1]:
            memory[:] = body
        send(loan)

    return send_loan


def without_copy(send: Any) -> Callable[[bytes], object]:
    """Return pyzmq's zero-copy send."""
    return lambda body: send(body, copy=False)


def view(recv: Any) -> Callable[[], object]:
    """Return a receiver of frames."""
    return lambda: recv(copy=False)


def copy_in_memory(size: int, seconds: float) -> Taker:
    """Return a taker that copies `size` bytes from one shared mapping to another."""

    def take() -> Figures:
        here, there = (np.frombuffer(mmap(-1, size), np.uint8) for _ in range(2))
        here[:] = 1
        there[:] = 2
        count, started = 0, perf_counter()
        while perf_counter() - started < seconds:
            there[:] = here
            count += 1
        rate = count / (perf_counter() - started)
        return {METRIC: rate, "MB/s": rate * size / 1e6}

    return take


def questions(sizes: Iterable[int], settings: Settings) -> list[Question]:
    """Return one question for each size: how many messages PUSH/PULL over ipc carries a second."""
    present = {peer.name: peer for peer in settings.roster.zeromq()}
    styles: list[StyledPeer] = []
    if "shmzmq" in present:
        styles += [
            StyledPeer("shmzmq", "shmzmq"),
            StyledPeer("shmzmq, view", "shmzmq", views=True),
            StyledPeer("shmzmq, loan and view", "shmzmq", views=True, loans=True),
        ]
    if "pyzmq" in present:
        styles += [
            StyledPeer("pyzmq", "zmq", wraps_libzmq=True),
            StyledPeer("pyzmq, copy=False", "zmq", wraps_libzmq=True, views=True, frames=True),
        ]
    found = []
    for size in sizes:
        case = Case(Pattern.PUSH_PULL, Transport.IPC, size)
        takers: dict[str, Taker] = {
            style.name: Throughput(style, case, settings.seconds, settings.time_limit_s)
            for style in styles
        }
        takers["memcpy"] = copy_in_memory(size, settings.seconds)
        reference = settings.reference_among(list(takers))
        found.append(Question("zero-copy", case.labels(), takers, METRIC, True, reference))
    return found
