"""STREAM: bytes from and to plain TCP peers, each known by a routing id (zmq_socket(3)).

ROUTER with ROUTER_RAW is the same, but for messages to nobody.
"""

import cython
from cython.cimports.shmzmq.patterns.addressing import Addressing
from cython.cimports.shmzmq.patterns.load_balance import SENT, WOULD_BLOCK
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_NO_MEMORY, RING_OK


@cython.cclass
class Stream(Pattern):
    """Fair queueing in; out by routing id. A message is a routing id and what the peer said.

    Whether more is said to follow what is sent to a peer does not matter.
    An empty part stands for a peer that has come or gone; sending one ends the connection once all
    that was sent before is written. A message for nobody raises EHOSTUNREACH if *mandatory*, and is
    dropped otherwise, as is one for a peer without room.
    """

    name = "STREAM"
    keeps_outbound = False

    def __init__(self, mandatory: cython.bint = True):
        Pattern.__init__(self, queue=True)
        self.to = Addressing(self.ended)
        self.to.mandatory = mandatory
        self.latest_id = b""

    def attach(self, pipe: Pipe):
        # Nobody says here who he is, so the name is known before the peer is there.
        self.to.name(pipe)
        self.to.add(pipe)
        self.latest_id = pipe.routing_id
        self.queue.add(pipe)

    def detach(self, pipe: Pipe):
        Pattern.detach(self, pipe)
        self.to.remove(pipe)

    def identified(self, pipe: Pipe):
        pipe.routing_id = self.to.names.get(pipe, pipe.routing_id)

    def has_name(self, routing_id: bytes) -> bool:
        """Whether a peer, there or yet to come, has this routing id."""
        return routing_id in self.to.by_id

    def own_routing_id(self):
        """Return the routing id of the peer that came or was connected to last."""
        return self.latest_id

    def configure(self, name: str, value):
        if name == "ROUTER_MANDATORY":
            self.to.mandatory = value

    def rollback(self):
        self.to.rollback()

    def send(self, data, size, more):
        to: Addressing = self.to
        if not to.sending:
            # A routing id with nothing behind it is not a message.
            return to.begin(data[:size]) if more else SENT
        pipe: Pipe = to.target
        rc: cython.int = RING_OK
        if pipe is None:
            self.dropped += 1
        elif size:
            rc = pipe.write(data, size, False)
            if rc == RING_NO_MEMORY and pipe.park(size):
                to.awaited = pipe
                return WOULD_BLOCK
            if rc == RING_NO_MEMORY:
                rc = pipe.write(data, size, False)
            if rc == RING_OK:
                pipe.flush()
            else:
                self.dropped += 1
        else:
            self.dismiss(pipe)
        to.sending = False
        to.target = None
        return SENT

    def dismiss(self, pipe: Pipe):
        """End a connection on the user's behalf: hear no more of it, and have its keeper do it."""
        self.detach(pipe)
        pipe.dismissed = True
        self.ended.append(pipe)

    def find(self):
        """Find what a peer said next, and keep it with the peer's routing id."""
        part = self.queue.recv()
        if part is None:
            return False
        self.source = self.queue.last
        self.held_id = self.source.routing_id
        self.held_part = part
        return True

    def recv(self):
        if self.held_part is None and not self.find():
            return None
        if self.held_id is not None:
            routing_id = self.held_id
            self.held_id = None
            self.more = True
            return routing_id
        part = self.held_part
        self.held_part = None
        self.more = False
        return part

    def send_many(self, slices, count):
        return self.refuse_unaddressed()

    def recv_many(self, batch, most):
        if self.held_part is not None and self.held_id is None:
            self.refuse_midway()
        return self.recv_each(batch, most)

    def has_in(self):
        return self.held_part is not None or self.find()

    def has_out(self):
        return True

    def is_blocked(self):
        return self.to.is_blocked()

    def rest(self):
        return self.held_part is None and self.queue.rest()
