"""The turns of one relayed connection: when it sends, when it receives, what it waits for.

This is what happens for each message, or batch of them, that passes through the worker. Whatever
else happens on the connection is the keeper's.
"""

import cython
from cython.cimports.shmzmq.workers.exchange import Carrier, Exchange
from cython.cimports.shmzmq.workers.reactor import EPOLLIN, EPOLLOUT, Reactor
from cython.cimports.shmzmq.workers.receiving import Receiving
from cython.cimports.shmzmq.workers.relay import (
    RELAY_BLOCKED,
    RELAY_COMMAND,
    RELAY_ENDED,
    RELAY_FINISHED,
    RELAY_IDLE,
    RELAY_MORE,
)
from cython.cimports.shmzmq.workers.sending import Sending

from ..errors import ZMQError
from ..zmtp.errors import ProtocolError

_GONE = "the peer closed the connection"


class TrafficKeeper:
    """Who has the traffic, and hears what is more than that."""

    def command_came(self, command):
        """The peer sent *command*; false when that was the end."""
        raise NotImplementedError

    def all_written(self):
        """The application has said goodbye, and all that it said before is the kernel's."""
        raise NotImplementedError

    def traffic_ended(self, reason):
        """The stream is over; nothing follows."""
        raise NotImplementedError


@cython.cclass
class Traffic(Carrier):
    """The traffic between the stream with descriptor *fd* and the pipe with *bit*."""

    def __init__(
        self,
        reactor: Reactor,
        exchange: Exchange,
        bit: cython.int,
        fd: cython.int,
        sending: Sending,
        receiving: Receiving,
        keeper,
    ):
        self.reactor = reactor
        self.exchange = exchange
        self.bit = bit
        self.fd = fd
        self.sending = sending
        self.receiving = receiving
        self.keeper = keeper
        self.reads = self.writable = self.resting = True

    def start(self):
        """Take turns from now on."""
        self.exchange.add(self.bit, self)

    def receive_now(self):
        """Look at the stream without being told, and at what was received before."""
        if self.reads and self.keeper is not None:
            self.receive()

    def room_made(self):
        """The ring that the application reads may take more than before."""
        if self.keeper is not None:
            self.on_room()

    def take_turn(self):
        """There is something to send besides what the application writes."""
        if self.keeper is not None:
            self.exchange.activate(self.bit)

    def stop_reading(self):
        """The application reads no more, but what it has said is still to be written."""
        self.deaf = True
        self.reads = False
        self.watch()

    def end(self):
        """Take no more turns; the descriptor is the keeper's alone. To be called once."""
        self.keeper = None
        self.exchange.remove(self.bit)
        self.reactor.forget(self.fd)

    def fail(self, reason):
        if self.keeper is not None:
            self.keeper.traffic_ended(reason)
        return 0

    # -- from the application to the stream --------------------------------------------------------

    def send(self):
        if self.resting:
            self.resting = False
            self.sending.pipe.attend()
        self.exchange.patience = self.exchange.after_sending
        try:
            state: cython.int = self.sending.send()
        except (OSError, ZMQError) as error:
            self.fail(str(error))
            return False
        if state == RELAY_IDLE:
            self.resting = self.sending.pipe.rest()
            return not self.resting
        if state == RELAY_FINISHED:
            self.keeper.all_written()
            return False
        self.writable = state == RELAY_MORE
        if state == RELAY_BLOCKED:
            self.watch()
        return self.writable

    def on_room(self):
        if not self.reads and not self.deaf:
            self.reads = True
            self.receive()
        return 0

    # -- from the stream to the application --------------------------------------------------------

    def ready(self, events):
        if events & EPOLLOUT and not self.writable:
            self.writable = True
            self.exchange.activate(self.bit)
        if events & ~cython.cast(cython.int, EPOLLOUT):
            if self.reads:
                return self.receive()
            # The peer is gone, and what it had sent before waits for room: hear no more of it.
            self.reactor.forget(self.fd)
            self.watched = 0
            if self.deaf:
                self.fail(_GONE)
            return 0
        return self.watch()

    def receive(self):
        self.exchange.patience = self.exchange.after_receiving
        try:
            state: cython.int = self.receiving.receive()
            while state == RELAY_COMMAND:
                if not self.keeper.command_came(self.receiving.command):
                    return 0
                state = self.receiving.receive()
        except (OSError, ZMQError, ProtocolError) as error:
            return self.fail(str(error))
        if state == RELAY_ENDED:
            return self.fail(_GONE)
        self.reads = state != RELAY_BLOCKED
        return self.watch()

    def watch(self):
        """Have the reactor look for what can be done."""
        wanted: cython.int = cython.cast(cython.int, EPOLLIN) if self.reads else 0
        if not self.writable:
            wanted |= cython.cast(cython.int, EPOLLOUT)
        if wanted != self.watched and self.keeper is not None:
            self.watched = wanted
            self.reactor.watch(self.fd, wanted, self)
        return 0
