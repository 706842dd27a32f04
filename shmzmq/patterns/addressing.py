"""Addressing: the first part of a message names the peer that the rest goes to.

A peer is known by its routing id (RFC 28): its own, one that connect was told, or five bytes that
begin with 0 from here.
"""

import errno
import random

import cython
from cython.cimports.shmzmq.patterns.load_balance import SENT, WOULD_BLOCK
from cython.cimports.shmzmq.pipe import Pipe

from ..errors import ZMQError


@cython.cclass
class Addressing:
    """The outbound side of ROUTER and STREAM. Pipes whose peer wrote nonsense go into *ended*."""

    def __init__(self, ended: list):
        self.by_id = {}
        self.names = {}
        self.ended = ended
        self.next_id = random.getrandbits(32)

    def name(self, pipe):
        """Give *pipe* a routing id of ours when it has none."""
        if not pipe.routing_id:
            self.next_id = (self.next_id + 1) & 0xFFFFFFFF
            pipe.routing_id = b"\x00" + self.next_id.to_bytes(4, "big")

    def add(self, pipe):
        """Have messages for the routing id of *pipe* go there from now on."""
        self.by_id[pipe.routing_id] = pipe
        self.names[pipe] = pipe.routing_id

    def remove(self, pipe):
        """Forget *pipe*; return the name that has become free, None when it had none."""
        self.let_go(pipe)
        if self.awaited is pipe:
            self.awaited = None
        name = self.names.pop(pipe, None)
        if name is not None:
            del self.by_id[name]
        return name

    def begin(self, routing_id):
        """Find the pipe for the message that begins: SENT, or WOULD_BLOCK.

        Without one it goes nowhere; it is an error if *mandatory*.
        """
        self.awaited = None
        pipe: Pipe = self.by_id.get(routing_id)
        if pipe is not None and (pipe.lost or pipe.has_left()):
            pipe = None  # it is there for what is still to be read from it
        full: cython.bint = pipe is not None and not pipe.can_write()
        if full and pipe.outbound.broken:
            self.ended.append(pipe)
            pipe = None
        if pipe is None and self.mandatory:
            raise ZMQError(errno.EHOSTUNREACH, f"no peer has the routing id {routing_id!r}")
        if pipe is not None and full:
            if self.mandatory and pipe.park(0):
                self.awaited = pipe
                return WOULD_BLOCK
            if not self.mandatory:
                pipe = None
        self.target = pipe
        self.sending = True
        return SENT

    def let_go(self, pipe):
        """Have what follows of a message to *pipe* go nowhere."""
        if self.target is pipe:
            pipe.rollback()
            self.target = None

    def rollback(self):
        """Forget the parts of an unfinished message."""
        if self.target is not None:
            self.target.rollback()
        self.sending = False
        self.target = None

    def is_blocked(self):
        """Whether the message refused last would still be refused."""
        return self.awaited is not None and not self.awaited.can_write()
