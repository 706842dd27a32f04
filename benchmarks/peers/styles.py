"""Libraries used without copies: messages written where they are sent from, read where they lie."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.cases import Case, Role
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel
from benchmarks.peers.zeromq import ZeromqPeer

WRITTEN_WHOLE = 32 << 10  # bytes


@dataclass(frozen=True)
class StyledPeer(ZeromqPeer):
    """A library with pyzmq's API, used without copies as far as `loans` and `views` say."""

    views: bool = False  # recv(copy=False)
    frames: bool = False  # send(copy=False)
    loans: bool = False  # send(loan(size))

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: tuple[str, str], gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Open one end, and have it send and receive in this style."""
        with super().open(case, role, wiring, gates, duplex=duplex) as channel:
            send, recv = channel.send, channel.recv
            if self.loans:
                send = lend(send, case.size)
            elif self.frames:
                send = without_copy(send)
            if self.views:
                recv = view(recv)
            yield replace(channel, send=send, recv=recv, echo=echo_in_place(send, recv))


def lend(send: Any, size: int) -> Callable[[bytes], object]:
    """Return a sender of loans of `size` bytes."""
    loan_of = send.__self__.loan

    def send_loan(body: bytes) -> None:
        loan = loan_of(size)
        write(memoryview(loan), body)
        send(loan)

    return send_loan


def without_copy(send: Any) -> Callable[[bytes], object]:
    """Return pyzmq's zero-copy send."""
    return lambda body: send(body, copy=False)


def view(recv: Any) -> Callable[[], object]:
    """Return a receiver of frames."""
    return lambda: recv(copy=False)


def write(memory: memoryview, body: bytes) -> None:
    """Make `memory` hold `body`, of the same size: all of it, or its ends where the rest is there.

    What is measured is how fast memory is handed over, not how fast it is filled. `payload` says
    what bodies have in common. A small one is written whole: its memory may come from the heap, and
    so have an old body in its middle and anything around it.
    """
    middle = len(body) // 2
    if len(body) <= WRITTEN_WHOLE or memory[middle] != body[middle]:
        memory[:] = body
    else:
        memory[0], memory[-1] = body[0], body[-1]


def echo_in_place(send: Callable[[Any], object], recv: Callable[[], Any]) -> Callable[[int], None]:
    """Return an echo loop that reads the ends of what came, and writes them into the answer."""

    def echo(count: int) -> None:
        for _ in range(count):
            send(memoryview(recv()).cast("B"))

    return echo
