"""shmzmq with calls that each send or receive many messages."""

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.cases import Case, Pattern, Role, payload
from benchmarks.gates import Gates
from benchmarks.peers.interface import BatchCalls, Channel
from benchmarks.peers.zeromq import ZeromqPeer

BATCH = 256  # messages in a call
ONE_PART = frozenset({Pattern.PUSH_PULL, Pattern.PUB_SUB, Pattern.PAIR})


class Api(enum.StrEnum):
    """How a program sends and receives: message by message, in lists, or packed in arrays."""

    SINGLE = "single"
    MANY = "many"
    OFFSETS = "offsets"


@dataclass(frozen=True)
class BatchPeer(ZeromqPeer):
    """A library with send_many and recv_many, used in batches of `BATCH`."""

    api: Api = Api.MANY
    patterns: frozenset[Pattern] = ONE_PART

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: tuple[str, str], gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Open one end, with the calls of this API beside the others."""
        with super().open(case, role, wiring, gates, duplex=duplex) as channel:
            sender, receiver = owner(channel.send), owner(channel.recv)
            calls = lists if self.api is Api.MANY else arrays
            yield replace(channel, batches=calls(sender, receiver, case.size))


def owner(method: Any) -> Any:
    """Return the socket that a bound method belongs to."""
    return method.__self__


def lists(sender: Any, receiver: Any, size: int) -> BatchCalls:
    """Return calls that send and receive lists of bytes."""
    send_many, recv_many = sender.send_many, receiver.recv_many
    whole = [[payload(size, turn)] * BATCH for turn in range(2)]

    def send(most: int, turn: int) -> int:
        messages = whole[turn % 2]
        sent: int = send_many(messages if most >= BATCH else messages[:most])
        return sent

    def receive(most: int) -> tuple[int, Callable[[], bytes]]:
        messages = recv_many(min(most, BATCH))
        return len(messages), lambda: messages[-1]

    return BatchCalls(send, receive)


def arrays(sender: Any, receiver: Any, size: int) -> BatchCalls:
    """Return calls that send and receive one buffer with offsets."""
    send_many, recv_packed = sender.send_many, receiver.recv_packed
    whole = [np.frombuffer(payload(size, turn) * BATCH, np.uint8) for turn in range(2)]
    ends = np.arange(BATCH + 1, dtype=np.int64) * size

    def send(most: int, turn: int) -> int:
        offsets = ends if most >= BATCH else ends[: most + 1]
        sent: int = send_many(whole[turn % 2], offsets=offsets)
        return sent

    def receive(most: int) -> tuple[int, Callable[[], bytes]]:
        data, offsets = recv_packed(min(most, BATCH))
        return len(offsets) - 1, lambda: data[offsets[-2] :].tobytes()

    return BatchCalls(send, receive)


def styles(peer: ZeromqPeer, apis: tuple[Api, ...]) -> list[ZeromqPeer]:
    """Return `peer` once for each of the APIs."""
    return [
        peer
        if api is Api.SINGLE
        else BatchPeer(f"{peer.name}, {api}", peer.module, peer.wraps_libzmq, api=api)
        for api in apis
    ]
