"""REP: a request, then its reply, in strict turn, to where the request came from (RFC 28)."""

import cython
from cython.cimports.shmzmq.patterns.load_balance import SENT
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.lease import as_bytes
from cython.cimports.shmzmq.shm.ring import RING_OK

from ..constants import Errno
from ..errors import ZMQError


@cython.cclass
class Rep(Pattern):
    """Requests are taken from all peers in turn.

    A reply whose peer has gone or is full is dropped.
    """

    name = "REP"
    peers = ("REQ", "DEALER")

    def __init__(self):
        Pattern.__init__(self, queue=True)
        self.envelope = []

    def detach(self, pipe: Pipe):
        Pattern.detach(self, pipe)
        if self.asker is pipe:
            self.asker = None

    def rollback(self):
        if self.asker is not None and self.began:
            self.asker.rollback()
        self.began = False

    def find_request(self):
        """Read up to the delimiter and return the part behind it; None when there is no request."""
        while True:
            part = self.queue.recv()
            if part is None:
                return None
            self.envelope = [as_bytes(part)]
            while len(part) and self.queue.more:
                part = self.queue.recv()
                self.envelope.append(as_bytes(part))
            if not len(part) and self.queue.more:
                self.asker = self.queue.last
                return self.queue.recv()
            self.queue.skip_message()  # no delimiter, or nothing behind it: not a request

    def recv(self):
        if self.sending:
            raise ZMQError(Errno.EFSM, "a REP socket must send its reply before it receives again")
        if self.held is not None:
            part = self.held
            self.held = None
        elif self.queue.more:
            part = self.queue.recv()
        else:
            part = self.find_request()
        if part is None:
            return None
        self.more = self.queue.more
        self.source = self.queue.last
        if not self.more:
            self.sending = True
        return part

    def send(self, data, size, more):
        if not self.sending:
            raise ZMQError(
                Errno.EFSM, "a REP socket must receive a request before it sends a reply"
            )
        if not self.began:
            self.began = True
            if self.asker is not None and not self.asker.can_write():
                self.give_up()  # it does not read its replies; this one is dropped
            for part in self.envelope:
                self.write(part, len(part), True)
        self.write(data, size, more)
        if not more:
            self.began = False
            self.sending = False
        return SENT

    def write(self, data, size, more):
        """Write a part of the reply, if there is still somebody to write to."""
        if self.asker is None:
            return False
        if self.asker.write(data, size, more) != RING_OK:
            self.asker.rollback()
            self.give_up()
            return False
        if not more:
            self.asker.flush()
        return True

    def give_up(self):
        """Drop the reply; a requester that wrote nonsense comes to its end."""
        if self.asker.outbound.broken:
            self.ended.append(self.asker)
        self.asker = None

    def send_many(self, slices, count):
        return self.refuse_batches()

    def recv_many(self, batch, most):
        return self.refuse_batches()

    def has_in(self):
        if self.sending:
            return False
        if self.held is None and not self.queue.more:
            self.held = self.find_request()
        return self.held is not None or self.queue.more

    def has_out(self):
        return self.sending

    def rest(self):
        return self.held is None and self.queue.rest()
