"""PUB: each message to every subscriber that wants it and has room (RFC 29)."""

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.patterns.publisher import Publisher
from cython.cimports.shmzmq.pipe import Pipe


@cython.cclass
class Pub(Pattern):
    """Who wants nothing gets nothing, who has no room misses the message: it never blocks.

    With XPUB_NODROP the message waits until all have room who want it.
    """

    name = "PUB"
    peers = ("SUB", "XSUB")
    receives = False
    keeps_outbound = resumes = False

    def __init__(self):
        Pattern.__init__(self)
        self.publisher = Publisher(self.ended, False)

    def attach(self, pipe: Pipe):
        self.publisher.add(pipe)
        self.publisher.absorb(pipe)

    def detach(self, pipe: Pipe):
        self.publisher.remove(pipe)

    def renewed(self, pipe: Pipe):
        # The next subscriber has wishes of its own.
        self.publisher.remove(pipe)
        self.publisher.add(pipe)

    def configure(self, name: str, value):
        if name in ("INVERT_MATCHING", "XPUB_NODROP"):
            self.publisher.configure(name, value)

    def topics_count(self):
        return len(self.publisher.topics)

    def rollback(self):
        self.publisher.out.rollback()

    def send(self, data, size, more):
        rc: cython.int = self.publisher.send(data, size, more)
        self.dropped = self.publisher.out.dropped
        return rc

    def send_many(self, slices, count):
        done: uint64_t = self.publisher.send_many(slices, count)
        self.dropped = self.publisher.out.dropped
        return done

    def has_out(self):
        return True

    def is_blocked(self):
        return self.publisher.is_blocked()

    def on_ready(self, pipe):
        return self.publisher.absorb(pipe)
