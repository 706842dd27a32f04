"""Keeping traffic going in the test's own process until the moment has come."""

from crash.payload import Ledger, message
from crash.record import Record
from support.library import Socket, zmq
from support.waiting import wait_for

# How long one look at a socket lasts in a loop that ends with something else.
_LOOK_MS = 10


def receive_up_to(socket: Socket, ledger: Ledger, sender: int, number: int) -> None:
    """Receive and check messages until this sender's are there up to *number*."""
    while ledger.following.get(sender, 0) < number:
        ledger.note(socket.recv_multipart())


class Stream:
    """One sender's messages through a socket of the test, as many as it takes."""

    def __init__(self, socket: Socket, sender: int) -> None:
        self._socket = socket
        self._sender = sender
        self.number = 0

    def send(self) -> None:
        """Send the next message, waiting while there is no room."""
        self._socket.send_multipart(message(self._sender, self.number))
        self.number += 1

    def fill(self, most: int = 3000) -> None:
        """Send until there is no room, *most* messages at most."""
        for _ in range(most):
            try:
                self._socket.send_multipart(message(self._sender, self.number), zmq.NOBLOCK)
            except zmq.Again:
                return
            self.number += 1

    def send_until(self, record: Record, following: int) -> None:
        """Send whenever there is room, until the actor of *record* has got so far."""
        while record.following < following:
            if self._socket.poll(_LOOK_MS, zmq.POLLOUT):
                self.send()

    def await_arrival(self, record: Record) -> None:
        """Wait until the actor of *record* has everything that was sent.

        The socket is not used meanwhile: what a lost peer had not read is handed on all the same.
        """
        wait_for(lambda: record.following == self.number, f"message {self.number - 1} has arrived")
