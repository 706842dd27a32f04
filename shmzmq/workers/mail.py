"""The worker's own board: how applications tell it of the pipes whose far end it is.

A socket has a board for its pipes, and so has a worker for those that it relays. It goes to sleep
by the same protocol (pair "sleep" in shmzmq/shm/board.py): all its pipes rest, it announces that it
sleeps, looks at its news once more, and only then waits, in the reactor, where the doorbell is one
of the descriptors. So an application that writes to a worker at work makes no system call.
"""

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.shm.atomics import lowest_bit
from cython.cimports.shmzmq.shm.board import Board

from ..shm.board import create_board


@cython.cclass
class Mail:
    """A board with its doorbell, owned by this process.

    Raises ZMQError: EMFILE without a descriptor for the doorbell, ENOBUFS when /dev/shm is full.
    """

    def __init__(self):
        self.board = create_board()

    def reserve(self):
        """Return the bit for another pipe. Raises ZMQError(ENOBUFS) when all are taken."""
        bit: cython.int = self.board.allocate()
        self.words = max(self.words, (bit >> 6) + 1)
        return bit

    def take(self):
        """Return the pipes with news, by their bits: those to read from, and those with room.

        What is posted from here on is news again.
        """
        board: Board = self.board
        board.take_news()
        ready: list = []
        room: list = []
        word: cython.int
        for word in range(self.words):
            _collect(board.take_ready(word), word, ready)
            _collect(board.take_room(word), word, room)
        return ready, room

    def close(self):
        """Take the board's name away."""
        self.board.segment.unlink()


@cython.cfunc
def _collect(bits: uint64_t, word: cython.int, found: list):
    while bits:
        found.append(word * 64 + lowest_bit(bits))
        bits &= bits - 1
