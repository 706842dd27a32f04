"""The compiled half of a socket: send and recv. Everything that a message passes through.

A call looks for news first, asks the pattern, and waits only when the pattern has nothing to give.
"""

import operator

import cython
from cython.cimports.cpython.buffer import (
    PyBUF_SIMPLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.shmzmq.message import Frame, received
from cython.cimports.shmzmq.patterns.load_balance import SENT
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.atomics import load_relaxed
from cython.cimports.shmzmq.shm.board import Board
from cython.cimports.shmzmq.shm.lease import Lease, as_bytes
from cython.cimports.shmzmq.shm.lender import REFERENCE_FROM, Loan
from cython.cimports.shmzmq.shm.waiting import deadline_after
from cython.cimports.shmzmq.socket_core import SocketCore

from .delivery import Delivery
from .errors import Again
from .message import FINISHED, MessageTracker

_DONTWAIT = cython.declare(cython.int, 1)
_SNDMORE = cython.declare(cython.int, 2)
_POLLIN = cython.declare(cython.int, 1)
_POLLOUT = cython.declare(cython.int, 2)


@cython.cclass
class SocketBase(SocketCore):
    """Sending and receiving over a pattern.

    `Socket` adds endpoints, options and everything else.
    """

    def __cinit__(self):
        self.copy_threshold = 65536

    # -- sending -----------------------------------------------------------------------------------

    def send(
        self,
        data,
        flags: cython.int = 0,
        copy=True,
        track=False,
        routing_id=None,
        group=None,
    ):
        """Queue one message part for this socket's peers; returns once it is in shared memory.

        *data* is bytes, a Frame or anything with a contiguous buffer; it is copied before return.
        With SNDMORE in *flags* another part follows, and the message goes out as a whole with its
        last. Blocks while no peer can take the message, up to SNDTIMEO; with DONTWAIT never. With
        *track* and not *copy* a MessageTracker is returned, which is done when all receivers have
        the message; for less than `copy_threshold` bytes it is done at once. A Frame that is
        tracked always gives one. Raises Again when the time is up or it would have to wait: the
        part is then not queued. ZMQError: EFSM out of turn, ENOTSUP for a type that cannot send,
        ENOBUFS without memory (no part of the message is sent), EHOSTUNREACH (ROUTER_MANDATORY),
        ENOTSOCK when closed; ContextTerminated. TypeError for text: use send_string. ValueError for
        *track* and a Frame that is not tracked.
        Threads: one at a time.
        """
        if track and not copy:
            return self._send_tracked(data, flags)
        if isinstance(data, bytes):
            size: uint64_t = PyBytes_GET_SIZE(data)
            if size >= REFERENCE_FROM:
                self.write_large(PyBytes_AS_STRING(data), size, flags, data)
            else:
                self.write(PyBytes_AS_STRING(data), size, flags)
        elif isinstance(data, Frame) and cython.cast(Frame, data).tracker is not None:
            return self._send_tracked(data, flags)
        else:
            self._send_buffer(data, flags)
        return None

    def _send_tracked(self, data, flags):
        if isinstance(data, Frame):
            if data.tracker is None:
                raise ValueError("not a tracked message: to track a Frame, make it with track=True")
        elif not isinstance(data, str) and memoryview(data).nbytes < self.copy_threshold:
            self._send_buffer(data, flags)
            return FINISHED
        delivery = Delivery(self, self.pipes_by_bit)
        self._send_buffer(data, flags)
        delivery.begins(self.pipes_by_bit)
        watched = (delivery, data) if isinstance(data, Frame) else (delivery,)
        return MessageTracker(*watched)

    def _send_buffer(self, data, flags: cython.int):
        if isinstance(data, str):
            raise TypeError(f"send takes bytes, not text: use send_string for {data!r:.80}")
        if isinstance(data, Loan):
            return self._send_loan(data, flags)
        view: Py_buffer
        try:
            PyObject_GetBuffer(data, cython.address(view), PyBUF_SIMPLE)
        except BufferError:
            # Not contiguous: its bytes in order are what the peer is to see.
            flat: bytes = memoryview(data).tobytes()
            self.write_large(PyBytes_AS_STRING(flat), PyBytes_GET_SIZE(flat), flags, flat)
            return 0
        payload = None  # the object itself where it cannot change
        if isinstance(data, Frame) and isinstance(cython.cast(Frame, data).data, (bytes, Lease)):
            payload = cython.cast(Frame, data).data
        try:
            self.write_large(cython.cast(cython.p_char, view.buf), view.len, flags, payload)
        finally:
            PyBuffer_Release(cython.address(view))
        return 0

    def _send_loan(self, loan: Loan, flags: cython.int):
        self.lender.begin_loan(loan)
        try:
            self.write(loan.address, loan.nbytes, flags)
        finally:
            self.lender.done()
        return 0

    def write_large(self, data, size, flags, payload):
        """Send one part that may go as a block, or as *payload*, an object that never changes."""
        self.lender.begin(data, size, payload)
        try:
            self.write(data, size, flags)
        finally:
            self.lender.done()
        return 0

    def loan(self, nbytes):
        """Return a `Loan`: writable memory for a part of *nbytes* bytes, which `send` takes.

        Without a block to be had (see BLOCK_POOL_SIZE) it is plain memory and is copied when it is
        sent, as it is for receivers that share no memory with us. It waits for a block as long as
        such memory would cost (1 ns a byte, 0.2 ms at least), no longer. Raises ValueError for a
        negative size, TypeError for one that is no integer, MemoryError; ZMQError(ENOTSOCK) when
        closed.
        """
        self.check()
        size: int64_t = operator.index(nbytes)  # C would cut a fraction off
        if size < 0:
            raise ValueError(f"a loan of {size} bytes: the size must not be negative")
        return self.lender.loan(size)

    def write(self, data, size, flags):
        """Send one part from memory, waiting as *flags* and SNDTIMEO allow."""
        self.check()
        self.entered += 1
        try:
            return self._write(data, size, flags)
        finally:
            self.entered -= 1

    def _write(self, data, size, flags):
        board: Board = self.board  # held: another thread may close the socket while this one waits
        if load_relaxed(cython.address(board.header.news)):
            self.process_news()
        if self.pattern.send(data, size, flags & _SNDMORE) != SENT:
            self.wait_to_send(data, size, flags)
        if board.has_news() and not self.gone:
            # A far end may have come between the first look and the send: it has to be woken.
            self.process_news()
        if self.pattern.ended:
            self._take_away_ended()
        if not flags & _SNDMORE:
            self.counters[1] += 1
            self.counters[2] = self.pattern.dropped
        return 0

    def wait_to_send(self, data, size, flags):
        if flags & _DONTWAIT or self.send_timeout_ms == 0:
            # Whoever waits on FD from outside is to hear of room from now on; it may be there by
            # then.
            if (
                self.exposed
                and self.arm(_POLLOUT)
                and self.pattern.send(data, size, flags & _SNDMORE) == SENT
            ):
                return 0
            raise Again(msg="no peer can take the message now")
        board: Board = self.board  # see _write
        deadline: int64_t = deadline_after(self.send_timeout_ms)
        while True:
            in_time: cython.bint = self.wait(False, True, deadline)
            if board.has_news():
                self.process_news()
            if self.pattern.send(data, size, flags & _SNDMORE) == SENT:
                return 0
            if not in_time:
                raise Again(
                    msg=f"no peer took the message within {self.send_timeout_ms} ms (SNDTIMEO)"
                )

    # -- receiving ---------------------------------------------------------------------------------

    def recv(self, flags: cython.int = 0, copy=True, track=False):
        """Receive one message part: bytes, or a Frame when *copy* is false.

        A large part that came in a block is then not copied: the Frame is a view of it that cannot
        be written to, and the block returns to its sender when the last view is dropped.

        RCVMORE tells whether another part of the same message follows. Blocks until there is one,
        up to RCVTIMEO; with DONTWAIT never. Raises Again when the time is up or nothing is there;
        ZMQError: EFSM out of turn, ENOTSUP for a type that cannot receive, EPROTO when the sender's
        ring broke in the middle of this message, ENOTSOCK when closed; ContextTerminated;
        KeyboardInterrupt on Ctrl-C.
        Threads: one at a time.
        """
        self.check()
        self.entered += 1
        try:
            data = self._receive(flags)
        finally:
            self.entered -= 1
        if copy:
            return as_bytes(data)
        source: Pipe = self.pattern.source
        return received(data, self.pattern.more, None if source is None else source.metadata)

    def _receive(self, flags):
        if load_relaxed(cython.address(self.board.header.news)):
            self.process_news()
        data = self.pattern.recv()
        if data is None:
            data = self.wait_to_receive(flags)
        if self.pattern.ended:
            self._take_away_ended()
        if not self.pattern.more:
            self.counters[0] += 1
        return data

    def wait_to_receive(self, flags):
        if self.pattern.ended:
            self._take_away_ended()
        must_not_wait: cython.bint = flags & _DONTWAIT or self.receive_timeout_ms == 0
        if must_not_wait and (not self.exposed or not self.arm(_POLLIN)):
            raise Again(msg="nothing to receive now")
        board: Board = self.board  # see _write
        deadline: int64_t = deadline_after(self.receive_timeout_ms)
        while True:
            in_time: cython.bint = self.wait(True, False, deadline)
            if board.has_news():
                self.process_news()
            data = self.pattern.recv()
            if data is not None:
                return data
            if self.pattern.ended:
                self._take_away_ended()
            elif not in_time:
                raise Again(msg=f"nothing came within {self.receive_timeout_ms} ms (RCVTIMEO)")
