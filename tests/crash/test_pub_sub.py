"""PUB and SUB whose processes are killed under traffic."""

from random import Random
from typing import Any

import pytest
from support.exchange import settle
from support.factory import SocketFactory
from support.library import Socket, zmq

from crash.actors import LEAD
from crash.cast import Actor, Cast
from crash.payload import Ledger, message
from crash.record import Record
from crash.traffic import receive_up_to

STEADY = 1
VICTIM = 100
# The peers keep close together, so that a publisher that drops nothing needs no marks.
NO_MARKS = {"sndhwm": 0, "rcvhwm": 0}
OTHER_WAY = {"bind": "connect", "connect": "bind"}


class Reader:
    """A SUB socket of the test, and the record by which its publishers know how far it has got."""

    def __init__(self, cast: Cast, sockets: SocketFactory, **options: Any) -> None:
        self._cast = cast
        self._socket = sockets.open(zmq.SUB, subscribe=b"", reconnect_ivl=5, **NO_MARKS, **options)
        self.ledger = Ledger()

    def publisher(self, endpoint: str, sender: int, how: str) -> tuple[Actor, Record]:
        """Start a publisher and return it with the record that slows it down."""
        slowest = self._cast.record()
        part = {"type": "PUB", "how": how, "endpoint": endpoint, "options": NO_MARKS}
        actor = self._cast.start("send", sender=sender, slowest=str(slowest.path), **part)
        return actor, slowest

    def receive(self, count: int, slowest: dict[int, Record]) -> None:
        """Receive *count* messages from anybody."""
        for _ in range(count):
            sender = self.ledger.note(self._socket.recv_multipart())
            slowest[sender].note(self.ledger.following[sender] - 1)

    def receive_up_to(self, sender: int, number: int, slowest: dict[int, Record]) -> None:
        """Receive until this sender's messages are there up to *number*."""
        while self.ledger.following.get(sender, 0) < number:
            self.receive(1, slowest)
