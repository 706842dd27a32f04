"""What every socket type answers to. A pattern sees pipes and messages, nothing else.

A type is composed from FairQueue (`queue`), LoadBalancer (`out`) and Distributor, and inherits from
no other type. What stands here serves the types that simply have one, the other or both; the rest
say more.
"""

import errno

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.patterns.fair_queue import FairQueue
from cython.cimports.shmzmq.patterns.load_balance import SENT, LoadBalancer
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.lease import as_bytes

from ..constants import Errno
from ..errors import ZMQError


@cython.cclass
class Pattern:
    """The routing of one socket. No method waits: the socket waits, and asks again.

    send  writes one part: SENT, or WOULD_BLOCK when a whole message cannot be taken now.
    recv  returns one part as bytes, None when there is none; `more` says whether another follows.
    """

    name = ""
    peers: tuple = ()
    sends = True
    receives = True
    keeps_outbound = True
    """Whether what a lost peer had not read is for the next one.

    Subscriptions and publications are not.
    """

    resumes = True
    """Whether a connection may be lost and come back without a word: nothing has to be said anew,
    and it does not matter who the next peer is."""

    for_anyone = False
    """Whether it does not matter which peer gets a message, among all that a bound endpoint has."""

    lingers = True
    """Whether what was sent is worth waiting for when the socket closes. Subscriptions are not."""

    def __init__(self, *, queue: cython.bint = False, balance: cython.bint = False):
        self.ended = []
        if queue:
            self.queue = FairQueue(self.ended)
        if balance:
            self.out = LoadBalancer(self.ended)

    def attach(self, pipe: Pipe):
        """Take *pipe* into the routing."""
        self.greet(pipe)
        if self.queue is not None:
            self.queue.add(pipe)
        if self.out is not None:
            self.out.add(pipe)

    def detach(self, pipe: Pipe):
        """Let *pipe* go; it has no far end any more, or the socket closes."""
        if self.queue is not None:
            self.queue.remove(pipe)
        if self.out is not None:
            self.out.remove(pipe)

    def far_end_gone(self, pipe: Pipe):
        """The far end of *pipe* is gone and no other comes: send it nothing, and read what it left.

        `detach` follows when that is read.
        """
        if self.out is not None:
            self.out.remove(pipe)

    def renewed(self, pipe: Pipe):
        """The far end of *pipe* was lost and a fresh segment waits for the next one."""
        if self.queue is not None and pipe.fair_index < 0:
            self.queue.add(pipe)  # it had come to its end

    def identified(self, pipe: Pipe):
        """The far end of *pipe* is there and its routing id known."""

    def configure(self, name: str, value):
        """Take note of the socket option *name*, which may be one of this pattern's."""

    def configure_greetings(self, name: str, value):
        """Take note of PROBE_ROUTER and HELLO_MSG, for the types that have them."""
        if name == "PROBE_ROUTER":
            self.probe = b"" if value else None
        elif name == "HELLO_MSG":
            self.hello = value or None

    def greet(self, pipe: Pipe):
        """Have every connection on *pipe* begin with the messages that options ask for."""
        if self.probe is not None or self.hello is not None:
            pipe.greet([part for part in (self.probe, self.hello) if part is not None])

    def topics_count(self) -> int:
        """How many different topics are subscribed to; 0 where there are none."""
        return 0

    def own_routing_id(self):
        """Return what the option ROUTING_ID reads as here; None: as it was set."""
        return

    def accepts_another(self) -> bool:
        """Whether another pipe may be attached; PAIR has one peer only."""
        return True

    def rollback(self):
        """Forget the parts of a message whose last part was not sent."""
        if self.out is not None:
            self.out.rollback()

    def send(self, data, size, more):
        if self.out is None:
            raise ZMQError(errno.ENOTSUP, f"a {self.name} socket cannot send")
        return self.out.send(data, size, more)

    def recv(self):
        if self.queue is None:
            raise ZMQError(errno.ENOTSUP, f"a {self.name} socket cannot receive")
        data = self.queue.recv()
        self.more = self.queue.more
        self.source = self.queue.last
        return data

    # -- batches: a call for many messages, each routed as send and recv would ---------------------

    def send_many(self, slices, count):
        """Send *count* small messages of one part; return how many, fewer where it would block."""
        if self.out is None:
            raise ZMQError(errno.ENOTSUP, f"a {self.name} socket cannot send")
        return self.out.send_many(slices, count)

    def send_each(self, slices, count):
        """Send them one by one: for the types that have no better way."""
        i: uint64_t
        for i in range(count):
            try:
                if self.send(slices[i].data, slices[i].size, False) != SENT:
                    return i
            except ZMQError:
                if i == 0:
                    raise
                return i  # it will be raised for the message that is the next call's first
        return count

    def recv_many(self, batch, most):
        """Put up to *most* messages that are there into *batch*; return how many.

        batch.several: the next one has several parts, for which *batch* has no place.
        """
        if self.queue is None:
            raise ZMQError(errno.ENOTSUP, f"a {self.name} socket cannot receive")
        if self.queue.more:
            self.refuse_midway()
        self.more = False
        count: uint64_t = self.queue.take(batch, most, None, False)
        self.source = self.queue.last
        return count

    def recv_each(self, batch, most):
        """Take them one by one, as lists of parts: for types whose messages have several."""
        if not batch.multipart:
            batch.several = True
            return 0
        count: uint64_t = 0
        while count < most and (count == 0 or self.has_in()):
            data = self.recv()
            if data is None:
                break
            parts = [as_bytes(data)]
            while self.more:
                parts.append(as_bytes(self.recv()))
            batch.add_parts(parts)
            count += 1
        return count

    def refuse_midway(self):
        raise ZMQError(Errno.EFSM, "the rest of a message is to be received first: RCVMORE holds")

    def refuse_unaddressed(self):
        raise ZMQError(
            Errno.EFSM,
            f"a {self.name}'s messages begin with a routing id: send them with multipart=True",
        )

    def refuse_batches(self):
        raise ZMQError(
            Errno.EFSM,
            f"a {self.name} socket has no batches: requests and replies take turns, one at a time",
        )

    def has_in(self):
        return self.queue is not None and self.queue.has_in()

    def has_out(self):
        return self.out is not None and self.out.has_out()

    def is_blocked(self):
        """Whether what send refused with WOULD_BLOCK would still be refused."""
        return not self.has_out()

    def on_ready(self, pipe):
        if self.queue is not None:
            self.queue.activate(pipe)
            return 0
        # Nothing to read for the user here, but the far end may have said goodbye.
        pipe.attend()
        while True:
            while pipe.skip():
                pass
            if pipe.is_ended():
                self.ended.append(pipe)
                return 0
            if pipe.rest():
                return 0

    def on_room(self, pipe):
        if self.out is not None:
            self.out.activate(pipe)
        return 0

    def rest(self):
        return self.queue is None or self.queue.rest()

    def watch_in(self, watches, most):
        return 0 if self.queue is None else self.queue.watch(watches, most)

    def watch_out(self, watches, most):
        return 0 if self.out is None else self.out.watch(watches, most)

    # -- for tests; the socket calls the compiled methods itself -----------------------------------

    def put(self, data: bytes, more: cython.bint = False):
        """Send one part; 1 sent, 2 would block."""
        return self.send(data, len(data), more)

    def take(self):
        """Receive one part, or None."""
        return self.recv()
