"""The stream that the rates come from: what is checked of it, in batches and one by one."""

from collections import deque
from typing import Any, cast

import pytest

from benchmarks import throughput
from benchmarks.cases import Case, Pattern, Transport, payload
from benchmarks.gates import Gates
from benchmarks.peers.interface import BatchCalls, Channel

CASE = Case(Pattern.PUSH_PULL, Transport.IPC, 64)
NO_GATES = cast("Gates", None)  # which only patterns that may lose messages need


def loop(*, in_batches: bool) -> Channel:
    """Return a channel whose two ends are one queue."""
    queue: deque[Any] = deque()

    def send_some(most: int, turn: int) -> int:
        count = min(most, 3)
        queue.extend([payload(CASE.size, turn % 2)] * count)
        return count

    def receive_some(most: int) -> tuple[int, Any]:
        came = [queue.popleft() for _ in range(min(most, 2, len(queue)))]
        return len(came), lambda: came[-1]

    calls = BatchCalls(send_some, receive_some) if in_batches else None
    return Channel(queue.append, queue.popleft, lambda count: None, batches=calls)


@pytest.mark.parametrize("batches", [1, 2, 3, 4])
@pytest.mark.parametrize("in_batches", [False, True])
def test_should_take_every_number_of_batches(batches: int, in_batches: bool) -> None:
    channel, plan = loop(in_batches=in_batches), throughput.Plan(5, batches)
    throughput.send_batches(CASE, plan, channel, NO_GATES)
    assert throughput.receive_batches(CASE, plan, channel, NO_GATES) > 0


@pytest.mark.parametrize("in_batches", [False, True])
def test_should_notice_what_is_not_there_once(in_batches: bool) -> None:
    channel = loop(in_batches=in_batches)
    throughput.send_batches(CASE, throughput.Plan(5, 2), channel, NO_GATES)
    channel.recv()
    with pytest.raises(ValueError, match="lost or came twice"):
        throughput.receive_batches(CASE, throughput.Plan(5, 1), channel, NO_GATES)
