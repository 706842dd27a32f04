"""PUB and SUB whose processes are killed under traffic.

A publisher drops what a subscriber has no room for. Here they keep close together and have no high
water marks, so that nothing may be missing from the first message on that a subscriber gets.
"""

from random import Random
from typing import Any

import pytest
from crash.actors import LEAD
from crash.cast import Actor, Cast
from crash.payload import Ledger, message
from crash.record import Record
from support.factory import SocketFactory
from support.library import zmq

STEADY = 1
VICTIM = 100
NO_MARKS: dict[str, Any] = {"sndhwm": 0, "rcvhwm": 0}


class Reader:
    """A SUB socket of the test, which lets each of its publishers know how far it has got.

    They are XPUB, and so know when it has subscribed.
    """

    def __init__(self, cast: Cast, sockets: SocketFactory, **options: Any) -> None:
        self._cast = cast
        self._socket = sockets.open(zmq.SUB, subscribe=b"", reconnect_ivl=5, **NO_MARKS, **options)
        self._ledger = Ledger()
        self._slowest: dict[int, Record] = {}

    def publisher(self, sender: int, how: str, endpoint: str) -> Actor:
        """Start a publisher, which begins when it has been subscribed to."""
        slowest = self._slowest[sender] = self._cast.record()
        self._ledger.following[sender] = 0
        return self._cast.start(
            "send",
            type="XPUB",
            how=how,
            endpoint=endpoint,
            options=NO_MARKS,
            sender=sender,
            slowest=str(slowest.path),
        )

    def receive(self, sender: int, count: int) -> None:
        """Receive *count* more messages from one sender, and what others send."""
        self.receive_up_to(sender, self._ledger.following[sender] + count)

    def receive_up_to(self, sender: int, number: int) -> None:
        """Receive until this sender's messages are there up to *number*."""
        while self._ledger.following[sender] < number:
            self._receive()

    def _receive(self) -> None:
        sender = self._ledger.note(self._socket.recv_multipart())
        self._slowest[sender].note(self._ledger.following[sender] - 1)


@pytest.mark.parametrize("how", ["connect", "bind"])
def test_publishers_die(cast: Cast, sockets: SocketFactory, how: str, seed: int) -> None:
    random = Random(seed)
    endpoint, other = cast.endpoint(), cast.endpoint()
    if how == "bind":
        reader = Reader(cast, sockets, connect=[endpoint, other])
    else:
        reader = Reader(cast, sockets, bind=[endpoint, other])
    reader.publisher(STEADY, how, other)
    reader.receive(STEADY, 1)
    for sender in range(VICTIM, VICTIM + 2):
        victim = reader.publisher(sender, how, endpoint)
        reader.receive(sender, random.randrange(1, 1000))
        victim.kill()
        reader.receive_up_to(sender, victim.record.following)
        reader.receive(STEADY, 100)


def _publish(socket: Any, number: int, records: list[Record]) -> int:
    """Publish the message of this number once all subscribers are close to it; return the next."""
    if all(number < record.following + LEAD for record in records if record.following):
        socket.send_multipart(message(STEADY, number))
        return number + 1
    socket.poll(1)
    return number


@pytest.mark.parametrize("how", ["connect", "bind"])
def test_subscribers_die(cast: Cast, sockets: SocketFactory, how: str, seed: int) -> None:
    random = Random(seed)
    endpoint, other = cast.endpoint(), cast.endpoint()
    ours = {"connect" if how == "bind" else "bind": [endpoint, other]}
    pub = sockets.open(zmq.PUB, reconnect_ivl=5, **NO_MARKS, **ours)
    part: dict[str, Any] = {"type": "SUB", "how": how, "options": NO_MARKS | {"subscribe": ""}}
    steady = cast.start("receive", endpoint=other, **part)
    number = 0
    for _ in range(3):
        victim = cast.start("receive", endpoint=endpoint, **part)
        enough = random.randrange(1, 1000)
        while victim.record.following - victim.record.first < enough:
            number = _publish(pub, number, [steady.record, victim.record])
        victim.kill()
        for _ in range(100):
            number = _publish(pub, number, [steady.record])
    # The actor that lives has checked that it missed nothing.
    while steady.record.following < number:
        pub.poll(1)
    steady.stop()


def test_both_die(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    pub: dict[str, Any] = {"type": "PUB", "how": "bind", "endpoint": endpoint, "sender": VICTIM}
    sub: dict[str, Any] = {
        "type": "SUB",
        "how": "connect",
        "endpoint": endpoint,
        "options": {"subscribe": ""},
    }
    for _ in range(2):
        publisher = cast.start("send", wait=False, **pub)
        subscriber = cast.start("tally", wait=False, **sub)
        subscriber.await_progress(random.randrange(1, 1000))
        for actor in random.sample((publisher, subscriber), 2):
            actor.kill()
    reader = Reader(cast, sockets, connect=endpoint)
    reader.publisher(STEADY, "bind", endpoint)
    reader.receive(STEADY, 100)
