"""The subscribing half of SUB and XSUB: what the user wants, told to every publisher (RFC 29)."""

import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.patterns.fair_queue import FairQueue
from cython.cimports.shmzmq.patterns.topics import TopicTable
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.lease import Lease, as_bytes
from cython.cimports.shmzmq.shm.ring import RING_OK

from ..errors import ZMQError


@cython.cclass
class Subscriber:
    """Subscriptions, counted, and the messages that match them."""

    def __init__(self, ended: list, filtering: cython.bint):
        self.queue = FairQueue(ended)
        self.pipes = []
        self.spoken = set()
        self.counts = {}
        self.topics = TopicTable()
        self.filtering = filtering

    def add(self, pipe: Pipe):
        """Take a publisher's pipe in and tell it all subscriptions.

        Subscriptions have no high water mark.
        """
        pipe.outbound.set_limit(0)
        self.pipes.append(pipe)
        self.queue.add(pipe)
        self.tell_all(pipe)

    def remove(self, pipe: Pipe):
        """Let a publisher go."""
        if pipe in self.pipes:
            self.pipes.remove(pipe)
        self._leave_out(pipe)
        self.spoken.discard(pipe)  # what the user had sent there went with its ring
        if pipe is self.queue.last:
            self.held = None
        self.queue.remove(pipe)

    def renewed(self, pipe: Pipe):
        """The publisher behind *pipe* was lost; tell the next one everything."""
        if pipe.fair_index < 0:
            self.queue.add(pipe)
        self.tell_all(pipe)

    def tell_all(self, pipe: Pipe):
        """Send every subscription up *pipe*, whose ring is fresh."""
        self._leave_out(pipe)
        self.spoken.discard(pipe)  # what the user had sent there went with its ring
        for prefix in self.counts:
            self.write(pipe, b"\x01" + prefix, False)

    def configure(self, name: str, value):
        """Take note of an option of SUB or XSUB."""
        if name == "INVERT_MATCHING":
            self.inverted = value
        elif name == "XSUB_VERBOSE_UNSUBSCRIBE":
            self.tell_all_cancelled = value
        elif name == "SUBSCRIBE":
            self.subscribe(value)
        elif name == "UNSUBSCRIBE":
            self.unsubscribe(value)

    def count(self, prefix: bytes):
        """Count one more subscription to *prefix*; the publishers are the caller's to tell."""
        self.counts[prefix] = self.counts.get(prefix, 0) + 1
        self.topics.add(prefix, self)

    def subscribe(self, prefix: bytes):
        """Count one more subscription to *prefix* and tell the publishers."""
        self.count(prefix)
        self.tell(b"\x01" + prefix)

    def discount(self, prefix: bytes):
        """Count one subscription less; the publishers are the caller's to tell."""
        count = self.counts.get(prefix, 0)
        if count > 1:
            self.counts[prefix] = count - 1
        elif count == 1:
            del self.counts[prefix]
            self.topics.remove(prefix, self)

    def unsubscribe(self, prefix: bytes):
        """Count one subscription less; the publishers hear when it was the last."""
        count = self.counts.get(prefix, 0)
        self.discount(prefix)
        if count == 1 or self.tell_all_cancelled:
            self.tell(b"\x00" + prefix)

    def tell(self, message):
        """Send a whole message to every publisher."""
        for item in self.pipes:
            self.write(item, message, False)

    def send_up(self, message, more):
        """Send a part of the user's message to every publisher that has all parts before it."""
        if self.chosen is None:
            self.chosen = self.pipes
        self.chosen = [pipe for pipe in self.chosen if self.write(pipe, message, more)]
        if not more:
            self.spoken.update(self.chosen)
            self.chosen = None

    def rollback(self):
        """Forget the parts of an unfinished message."""
        for item in self.chosen or ():
            pipe: Pipe = item
            pipe.rollback()
        self.chosen = None

    def _leave_out(self, pipe: Pipe):
        if self.chosen is not None:
            self.chosen = [other for other in self.chosen if other is not pipe]

    def write(self, pipe, message, more):
        """Write a part; false when the publisher cannot have the message."""
        try:
            written: cython.bint = pipe.write(message, len(message), more) == RING_OK
        except ZMQError:
            written = False  # no memory; a subscription is said again to the next publisher
        if not written:
            pipe.rollback()
            if pipe.outbound.broken:
                self.queue.ended.append(pipe)
        elif not more:
            pipe.flush()
        return written

    def recv(self):
        """Return the next part of a message that matches; the first part is the topic."""
        if self.held is not None:
            data = self.held
            self.held = None
            return data
        first: cython.bint = not self.queue.more
        while True:
            data = self.queue.recv()
            if data is None or not first or not self.filtering or self._wants(data):
                return data
            self.queue.skip_message()

    def take(self, batch, most):
        """Put up to *most* messages that match into *batch*, as FairQueue.take does."""
        count: uint64_t = 0
        if self.held is not None:  # a poller found it: it matches
            if self.queue.more and not batch.multipart:
                batch.several = True
                return 0
            parts = [as_bytes(self.recv())]
            while self.queue.more:
                parts.append(as_bytes(self.queue.recv()))
            if batch.multipart:
                batch.add_parts(parts)
            else:
                batch.add_object(parts[0])
            count = 1
        topics: TopicTable = self.topics if self.filtering else None
        if topics is not None and topics.wants_all() and not self.inverted:
            topics = None
        return count + self.queue.take(batch, most - count, topics, self.inverted)

    def _wants(self, topic):
        wanted: cython.bint
        if isinstance(topic, Lease):
            lease: Lease = topic
            wanted = self.topics.wants_buffer(lease.address, lease.size)
        else:
            wanted = self.topics.wants_buffer(PyBytes_AS_STRING(topic), PyBytes_GET_SIZE(topic))
        return wanted != self.inverted

    def has_in(self):
        """Whether recv would return a part; what does not match is dropped on the way."""
        if self.held is None and self.queue.has_in():
            self.held = self.recv()
        return self.held is not None
