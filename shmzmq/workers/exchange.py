"""The worker's relayed connections: which of them have something to do, and when it may sleep."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from ..shm.liveness import this_process
from .commands import PeerEnd
from .mail import Mail
from .reactor import READ, Reactor

if TYPE_CHECKING:
    from ..shm.board import Board

ADDS_NOTHING = -1
"""A high water mark of a worker's end of a pipe: the other end's counts alone, as with libzmq."""


class Carrier(Protocol):
    """A connection that is relayed."""

    def send(self) -> bool:
        """Take a turn at the ring that the application writes; whether another is due at once.

        If not, the carrier asks for the next one, or the application posts.
        """

    def on_room(self) -> None:
        """The application may have made room in the ring that it reads."""


class Exchange:
    """Has carriers take turns. Its board is made when the first of them comes.

    A carrier is active from when its application posts until it is found at rest: an active one is
    looked at in each round of the reactor, all others only when there is mail for them.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._mail: Mail | None = None
        self._carriers: dict[int, Carrier] = {}
        self._active: dict[int, Carrier] = {}

    @property
    def board(self) -> Board:
        """The worker's board. Raises ZMQError when none can be made."""
        return self._made().board

    def reserve(self) -> int:
        """Return the bit for a new pipe. Raises ZMQError(ENOBUFS) when all are taken."""
        return self._made().reserve()

    def end_of_pipe(self, bit: int) -> tuple[PeerEnd, int]:
        """Return how the application is to know our end, and a descriptor that is the caller's."""
        board = self.board
        end = PeerEnd(board.name, bit, ADDS_NOTHING, ADDS_NOTHING, *this_process())
        return end, os.dup(board.doorbell.fileno())

    def add(self, bit: int, carrier: Carrier) -> None:
        """Have *carrier* take turns, the first in this round."""
        self._carriers[bit] = self._active[bit] = carrier

    def remove(self, bit: int) -> None:
        """The carrier is gone; the pipe may have another later."""
        self._active.pop(bit, None)
        self._carriers.pop(bit, None)

    def release(self, bit: int) -> None:
        """The pipe is gone; its bit is another's."""
        self.board.release(bit)

    def activate(self, bit: int) -> None:
        """Have the carrier take a turn."""
        carrier = self._carriers.get(bit)
        if carrier is not None:
            self._active[bit] = carrier

    def _made(self) -> Mail:
        if self._mail is None:
            mail = self._mail = Mail()
            self._reactor.watch(mail.board.doorbell.fileno(), READ, lambda _: mail.drain())
        return self._mail

    # -- what the reactor asks ---------------------------------------------------------------------

    def work(self) -> bool:
        """Give each active carrier its turn; whether there is more to do at once."""
        if self._mail is None:
            return False
        mail = self._mail.take()
        if mail is not None:
            ready, room = mail
            for bit in room:
                if bit in self._carriers:
                    self._carriers[bit].on_room()
            for bit in ready:
                self.activate(bit)
        for bit, carrier in list(self._active.items()):
            # An earlier one's turn may have ended it.
            if bit in self._active and not carrier.send():
                self._active.pop(bit, None)
        return bool(self._active)

    def may_sleep(self) -> bool:
        """Announce that the worker sleeps; false when there is news that it must look at first."""
        return self._mail is None or self._mail.is_quiet()

    def awake(self) -> None:
        """The worker sleeps no more."""
        if self._mail is not None:
            self._mail.awake()

    def close(self) -> None:
        """The worker ends."""
        if self._mail is not None:
            self._reactor.forget(self._mail.board.doorbell.fileno())
            self._mail.close()
            self._mail = None
