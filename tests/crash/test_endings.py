"""A sender that ends right after sending, in whatever way, has its messages delivered."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from crash import endings
from crash.cast import Cast, names_of
from crash.payload import Ledger
from crash.traffic import receive_up_to
from support.channel import ChildProcess
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.waiting import wait_until_blocked

WAYS = [way.__name__ for way in endings.WAYS]
# So many at a time: with many messages each, there is a limit to the shared memory that they may
# take.
AT_ONCE = 2


@contextmanager
def _senders(way: str, endpoint: str, count: int) -> Iterator[list[ChildProcess]]:
    """Run some senders to their end; behind that they have left no name, without any sweep."""
    with ExitStack() as stack:
        children = [
            stack.enter_context(
                ChildProcess("crash.endings", way, endpoint, str(count), str(sender))
            )
            for sender in range(AT_ONCE)
        ]
        yield children
        assert {child.wait() for child in children} == {1 if way == "error" else 0}
    assert names_of(child.pid for child in children) == []


def _receive_all(pull: Socket, count: int) -> None:
    """Receive *count* messages from each sender, whole and in order, and see that no more come."""
    ledger = Ledger()
    for sender in range(AT_ONCE):
        receive_up_to(pull, ledger, sender, count)
    assert ledger.following == dict.fromkeys(range(AT_ONCE), count)


@pytest.mark.parametrize("count", [1, 5000])
@pytest.mark.parametrize("way", WAYS)
def test_the_receiver_is_there(
    cast: Cast, sockets: SocketFactory, way: str, count: int, turns: int
) -> None:
    endpoint = cast.endpoint()
    pull = sockets.open(zmq.PULL, bind=endpoint)
    for _ in range(turns):
        with _senders(way, endpoint, count):
            _receive_all(pull, count)
    assert not pull.poll(0)


@pytest.mark.parametrize("count", [1, 5000])
@pytest.mark.parametrize("way", WAYS)
def test_the_receiver_comes_later(
    cast: Cast, sockets: SocketFactory, way: str, count: int, turns: int
) -> None:
    for _ in range(turns):
        endpoint = cast.endpoint()
        with _senders(way, endpoint, count) as children:
            for child in children:
                assert child.channel.hear() == "sent"
            pull = sockets.open(zmq.PULL, bind=endpoint)
            _receive_all(pull, count)
            pull.close()


@pytest.mark.parametrize("way", ["no_close", "close"])
def test_ctrl_c_ends_the_wait_for_a_receiver(cast: Cast, way: str) -> None:
    with ChildProcess("crash.endings", way, cast.endpoint(), "1", "0") as child:
        assert child.channel.hear() == "sent"
        wait_until_blocked(pid=child.pid)
        os.kill(child.pid, signal.SIGINT)
        child.wait()
    # What it had sent is given up, and its memory with it.
    assert names_of([child.pid]) == []
