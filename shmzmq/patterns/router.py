"""ROUTER: the first part of a message names the peer that it goes to or came from (RFC 28)."""

from collections import deque

import cython
from cython.cimports.shmzmq.patterns.addressing import Addressing
from cython.cimports.shmzmq.patterns.load_balance import SENT
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_OK

_NOTIFY_CONNECT = cython.declare(cython.int, 1)
_NOTIFY_DISCONNECT = cython.declare(cython.int, 2)


@cython.cclass
class Router(Pattern):
    """Fair queueing in; out by routing id.

    A message for nobody, or for a peer without room, is dropped.

    Of two peers with the same routing id the later one is not heard until the first has gone, or
    takes its place (ROUTER_HANDOVER).
    """

    name = "ROUTER"
    peers = ("REQ", "DEALER", "ROUTER")
    resumes = False

    def __init__(self):
        Pattern.__init__(self, queue=True)
        self.to = Addressing(self.ended)
        self.unheard = {}
        self.notices = deque()

    def attach(self, pipe: Pipe):
        self.greet(pipe)
        # A peer that connect was told the name of can be sent to before it is there.
        if pipe.peer is not None or pipe.routing_id:
            self.identified(pipe)
        else:
            self.unheard[pipe] = None

    def detach(self, pipe: Pipe):
        known: cython.bint = pipe in self.to.names
        self.forget(pipe)
        if known and self.notify & _NOTIFY_DISCONNECT:
            self.notices.append(pipe.routing_id)

    def forget(self, pipe: Pipe):
        """Take *pipe* out of the routing; its name is free for another that waits for it."""
        Pattern.detach(self, pipe)
        self.unheard.pop(pipe, None)
        name = self.to.remove(pipe)
        if name is not None:
            self.hear_another(name)

    def hear_another(self, routing_id: bytes):
        """Let the next peer that calls itself *routing_id* have the name, which has become free."""
        for item in self.unheard:
            pipe: Pipe = item
            if pipe.peer is not None and pipe.routing_id == routing_id:
                self.identified(pipe)
                return

    def identified(self, pipe: Pipe):
        name = self.to.names.get(pipe)
        if name is not None:  # a connection that came back, maybe as somebody else
            if not pipe.routing_id or pipe.routing_id == name:
                pipe.routing_id = name
                return
            self.forget(pipe)
        self.unheard.pop(pipe, None)
        if pipe.routing_id in self.to.by_id:
            if not self.handover:
                self.unheard[pipe] = None
                return
            self.end(self.to.by_id[pipe.routing_id])
        self.to.name(pipe)
        self.to.add(pipe)
        if self.notify & _NOTIFY_CONNECT:
            self.notices.append(pipe.routing_id)
        self.queue.add(pipe)

    def end(self, pipe: Pipe):
        """End a connection whose name another peer takes over."""
        self.to.remove(pipe)
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
        return routing_id in self.to.by_id

    def configure(self, name: str, value):
        if name == "ROUTER_MANDATORY":
            self.to.mandatory = value
        elif name == "ROUTER_HANDOVER":
            self.handover = value
        elif name == "ROUTER_NOTIFY":
            self.notify = value
        else:
            self.configure_greetings(name, value)

    def rollback(self):
        self.to.rollback()

    def send(self, data, size, more):
        to: Addressing = self.to
        if not to.sending:
            # A routing id with nothing behind it is not a message.
            return to.begin(data[:size]) if more else SENT
        to.sending = more
        pipe: Pipe = to.target
        if pipe is not None and pipe.write(data, size, more) != RING_OK:
            to.let_go(pipe)
            pipe = None
        if more:
            return SENT
        if pipe is None:
            self.dropped += 1
        else:
            pipe.flush()
            to.target = None
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
        return self.refuse_unaddressed()

    def recv_many(self, batch, most):
        if not self.held and (self.held_part is not None or self.queue.more):
            self.refuse_midway()
        return self.recv_each(batch, most)

    def has_in(self):
        return self.held_part is not None or self.queue.more or self.find()

    def has_out(self):
        return True

    def is_blocked(self):
        return self.to.is_blocked()

    def rest(self):
        return self.held_part is None and self.queue.rest()
