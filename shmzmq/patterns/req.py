"""REQ: a request, then its reply, in strict turn (RFC 28)."""

import cython
from cython.cimports.shmzmq.patterns.load_balance import SENT, WOULD_BLOCK
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe

from ..constants import Errno
from ..errors import ZMQError


@cython.cclass
class Req(Pattern):
    """A request goes to the next peer with room, behind an empty delimiter.

    The reply comes from there.

    Whatever another peer says, or what has no delimiter, is dropped. With REQ_CORRELATE the id of
    the request stands before the delimiter, and must stand there in the reply.
    """

    name = "REQ"
    peers = ("REP", "ROUTER")

    def __init__(self):
        Pattern.__init__(self, queue=True, balance=True)

    def configure(self, name: str, value):
        if name == "REQ_CORRELATE":
            self.correlate = value
        elif name == "REQ_RELAXED":
            self.relaxed = value
        else:
            self.configure_greetings(name, value)

    def detach(self, pipe: Pipe):
        Pattern.detach(self, pipe)
        if self.asked is pipe:
            self.asked = None

    def rollback(self):
        self.out.rollback()
        self.began = False

    def send(self, data, size, more):
        if self.receiving:
            if not self.relaxed:
                raise ZMQError(
                    Errno.EFSM,
                    "a REQ socket must receive the reply before it sends the next request",
                )
            self.give_up_reply()
        if not self.began:
            # What came unasked, or too late, must not pass for the reply to this request.
            while self.queue.recv() is not None:
                pass
            if self.begin() != SENT:
                return WOULD_BLOCK
        try:
            self.out.send(data, size, more)
        except ZMQError:
            self.began = False
            raise
        if not more:
            self.began = False
            self.receiving = True
        return SENT

    def begin(self):
        """Write what stands before a request: its id if it has one, and the empty delimiter."""
        if self.correlate:
            request_id: bytes = ((self.request_number + 1) & 0xFFFFFFFF).to_bytes(4, "little")
            if self.out.send(request_id, 4, True) != SENT:
                return WOULD_BLOCK
            self.request_number += 1
            self.request_id = request_id
        else:
            self.request_id = None
        # With an id written, a pipe is chosen and takes the rest too.
        if self.out.send(b"", 0, True) != SENT:
            return WOULD_BLOCK
        self.began = True
        self.asked = self.out.last
        return SENT

    def give_up_reply(self):
        """Await the reply no longer (REQ_RELAXED).

        What has come of it is dropped. Unless replies carry the id of their request, a late one
        could pass for the reply to the next; so the connection is ended, and made anew.
        """
        self.receiving = False
        self.held = None
        self.queue.skip_message()
        if self.asked is not None and self.asked.returns and not self.correlate:
            self.asked.unwanted = True
            self.ended.append(self.asked)
            self.out.remove(self.asked)
            self.asked = None

    def find_reply(self):
        """Return the first part of the awaited reply; None while it has not come."""
        while True:
            part = self.queue.recv()
            if part is None:
                return None
            if self.queue.last is self.asked and self.queue.more:
                if self.request_id is not None and part == self.request_id:
                    part = self.queue.recv()
                elif self.request_id is not None:
                    part = b"another request's"
                if not part and self.queue.more:
                    return self.queue.recv()
            self.queue.skip_message()

    def recv(self):
        if not self.receiving:
            raise ZMQError(Errno.EFSM, "a REQ socket must send a request before it receives")
        if self.held is not None:
            part = self.held
            self.held = None
        elif self.queue.more:
            part = self.queue.recv()
        else:
            part = self.find_reply()
        if part is None:
            return None
        self.more = self.queue.more
        self.source = self.queue.last
        if not self.more:
            self.receiving = False
        return part

    def send_many(self, slices, count):
        return self.refuse_batches()

    def recv_many(self, batch, most):
        return self.refuse_batches()

    def has_in(self):
        if not self.receiving:
            return False
        if self.held is None and not self.queue.more:
            self.held = self.find_reply()
        return self.held is not None or self.queue.more

    def has_out(self):
        return (not self.receiving or self.relaxed) and (self.began or self.out.has_out())

    def rest(self):
        return self.held is None and self.queue.rest()
