"""The compiled half of a socket: send, recv, and waiting. Everything that a message passes through.

A socket is its pattern (who gets what), its board (who has news) and its pipes. A call looks for
news first, asks the pattern, and waits only when the pattern has nothing to give. The GIL is the
lock: it is held but for spinning and sleeping, and nothing of the socket is left half done where it
is let go.
"""

import errno
import os
import threading

import cython
from cython.cimports.cpython.buffer import (
    PyBUF_SIMPLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.exc import PyErr_CheckSignals
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.shmzmq.message import Frame
from cython.cimports.shmzmq.patterns.load_balance import SENT
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.atomics import load_relaxed, lowest_bit
from cython.cimports.shmzmq.shm.blocks import Pool
from cython.cimports.shmzmq.shm.board import Board
from cython.cimports.shmzmq.shm.lease import Lease, as_bytes
from cython.cimports.shmzmq.shm.lender import REFERENCE_FROM, Lender, Loan
from cython.cimports.shmzmq.shm.waiting import (
    LOOK_AGAIN,
    MAX_WATCHES,
    Spinner,
    Watch,
    deadline_after,
)

from .delivery import Delivery
from .errors import Again, ZMQError
from .message import FINISHED, MessageTracker, received
from .shm import directory

_DONTWAIT = cython.declare(cython.int, 1)
_SNDMORE = cython.declare(cython.int, 2)
_POLLIN = cython.declare(cython.int, 1)
_POLLOUT = cython.declare(cython.int, 2)

# How often this process's ancestors forked; a socket belongs to the process that made it.
_generation = cython.declare(cython.int, 0)


# Held by the attendant's thread while it has borrowed a socket; those who wait for that wait here.
_borrowing = threading.Lock()


def _forked():
    global _generation, _borrowing
    _generation += 1
    _borrowing = threading.Lock()


os.register_at_fork(after_in_child=_forked)


def fork_generation():
    """Return a number that is another one in every forked child."""
    return _generation


@cython.cclass
class SocketBase:
    """Sending and receiving over a pattern.

    `Socket` adds endpoints, options and everything else.
    """

    def __cinit__(self):
        self.copy_threshold = 65536
        self.gone = True  # and stays so for an object that never gets its parts

    def set_up(self, board: Board, pattern: Pattern):
        """Take the socket's parts; called once by the socket that is being made."""
        self.gone = False
        self.board = board
        self.pattern = pattern
        self.spinner = Spinner()
        self.lender = Lender()
        self.pipes_by_bit = []
        self.kept = []
        self.send_timeout_ms = self.receive_timeout_ms = -1
        self.generation = _generation
        self.count_in(directory.scratch())

    def change_pattern(self, pattern: Pattern):
        """Route by *pattern* from now on; there are no pipes yet."""
        self.pattern = pattern

    def count_in(self, slot):
        """Keep this socket's counters (layout.COUNTERS) in the directory *slot* from now on."""
        self.slot = slot
        address: cython.size_t = slot.address
        self.counters = cython.cast(cython.pointer(uint64_t), address)

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

    def loan(self, nbytes: int64_t):
        """Return a `Loan`: writable memory for a part of *nbytes* bytes, which `send` takes.

        Does not block. Without a block to be had (see BLOCK_POOL_SIZE) it is plain memory and is
        copied when it is sent, as it is for receivers that share no memory with us. Raises
        ValueError for a negative size, MemoryError; ZMQError(ENOTSOCK) when closed.
        """
        self.check()
        if nbytes < 0:
            raise ValueError(f"a loan of {nbytes} bytes: the size must not be negative")
        return self.lender.loan(nbytes)

    def use_pool(self, pool: Pool):
        """Take the blocks of large messages from *pool*; called before there is any pipe."""
        self.lender = Lender(pool)

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
        deadline: int64_t = deadline_after(self.send_timeout_ms)
        while True:
            in_time: cython.bint = self.wait(False, True, deadline)
            if self.board.has_news():
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
        deadline: int64_t = deadline_after(self.receive_timeout_ms)
        while True:
            in_time: cython.bint = self.wait(True, False, deadline)
            if self.board.has_news():
                self.process_news()
            data = self.pattern.recv()
            if data is not None:
                return data
            if self.pattern.ended:
                self._take_away_ended()
            elif not in_time:
                raise Again(msg=f"nothing came within {self.receive_timeout_ms} ms (RCVTIMEO)")

    # -- waiting -----------------------------------------------------------------------------------

    def wait(self, for_in, for_out, deadline_ns):
        """Wait until something may have changed; 1, or 0 when *deadline_ns* has passed.

        Raises what a signal handler raises, and whatever check raises: the socket may be closed
        meanwhile.
        """
        watches: Watch[MAX_WATCHES]
        board: Board = self.board
        count: cython.int = 0
        if for_in:
            count = self.pattern.watch_in(watches, MAX_WATCHES // 2)
        if for_out:
            count += self.pattern.watch_out(cython.address(watches[count]), MAX_WATCHES - count)
        moved: cython.bint
        self.spinning += (
            1  # the memory watched without the GIL stays, whatever another thread closes
        )
        with cython.nogil:
            moved = self.spinner.spin(board, watches, count, deadline_ns)
        self.spinning -= 1
        if self.spinning == 0 and self.kept:
            self.kept.clear()
        self.check()
        if moved:
            return 1
        if for_in and not self.pattern.rest():
            return 1
        if for_out and not self.pattern.is_blocked():
            return 1
        if self.pattern.ended:
            self._take_away_ended()
            return 1
        rc: cython.int
        with cython.nogil:
            rc = self.spinner.sleep(board, deadline_ns)
        self.counters[3] = self.spinner.wakes
        self.counters[4] = self.spinner.spins
        self.counters[5] = self.spinner.sleeps
        self.check()
        if rc < 0:
            PyErr_CheckSignals()
            return 1
        if rc == LOOK_AGAIN:
            self.look_at_all()
        if rc:
            # Whatever `news` says: the board is written by all peers, and one of them may have gone
            # mad.
            self.process_news()
        return rc != 0

    def process_news(self):
        """Look at everything that was posted on the board since the last time."""
        board: Board = self.board
        board.take_news()
        control: uint64_t = board.take_control()
        if control:
            self.on_control(control)
        word: cython.int
        bits: uint64_t
        pipe: Pipe
        for word in range(self.words):
            bits = board.take_ready(word)
            while bits:
                item = self.pipes_by_bit[word * 64 + lowest_bit(bits)]
                bits &= bits - 1
                if item is not None:
                    pipe = item
                    self.spinner.relayed = pipe.relayed
                    self.pattern.on_ready(pipe)
            bits = board.take_room(word)
            while bits:
                item = self.pipes_by_bit[word * 64 + lowest_bit(bits)]
                bits &= bits - 1
                if item is not None:
                    pipe = item
                    self.spinner.relayed = pipe.relayed
                    self.pattern.on_room(pipe)
        if self.pattern.ended:
            self._take_away_ended()
        return 0

    def look_at_all(self):
        """Look at every pipe as if it had been posted, for news that was wiped off the board."""
        for item in self.pipes_by_bit:
            if item is not None:
                pipe: Pipe = item
                if not pipe.inbound.is_empty():
                    self.pattern.on_ready(pipe)
                self.pattern.on_room(pipe)
        return 0

    def _take_away_ended(self):
        ended = self.pattern.ended
        once = list(dict.fromkeys(ended))  # its reader and its writer may both have found it
        ended.clear()
        for pipe in once:
            self.on_pipe_ended(pipe)

    def on_control(self, flags):
        """Handle a control post (shm.board.Control); the full socket says how."""

    def on_pipe_ended(self, pipe):
        """Take *pipe* away: nothing can come from it any more; the full socket says how."""

    # -- pipes -------------------------------------------------------------------------------------

    def hold_pipe(self, pipe: Pipe):
        """Have the board's mail for this pipe's bit reach the pattern."""
        while len(self.pipes_by_bit) <= pipe.bit:
            self.pipes_by_bit.extend([None] * 64)
        self.words = len(self.pipes_by_bit) // 64
        self.pipes_by_bit[pipe.bit] = pipe
        pipe.use_lender(self.lender)

    def drop_pipe(self, pipe: Pipe):
        """Undo hold_pipe and give the bit back."""
        if pipe.bit < len(self.pipes_by_bit) and self.pipes_by_bit[pipe.bit] is pipe:
            self.pipes_by_bit[pipe.bit] = None
            self.board.release(pipe.bit)
            if self.spinning:
                self.kept.append(pipe)

    # -- readiness, for pollers --------------------------------------------------------------------

    def look(self):
        """Return which of POLLIN and POLLOUT hold now."""
        self.check()
        if self.board.has_news():
            self.process_news()
        events: cython.int = 0
        if self.pattern.has_in():
            events |= _POLLIN
        if self.pattern.has_out():
            events |= _POLLOUT
        if self.pattern.ended:
            self._take_away_ended()
        return events

    def poll_events(self, wanted: cython.int = 3, timeout_ms: int64_t = 0):
        """Wait up to *timeout_ms* (-1: for ever) for one of *wanted*; return those that hold."""
        self.check()
        self.entered += 1
        try:
            return self._poll(wanted, timeout_ms)
        finally:
            self.entered -= 1

    def _poll(self, wanted, timeout_ms):
        deadline: int64_t = deadline_after(timeout_ms)
        while True:
            found: cython.int = self.look() & wanted
            if found or timeout_ms == 0:
                return found
            if not self.wait(wanted & _POLLIN != 0, wanted & _POLLOUT != 0, deadline):
                return self.look() & wanted

    def arm(self, wanted: cython.int = 3):
        """Get ready for somebody to wait on the doorbell; return the events that hold already.

        When it returns 0, the doorbell is silent and rings at the next change. What is missing of
        *wanted* rings too when only a part of it holds.
        """
        self.check()
        self.entered += 1
        try:
            return self._arm(wanted)
        finally:
            self.entered -= 1

    def _arm(self, wanted):
        while True:
            found: cython.int = self.look() & wanted
            if found == wanted:
                return found
            self.board.doorbell.drain()
            if wanted & _POLLIN and not found & _POLLIN and not self.pattern.rest():
                continue
            if self.board.announce_sleep():
                return found
            self.process_news()

    def disarm(self):
        """The wait on the doorbell is over."""
        self.board.awake()

    def silence(self):
        """Nobody waits on the doorbell any more: it does not ring again, nor is it rung already."""
        self.board.awake()
        self.board.doorbell.drain()

    def ring(self):
        """Ring this socket's own doorbell: whoever waits on it from outside is to look."""
        self.board.doorbell.ring()

    # -- states ------------------------------------------------------------------------------------

    def check(self):
        """Raise what stands in the way of using this socket: closed, ended, another process's."""
        if self.gone or self.borrowed or self.generation != _generation:
            self._refuse()
        return 0

    def _refuse(self):
        if self.generation != _generation:
            raise ZMQError(
                errno.ENOTSOCK,
                "this socket belongs to the process that made it, not to its forked child: "
                "make a Context here",
            )
        self._await_return()
        if self.gone:
            self.why_gone()

    # -- calls, and the attendant between them -----------------------------------------------------

    def enter(self):
        """A call begins that may let the GIL go while something of the socket is half done."""
        self._await_return()
        self.entered += 1

    def leave(self):
        """The call that `enter` began is over."""
        self.entered -= 1

    def borrow(self):
        """Take the socket for the attendant's thread; false while a call is under way.

        Calls that begin meanwhile wait for `give_back`. They do so without the context's lock.
        """
        if self.entered or self.borrowed or self.gone or self.generation != _generation:
            return False
        self.borrower = threading.get_ident()
        self.borrowed = True  # before the lock is waited for: whoever finds it set waits, too
        _borrowing.acquire()
        return True

    def give_back(self):
        """Undo `borrow`."""
        self.borrowed = False
        _borrowing.release()

    def _await_return(self):
        while self.borrowed and self.borrower != threading.get_ident():
            with _borrowing:
                pass
        return 0

    def why_gone(self):
        """Raise the reason why a socket that is gone cannot be used."""
        raise ZMQError(errno.ENOTSOCK, "this socket is closed")

    def set_gone(self, gone: cython.bint = True):
        """From now on every call raises why_gone; whoever waits is woken."""
        self.gone = gone
        self.board.notify(4)  # Control.END

    def release(self):
        """Let everything go: the socket is closed.

        What other threads or peers still use stays with them.
        """
        self.pipes_by_bit = []
        self.words = 0
        self.board.doorbell.close()
        self.board = None

    @property
    def more(self):
        """Whether the part received last has another behind it (RCVMORE)."""
        return bool(self.pattern.more)
