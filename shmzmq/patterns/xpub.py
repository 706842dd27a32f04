"""XPUB: as PUB, and the user reads what subscribers send (RFC 29).

That is new topics, gone topics, and messages.
"""

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.patterns.publisher import Publisher
from cython.cimports.shmzmq.pipe import Pipe


@cython.cclass
class XPub(Pattern):
    """Receives byte 1 + prefix for a prefix's first subscriber, byte 0 + prefix after the last.

    The XPUB_ options say what else, and who of the subscribers gets what.
    """

    name = "XPUB"
    peers = ("SUB", "XSUB")
    keeps_outbound = resumes = False

    def __init__(self):
        Pattern.__init__(self)
        self.publisher = Publisher(self.ended, True)

    def attach(self, pipe: Pipe):
        self.publisher.add(pipe)
        self.publisher.absorb(pipe)

    def detach(self, pipe: Pipe):
        self.publisher.remove(pipe)

    def renewed(self, pipe: Pipe):
        self.publisher.remove(pipe)
        self.publisher.add(pipe)

    def configure(self, name: str, value):
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

    def recv(self):
        found = self.publisher.receive()
        if found is None:
            return None
        data, more, pipe = found
        self.more = more
        self.source = pipe
        return data

    def recv_many(self, batch, most):
        if self.more:
            self.refuse_midway()
        count: uint64_t = 0
        while count < most and self.publisher.upstream:
            if self.publisher.upstream[0][1] and not batch.multipart:
                batch.several = True
                break
            parts = [self.recv()]
            while self.more:
                parts.append(self.recv())
            if batch.multipart:
                batch.add_parts(parts)
            else:
                batch.add_object(parts[0])
            count += 1
        return count

    def has_in(self):
        return bool(self.publisher.upstream)

    def has_out(self):
        return True

    def is_blocked(self):
        return self.publisher.is_blocked()

    def on_ready(self, pipe):
        return self.publisher.absorb(pipe)

    def rest(self):
        # What subscribers send is read as soon as it is posted: no pipe is ever left attended.
        return not self.publisher.upstream
