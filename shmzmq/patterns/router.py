"""ROUTER: the first part of a message names the peer that it goes to or came from (RFC 28)."""

import errno
import random
from collections import deque

import cython
from cython.cimports.shmzmq.patterns.load_balance import SENT, WOULD_BLOCK
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_OK

from ..constants import Errno
from ..errors import ZMQError

_NOTIFY_CONNECT = cython.declare(cython.int, 1)
_NOTIFY_DISCONNECT = cython.declare(cython.int, 2)


@cython.cclass
class Router(Pattern):
    """Fair queueing in; out by routing id.

    A message for nobody, or for a peer without room, is dropped.

    A peer without a routing id of its own gets one of five bytes that begins with 0. Of two peers
    with the same id the later one is not heard until the first has gone, or takes its place
    (ROUTER_HANDOVER).
    """

    name = "ROUTER"
    peers = ("REQ", "DEALER", "ROUTER")
    resumes = False

    def __init__(self):
        Pattern.__init__(self, queue=True)
        self.by_id = {}
        self.names = {}
        self.unheard = {}
        self.notices = deque()
        self.next_id = random.getrandbits(32)

    def attach(self, pipe: Pipe):
        self.greet(pipe)
        # A peer that connect was told the name of can be sent to before it is there.
        if pipe.peer is not None or pipe.routing_id:
            self.identified(pipe)
        else:
            self.unheard[pipe] = None

    def detach(self, pipe: Pipe):
        known: cython.bint = pipe in self.names
        self.forget(pipe)
        if known and self.notify & _NOTIFY_DISCONNECT:
            self.notices.append(pipe.routing_id)

    def forget(self, pipe: Pipe):
        """Take *pipe* out of the routing; its name is free for another that waits for it."""
        Pattern.detach(self, pipe)
        self.unheard.pop(pipe, None)
        if self.target is pipe:
            pipe.rollback()  # what follows of the message goes nowhere
            self.target = None
        if self.awaited is pipe:
            self.awaited = None
        name = self.names.pop(pipe, None)
        if name is not None:
            del self.by_id[name]
            self.hear_another(name)

    def hear_another(self, routing_id: bytes):
        """Let the next peer that calls itself *routing_id* have the name, which has become free."""
        for item in self.unheard:
            pipe: Pipe = item
            if pipe.peer is not None and pipe.routing_id == routing_id:
                self.identified(pipe)
                return

    def identified(self, pipe: Pipe):
        name = self.names.get(pipe)
        if name is not None:  # a connection that came back, maybe as somebody else
            if not pipe.routing_id or pipe.routing_id == name:
                pipe.routing_id = name
                return
            self.forget(pipe)
        self.unheard.pop(pipe, None)
        if not pipe.routing_id:
            self.next_id = (self.next_id + 1) & 0xFFFFFFFF
            pipe.routing_id = b"\x00" + self.next_id.to_bytes(4, "big")
        elif pipe.routing_id in self.by_id:
            if not self.handover:
                self.unheard[pipe] = None
                return
            self.end(self.by_id[pipe.routing_id])
        self.by_id[pipe.routing_id] = pipe
        self.names[pipe] = pipe.routing_id
        if self.notify & _NOTIFY_CONNECT:
            self.notices.append(pipe.routing_id)
        self.queue.add(pipe)

    def end(self, pipe: Pipe):
        """End a connection whose name another peer takes over."""
        del self.by_id[self.names.pop(pipe)]
        if self.target is pipe:
            pipe.rollback()
            self.target = None
        pipe.unwanted = True
        if self.source is pipe and (self.queue.more or self.held_part is not None):
            self.leaving = pipe  # the user has the message at hand to its end
        else:
            self.ended.append(pipe)

    def end_leaving(self):
        if self.leaving is not None and not self.more:
            self.ended.append(self.leaving)
            self.leaving = None

    def has_name(self, routing_id: bytes) -> bool:
        """Whether a peer, there or yet to come, has this routing id."""
        return routing_id in self.by_id

    def configure(self, name: str, value):
        if name == "ROUTER_MANDATORY":
            self.mandatory = value
        elif name == "ROUTER_HANDOVER":
            self.handover = value
        elif name == "ROUTER_NOTIFY":
            self.notify = value
        else:
            self.configure_greetings(name, value)

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
        if self.notices:
            self.held_id = self.notices.popleft()
            self.held_part = b""
            self.held_more = False
            self.source = None
            self.held = True
            return True
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
            self.end_leaving()
            return part
        if self.queue.more and not self.held:
            part = self.queue.recv()
            self.more = self.queue.more
            self.end_leaving()
            return part
        if not self.held and not self.find():
            return None
        self.held = False
        self.more = True
        return self.held_id

    def send_many(self, slices, count):
        raise ZMQError(
            Errno.EFSM, "a ROUTER's messages begin with a routing id: send them with multipart=True"
        )

    def recv_many(self, batch, most):
        if not self.held and (self.held_part is not None or self.queue.more):
            self.refuse_midway()
        return self.recv_each(batch, most)

    def has_in(self):
        return self.held_part is not None or self.queue.more or self.find()

    def has_out(self):
        return True

    def is_blocked(self):
        return self.awaited is not None and not self.awaited.can_write()

    def rest(self):
        return self.held_part is None and self.queue.rest()
