"""The board: a socket's mail flags in shared memory, and how a sleeper is woken without fail.

A socket owns one board. Everyone who has news for it (a peer that published, a peer that made room,
its worker, another thread of its process) posts here and rings the doorbell only if the owner
sleeps.

I1  A bit in `ready` or `room` is set by a poster and cleared by the owner, both with atomic
    operations.
I2  `news` is set after the bit that it is about, so an owner that has cleared `news` and then looks
    at all bits misses none: a bit set behind its back sets `news` again.
I3  An owner waits on its doorbell only after it has announced that it sleeps and has then seen no
    news.

field      set by              cleared by            words
asleep     owner               whoever rings, owner  own pair of cache lines: read at every post
news       posters             owner                 shared with control
control    worker, threads     owner                 flags of shmzmq.shm.board.Control
ready/room peers (one a bit)   owner
allocated  owner and worker    owner and worker      which bits belong to a pipe

Pair "sleep": the owner stores `asleep`, then looks for `news` (announce_sleep); a poster stores
`news`, then looks at `asleep` (_tell). Full fences on both sides: at least one sees the other, so
the owner does not wait or the poster rings.
"""

import errno
from enum import IntFlag

import cython
from cython.cimports.cpython.buffer import (
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.shm.atomics import (
    exchange,
    fence,
    fetch_and,
    fetch_or,
    load_relaxed,
    lowest_bit,
    store_release,
)
from cython.cimports.shmzmq.shm.doorbell import Doorbell
from cython.cimports.shmzmq.shm.layout import BOARD_WORDS, BoardHeader

from ..errors import ZMQError
from . import segment as segments
from .layout import BOARD_PIPES, BOARD_SIZE, Kind


class Control(IntFlag):
    """What a control post is about."""

    EVENT = 1  # the worker wrote an event to the stream of this context
    ATTACH = 2  # another thread's inproc connection waits to be taken up
    END = 4  # the context ends, or this socket was closed by another thread


@cython.cclass
class Board:
    """One socket's board, mapped by its owner, its peers and its worker.

    *segment* is a board segment; *doorbell* wakes the owner.
    """

    def __cinit__(self, segment, doorbell: Doorbell):
        PyObject_GetBuffer(segment.memory, cython.address(self.view), PyBUF_WRITABLE)
        self.segment = segment
        self.doorbell = doorbell
        self.header = cython.cast(cython.pointer(BoardHeader), self.view.buf)

    def __dealloc__(self):
        PyBuffer_Release(cython.address(self.view))

    # -- which bits are whose ----------------------------------------------------------------------

    def allocate(self):
        """Reserve a bit for a new pipe and return its number.

        Called by the owner and by its worker, hence atomic. Raises ZMQError(ENOBUFS) when all are
        taken.
        """
        word: cython.int
        free: uint64_t
        bit: cython.int
        for word in range(BOARD_WORDS):
            free = ~load_relaxed(cython.address(self.header.allocated[word]))
            while free:
                bit = lowest_bit(free)
                mask: uint64_t = cython.cast(uint64_t, 1) << bit
                if not fetch_or(cython.address(self.header.allocated[word]), mask) & mask:
                    return word * 64 + bit
                free &= ~mask
        raise ZMQError(errno.ENOBUFS, f"a socket has at most {BOARD_PIPES} pipes")

    def release(self, bit: cython.int):
        """Give a bit back; nobody may post it any more."""
        mask: uint64_t = cython.cast(uint64_t, 1) << (bit & 63)
        fetch_and(cython.address(self.header.ready[bit >> 6]), ~mask)
        fetch_and(cython.address(self.header.room[bit >> 6]), ~mask)
        fetch_and(cython.address(self.header.allocated[bit >> 6]), ~mask)

    # -- posting -----------------------------------------------------------------------------------

    def post_ready(self, bit: cython.int):
        _post(self, cython.address(self.header.ready[bit >> 6]), bit)

    def post_room(self, bit: cython.int):
        _post(self, cython.address(self.header.room[bit >> 6]), bit)

    def post_control(self, flags: uint64_t):
        fetch_or(cython.address(self.header.control), flags)
        _tell(self)

    def notify(self, flags):
        """Post control *flags* (see Control): the way in for the worker and other threads."""
        self.post_control(flags)

    # -- the owner ---------------------------------------------------------------------------------

    def has_news(self):
        return load_relaxed(cython.address(self.header.news)) != 0

    def take_news(self):
        # I2: cleared before the bits are looked at.
        exchange(cython.address(self.header.news), 0)

    def take_control(self):
        if load_relaxed(cython.address(self.header.control)) == 0:
            return 0
        return exchange(cython.address(self.header.control), 0)

    def take_ready(self, word: cython.int):
        if load_relaxed(cython.address(self.header.ready[word])) == 0:
            return 0
        return exchange(cython.address(self.header.ready[word]), 0)

    def take_room(self, word: cython.int):
        if load_relaxed(cython.address(self.header.room[word])) == 0:
            return 0
        return exchange(cython.address(self.header.room[word]), 0)

    def announce_sleep(self):
        """Say that the owner sleeps; true when it may wait, false when news came first."""
        store_release(cython.address(self.header.asleep), 1)
        fence()  # pair "sleep": asleep is visible before news is looked at
        if load_relaxed(cython.address(self.header.news)) == 0:
            return True
        self.awake()
        return False

    def awake(self):
        store_release(cython.address(self.header.asleep), 0)

    @property
    def name(self):
        """The board segment's name, by which peers open it."""
        return self.segment.name

    @property
    def asleep(self):
        """Whether the owner has announced that it sleeps; for inspection."""
        return load_relaxed(cython.address(self.header.asleep)) != 0


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _post(board: Board, word: cython.pointer(uint64_t), bit: cython.int) -> cython.void:
    mask: uint64_t = cython.cast(uint64_t, 1) << (bit & 63)
    # A bit that is still set has been told of, and its owner will look at the pipe after clearing
    # it.
    if load_relaxed(word) & mask:
        return
    fetch_or(word, mask)
    _tell(board)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _tell(board: Board) -> cython.void:
    # pair "sleep": news is visible before asleep is looked at (an exchange is a full fence)
    exchange(cython.address(board.header.news), 1)
    if load_relaxed(cython.address(board.header.asleep)) and exchange(
        cython.address(board.header.asleep), 0
    ):
        board.doorbell.ring()


def create_board(private=False):
    """Make a board and its doorbell for a new socket.

    *private* for one that only this process sees.
    Raises ZMQError: EMFILE when no descriptor is left, ENOBUFS when /dev/shm is full.
    """
    try:
        doorbell = Doorbell()  # first: without a descriptor no name is left behind
    except OSError as error:
        raise ZMQError(error.errno, f"a socket takes a descriptor: {error}") from error
    make = segments.create_private if private else segments.create
    segment = make(Kind.BOARD, BOARD_SIZE)
    segments.publish(segment)
    return Board(segment, doorbell)


def open_board(name, doorbell_fd):
    """Open the board called *name* as a peer or as the worker; owns *doorbell_fd* from now on."""
    doorbell = Doorbell(doorbell_fd)
    return Board(segments.open_segment(name, Kind.BOARD), doorbell)


def compiled_offsets():
    """Return the offsets that the compiled code uses, to be held against layout.OFFSETS."""
    board: cython.pointer(BoardHeader) = cython.NULL
    return {
        "asleep": cython.cast(cython.size_t, cython.address(board.asleep)),
        "news": cython.cast(cython.size_t, cython.address(board.news)),
        "control": cython.cast(cython.size_t, cython.address(board.control)),
        "allocated": cython.cast(cython.size_t, cython.address(board.allocated)),
        "ready": cython.cast(cython.size_t, cython.address(board.ready)),
        "room": cython.cast(cython.size_t, cython.address(board.room)),
    }


def address_of(memory):
    """Return where *memory* (a writable buffer) begins in this process, as an integer."""
    view: Py_buffer
    PyObject_GetBuffer(memory, cython.address(view), PyBUF_WRITABLE)
    address = cython.cast(cython.size_t, view.buf)
    PyBuffer_Release(cython.address(view))
    return address
