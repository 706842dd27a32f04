"""The worker's relayed connections: which of them have something to do, and when it may sleep."""

import os

import cython
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.blocks import Pool
from cython.cimports.shmzmq.shm.ledger import Ledger
from cython.cimports.shmzmq.shm.lender import Lender
from cython.cimports.shmzmq.shm.patience import Patience
from cython.cimports.shmzmq.workers.mail import Mail
from cython.cimports.shmzmq.workers.reactor import Reactor, Source, Turns

from ..shm.liveness import this_process
from .commands import PeerEnd
from .reactor import EDGE, READ

_ADDS_NOTHING = -1
"""A high water mark of a worker's end of a pipe: the other end's counts alone, as with libzmq."""


@cython.cclass
class Carrier(Source):
    """A connection that is relayed."""

    def send(self):
        """Take a turn at the ring that the application writes; whether another is due at once.

        If not, the carrier asks for the next one, or the application posts.
        """
        raise NotImplementedError

    def on_room(self):
        """The application may have made room in the ring that it reads."""
        raise NotImplementedError


@cython.cclass
class Rung(Source):
    """The doorbell has rung: the reactor wakes up and looks at its mail, and that is all."""

    def ready(self, events):
        return 0


@cython.cclass
class Exchange(Turns):
    """Has carriers take turns. Its board is made when the first of them comes.

    A carrier is active from when its application posts until it is found at rest: an active one is
    looked at in each round of the reactor, all others only when there is mail for them.
    """

    def __init__(self, reactor: Reactor):
        self.reactor = reactor
        self.lender = Lender(Pool(0))
        self.patience = Patience()  # for whatever comes before there is traffic
        self.after_sending = Patience()
        self.after_receiving = Patience()
        self.carriers = {}
        self.active = {}

    @property
    def board(self):
        """The worker's board. Raises ZMQError when none can be made."""
        return self.made().board

    def reserve(self):
        """Return the bit for a new pipe. Raises ZMQError(ENOBUFS) when all are taken."""
        return self.made().reserve()

    def end_of_pipe(self, bit: cython.int):
        """Return how the application is to know our end, and a descriptor that is the caller's."""
        board = self.board
        end = PeerEnd(board.name, bit, _ADDS_NOTHING, _ADDS_NOTHING, *this_process())
        return end, os.dup(board.doorbell.fileno())

    def add(self, bit: cython.int, carrier: Carrier):
        """Have *carrier* take turns, the first in this round."""
        self.carriers[bit] = self.active[bit] = carrier

    def remove(self, bit: cython.int):
        """The carrier is gone; the pipe may have another later."""
        self.active.pop(bit, None)
        self.carriers.pop(bit, None)

    def release(self, bit: cython.int):
        """The pipe is gone; its bit is another's."""
        self.board.release(bit)

    def let_go(self, pipe: Pipe):
        """Nothing is read from *pipe* or written to it any more.

        The application may still look at what it was lent, and takes up what was not read.
        """
        pipe.let_go()
        pipe.discard_if_left()  # what came for it while it left
        # They are methods of the pipe, which so would wait for the collector, and its memory too.
        pipe.outbound.make_area = pipe.inbound.open_area = pipe.inbound.parts.boxes = None
        pipe.merger = None
        self.release(pipe.bit)

    def activate(self, bit: cython.int):
        """Have the carrier take a turn."""
        carrier = self.carriers.get(bit)
        if carrier is not None:
            self.active[bit] = carrier

    def made(self):
        if self.mail is None:
            self.mail = Mail()
            # The doorbell is never silenced: at its edge it says all there is to say.
            self.reactor.watch(self.mail.board.doorbell.fileno(), READ | EDGE, Rung())
        return self.mail

    # -- what the reactor asks ---------------------------------------------------------------------

    def work(self):
        """Give each active carrier its turn; whether there is more to do at once."""
        if self.mail is None:
            return False
        if self.mail.board.has_news():
            self.take_mail()
        if not self.active:
            return False
        for bit, carrier in list(self.active.items()):
            # An earlier one's turn may have ended it.
            if bit in self.active and not cython.cast(Carrier, carrier).send():
                self.active.pop(bit, None)
        return bool(self.active)

    def take_mail(self):
        ready, room = self.mail.take()
        for bit in room:
            carrier = self.carriers.get(bit)
            if carrier is not None:
                cython.cast(Carrier, carrier).on_room()
        for bit in ready:
            self.activate(bit)
        return 0

    def has_news(self):
        return self.mail is not None and self.mail.board.has_news()

    def may_sleep(self):
        """Announce that the worker sleeps; false when there is news that it must look at first."""
        return self.mail is None or self.mail.board.announce_sleep()

    def awake(self):
        """The worker sleeps no more."""
        if self.mail is not None:
            self.mail.board.awake()
        return 0

    def close(self):
        """The worker ends, or its application's context: nobody will read what is left."""
        if self.mail is not None:
            self.reactor.forget(self.mail.board.doorbell.fileno())
            self.mail.close()
            self.mail = None
        pool: Pool = self.lender.pool
        for ledger in pool.ledgers:
            cython.cast(Ledger, ledger).forget_names()
        pool.close()
        self.lender = Lender(Pool(0))
