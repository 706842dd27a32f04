"""SUB: messages that begin with a prefix the user asked for (RFC 29)."""

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.patterns.subscriber import Subscriber
from cython.cimports.shmzmq.pipe import Pipe


@cython.cclass
class Sub(Pattern):
    """Fair queueing over the publishers; receives nothing before it has subscribed."""

    name = "SUB"
    peers = ("PUB", "XPUB")
    sends = False
    keeps_outbound = resumes = lingers = False

    def __init__(self):
        Pattern.__init__(self)
        self.subscriber = Subscriber(self.ended, True)

    def attach(self, pipe: Pipe):
        self.subscriber.add(pipe)

    def detach(self, pipe: Pipe):
        self.subscriber.remove(pipe)

    def renewed(self, pipe: Pipe):
        self.subscriber.renewed(pipe)

    def configure(self, name: str, value):
        self.subscriber.configure(name, value)

    def topics_count(self):
        return len(self.subscriber.topics)

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

    def on_ready(self, pipe):
        self.subscriber.queue.activate(pipe)
        return 0

    def rest(self):
        return self.subscriber.held is None and self.subscriber.queue.rest()

    def watch_in(self, watches, most):
        return self.subscriber.queue.watch(watches, most)
