"""ROUTER: the first part of a message names the peer that it goes to or came from (RFC 28)."""

import errno
import random

import cython
from cython.cimports.shmzmq.patterns.load_balance import SENT, WOULD_BLOCK
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_OK

from ..errors import ZMQError


@cython.cclass
class Router(Pattern):
    """Fair queueing in; out by routing id.

    A message for nobody, or for a peer without room, is dropped.

    A peer without a routing id of its own gets one of five bytes that begins with 0. Of two peers
    with the same id the later one is not heard until the first has gone.
    """

    name = "ROUTER"
    peers = ("REQ", "DEALER", "ROUTER")
    resumes = False

    def __init__(self):
        Pattern.__init__(self, queue=True)
        self.by_id = {}
        self.unheard = {}
        self.next_id = random.getrandbits(32)

    def attach(self, pipe: Pipe):
        if pipe.peer is not None:
            self.identified(pipe)
        else:
            self.unheard[pipe] = None

    def detach(self, pipe: Pipe):
        Pattern.detach(self, pipe)
        self.unheard.pop(pipe, None)
        if self.target is pipe:
            self.target = None
        if self.awaited is pipe:
            self.awaited = None
        if self.by_id.get(pipe.routing_id) is pipe:
            del self.by_id[pipe.routing_id]
            self.hear_another(pipe.routing_id)

    def hear_another(self, routing_id: bytes):
        """Let the next peer that calls itself *routing_id* have the name, which has become free."""
        for item in self.unheard:
            pipe: Pipe = item
            if pipe.peer is not None and pipe.routing_id == routing_id:
                self.identified(pipe)
                return

    def identified(self, pipe: Pipe):
        self.unheard.pop(pipe, None)
        if pipe.fair_index >= 0:  # a connection that came back, maybe as somebody else
            self.detach(pipe)
        if not pipe.routing_id:
            self.next_id = (self.next_id + 1) & 0xFFFFFFFF
            pipe.routing_id = b"\x00" + self.next_id.to_bytes(4, "big")
        elif pipe.routing_id in self.by_id:
            self.unheard[pipe] = None
            return
        self.by_id[pipe.routing_id] = pipe
        self.queue.add(pipe)

    def configure(self, name: str, value):
        if name == "ROUTER_MANDATORY":
            self.mandatory = value

    def rollback(self):
        if self.target is not None:
            self.target.rollback()
        self.sending = False
        self.target = None

    def send(self, data, size, more):
        if not self.sending:
            # A routing id with nothing behind it is not a message.
            return self.choose_target(data[:size]) if more else SENT
        self.sending = more
        if self.target is None:
            return SENT
        if self.target.write(data, size, more) != RING_OK:
            self.target.rollback()
            self.target = None
            self.dropped += 1
        elif not more:
            self.target.flush()
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

    def find(self):
        """Find the next message and keep its routing id and first part."""
        part = self.queue.recv()
        if part is None:
            return False
        self.held_id = self.queue.last.routing_id
        self.held_part = part
        self.held_more = self.queue.more
        self.source = self.queue.last
        self.held = True
        return True

    def recv(self):
        if self.held_part is not None and not self.held:
            # The routing id has been handed out, its first part follows.
            part = self.held_part
            self.held_part = None
            self.more = self.held_more
            return part
        if self.queue.more and not self.held:
            part = self.queue.recv()
            self.more = self.queue.more
            return part
        if not self.held and not self.find():
            return None
        self.held = False
        self.more = True
        return self.held_id

    def has_in(self):
        return self.held_part is not None or self.queue.more or self.find()

    def has_out(self):
        return True

    def is_blocked(self):
        return self.awaited is not None and not self.awaited.can_write()

    def rest(self):
        return self.held_part is None and self.queue.rest()
