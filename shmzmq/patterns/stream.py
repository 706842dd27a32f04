"""STREAM: bytes from and to plain TCP peers, each known by a routing id (zmq_socket(3)).

ROUTER with ROUTER_RAW is the same, but for messages to nobody.
"""

import errno
import random

import cython
from cython.cimports.shmzmq.patterns.load_balance import SENT, WOULD_BLOCK
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_NO_MEMORY, RING_OK

from ..constants import Errno
from ..errors import ZMQError


@cython.cclass
class Stream(Pattern):
    """Fair queueing in; out by routing id. A message is a routing id and what the peer said.

    An empty part stands for a peer that has come or gone; sending one ends the connection once all
    that was sent before is written. A message for nobody raises EHOSTUNREACH if *mandatory*, and is
    dropped otherwise, as is one for a peer without room.
    """

    name = "STREAM"
    keeps_outbound = False

    def __init__(self, mandatory: cython.bint = True):
        Pattern.__init__(self, queue=True)
        self.mandatory = mandatory
        self.by_id = {}
        self.names = {}
        self.latest_id = b""
        self.next_id = random.getrandbits(32)

    def attach(self, pipe: Pipe):
        # Nobody says here who he is, so the name is known before the peer is there.
        if not pipe.routing_id:
            self.next_id = (self.next_id + 1) & 0xFFFFFFFF
            pipe.routing_id = b"\x00" + self.next_id.to_bytes(4, "big")
        self.by_id[pipe.routing_id] = pipe
        self.names[pipe] = pipe.routing_id
        self.latest_id = pipe.routing_id
        self.queue.add(pipe)

    def detach(self, pipe: Pipe):
        Pattern.detach(self, pipe)
        if self.target is pipe:
            self.target = None
        if self.awaited is pipe:
            self.awaited = None
        name = self.names.pop(pipe, None)
        if name is not None and self.by_id.get(name) is pipe:
            del self.by_id[name]

    def identified(self, pipe: Pipe):
        pipe.routing_id = self.names.get(pipe, pipe.routing_id)

    def has_name(self, routing_id: bytes) -> bool:
        """Whether a peer, there or yet to come, has this routing id."""
        return routing_id in self.by_id

    def own_routing_id(self):
        """Return the routing id of the peer that came or was connected to last."""
        return self.latest_id

    def configure(self, name: str, value):
        if name == "ROUTER_MANDATORY":
            self.mandatory = value

    def rollback(self):
        self.sending = False
        self.target = None

    def send(self, data, size, more):
        if not self.sending:
            # A routing id with nothing behind it is not a message.
            return self.choose_target(data[:size]) if more else SENT
        pipe: Pipe = self.target
        if pipe is not None and size:
            rc: cython.int = pipe.write(data, size, False)
            if rc == RING_NO_MEMORY and pipe.park(size):
                self.awaited = pipe
                return WOULD_BLOCK
            if rc == RING_NO_MEMORY:
                rc = pipe.write(data, size, False)
            if rc == RING_OK:
                pipe.flush()
            else:
                self.dropped += 1
        elif pipe is not None and not more:
            self.dismiss(pipe)
        self.sending = more
        if not more:
            self.target = None
        return SENT

    def choose_target(self, routing_id):
        """Find the pipe for the message that begins; None: it will be dropped."""
        self.awaited = None
        pipe: Pipe = self.by_id.get(routing_id)
        full: cython.bint = pipe is not None and not pipe.can_write()
        if full and pipe.outbound.broken:
            self.ended.append(pipe)
            pipe = None
        if pipe is None:
            if self.mandatory:
                raise ZMQError(errno.EHOSTUNREACH, f"no peer has the routing id {routing_id!r}")
            self.dropped += 1
        elif full:
            if self.mandatory:
                if pipe.park(0):
                    self.awaited = pipe
                    return WOULD_BLOCK
            else:
                self.dropped += 1
                pipe = None
        self.target = pipe
        self.sending = True
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
        raise ZMQError(
            Errno.EFSM,
            f"a {self.name}'s messages begin with a routing id: send them with multipart=True",
        )

    def recv_many(self, batch, most):
        if self.held_part is not None and self.held_id is None:
            self.refuse_midway()
        return self.recv_each(batch, most)

    def has_in(self):
        return self.held_part is not None or self.find()

    def has_out(self):
        return True

    def is_blocked(self):
        return self.awaited is not None and not self.awaited.can_write()

    def rest(self):
        return self.held_part is None and self.queue.rest()
