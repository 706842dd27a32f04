"""XSUB: as SUB, but subscriptions are messages that the user sends (RFC 29).

Nothing is filtered here.
"""

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.patterns.load_balance import SENT
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.patterns.subscriber import Subscriber
from cython.cimports.shmzmq.pipe import Pipe


@cython.cclass
class XSub(Pattern):
    """A message of byte 1 or 0 and a prefix subscribes or cancels.

    Any other goes to the publishers. So does each part of a longer message, where a part may
    subscribe too (see ONLY_FIRST_SUBSCRIBE).
    """

    name = "XSUB"
    peers = ("PUB", "XPUB")
    keeps_outbound = resumes = False

    def __init__(self):
        Pattern.__init__(self)
        self.subscriber = Subscriber(self.ended, False)

    def attach(self, pipe: Pipe):
        self.subscriber.add(pipe)

    def detach(self, pipe: Pipe):
        self.subscriber.remove(pipe)

    def renewed(self, pipe: Pipe):
        self.subscriber.renewed(pipe)

    def rollback(self):
        self.subscriber.rollback()
        self.sending = False

    def configure(self, name: str, value):
        if name == "ONLY_FIRST_SUBSCRIBE":
            self.only_first = value
        elif name == "XSUB_VERBOSE_UNSUBSCRIBE":
            self.subscriber.configure(name, value)

    @property
    def lingers(self):
        """Whether there are messages of the user's to wait for, and not subscriptions only."""
        return bool(self.subscriber.spoken)

    def topics_count(self):
        return len(self.subscriber.topics)

    def send(self, data, size, more):
        message: bytes = data[:size]
        first: cython.bint = not self.sending
        self.sending = more
        kind = message[:1] if first or self.any_part else b""
        if first:
            self.any_part = not self.only_first or kind == b"\x00" or kind == b"\x01"
        if first and not more:
            if kind == b"\x01":
                self.subscriber.subscribe(message[1:])
                return SENT
            if kind == b"\x00":
                self.subscriber.unsubscribe(message[1:])
                return SENT
        # A part of a longer message: it subscribes, and goes where the others go.
        if kind == b"\x01":
            self.subscriber.count(message[1:])
        elif kind == b"\x00":
            self.subscriber.discount(message[1:])
        self.subscriber.send_up(message, more)
        return SENT

    def send_many(self, slices, count):
        return self.send_each(slices, count)

    def recv(self):
        data = self.subscriber.recv()
        self.more = self.subscriber.queue.more
        self.source = self.subscriber.queue.last
        return data

    def recv_many(self, batch, most):
        if self.subscriber.held is None and self.subscriber.queue.more:
            self.refuse_midway()
        count: uint64_t = self.subscriber.take(batch, most)
        self.more = False
        self.source = self.subscriber.queue.last
        return count

    def has_in(self):
        return self.subscriber.has_in()

    def has_out(self):
        return True

    def on_ready(self, pipe):
        self.subscriber.queue.activate(pipe)
        return 0

    def rest(self):
        return self.subscriber.held is None and self.subscriber.queue.rest()

    def watch_in(self, watches, most):
        return self.subscriber.queue.watch(watches, most)
