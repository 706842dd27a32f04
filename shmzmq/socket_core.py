"""What a socket is made of, its news, and how it waits for more.

A socket is its pattern (who gets what), its board (who has news) and its pipes. The GIL is the
lock: it is held but for spinning and sleeping, and nothing of the socket is left half done where it
is let go.
"""

import errno
import os
import threading

import cython
from cython.cimports.cpython.exc import PyErr_CheckSignals
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.atomics import lowest_bit
from cython.cimports.shmzmq.shm.blocks import Pool
from cython.cimports.shmzmq.shm.board import Board
from cython.cimports.shmzmq.shm.forks import generation
from cython.cimports.shmzmq.shm.lender import Lender
from cython.cimports.shmzmq.shm.waiting import (
    LOOK_AGAIN,
    MAX_WATCHES,
    Spinner,
    Watch,
    deadline_after,
)

from .errors import ZMQError
from .shm import directory

_POLLIN = cython.declare(cython.int, 1)
_POLLOUT = cython.declare(cython.int, 2)

# Held by the attendant's thread while it has borrowed a socket; those who wait for that wait here.
_borrowing = threading.Lock()


def _forked():
    global _borrowing
    _borrowing = threading.Lock()


os.register_at_fork(after_in_child=_forked)


@cython.cclass
class SocketCore:
    """The parts of a socket, and waiting for what changes in them.

    `SocketBase` adds sending and receiving.
    """

    def __cinit__(self):
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
        self.generation = generation
        self.count_in(directory.scratch())

    def change_pattern(self, pattern: Pattern):
        """Route by *pattern* from now on; there are no pipes yet."""
        self.pattern = pattern

    def count_in(self, slot):
        """Keep this socket's counters (layout.COUNTERS) in the directory *slot* from now on."""
        self.slot = slot
        address: cython.size_t = slot.address
        self.counters = cython.cast(cython.pointer(uint64_t), address)

    def use_pool(self, pool: Pool):
        """Take the blocks of large messages from *pool*; called before there is any pipe."""
        self.lender = Lender(pool)

    # -- waiting -----------------------------------------------------------------------------------

    def wait(self, for_in, for_out, deadline_ns):
        """Wait until something may have changed; 1, or 0 when *deadline_ns* has passed.

        Raises what a signal handler raises, and whatever check raises: the socket may be closed
        meanwhile.
        """
        self.check()
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
        """Look at everything that was posted on the board since the last time.

        Raises whatever check raises: to act upon news may take waiting, and another thread may
        close the socket meanwhile.
        """
        self.check()
        board: Board = self.board
        board.take_news()
        control: uint64_t = board.take_control()
        if control:
            self.on_control(control)
            self.check()
        word: cython.int
        bits: uint64_t
        pipe: Pipe
        for word in range(self.words):
            bits = board.take_ready(word)
            while bits:
                pipe = self.pipe_of(word, bits)
                bits &= bits - 1
                if pipe is not None:
                    self.pattern.on_ready(pipe)
            bits = board.take_room(word)
            while bits:
                pipe = self.pipe_of(word, bits)
                bits &= bits - 1
                if pipe is not None:
                    self.pattern.on_room(pipe)
        if self.pattern.ended:
            self._take_away_ended()
        return 0

    def pipe_of(self, word, bits):
        """Return the pipe of the lowest bit, which has posted; None for one that has gone."""
        return self.pipes_by_bit[word * 64 + lowest_bit(bits)]

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
        board: Board = self.board
        while True:
            found: cython.int = self.look() & wanted
            if found == wanted:
                return found
            self.check()  # look may have waited for another thread
            board.doorbell.drain()
            if wanted & _POLLIN and not found & _POLLIN and not self.pattern.rest():
                continue
            if board.announce_sleep():
                return found
            self.process_news()

    def disarm(self):
        """The wait on the doorbell is over; another thread may have closed the socket meanwhile."""
        if self.board is not None:
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
        if self.gone or self.borrowed or self.generation != generation:
            self._refuse()
        return 0

    def _refuse(self):
        if self.generation != generation:
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
        if self.entered or self.borrowed or self.gone or self.generation != generation:
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
