"""The relay from a stream to a pipe.

R1  A body whose rest is not there yet has its record in the ring already, and the rest is received
    into it. Nothing of its message is visible before its last octet is there.
R2  What finds no room in the ring stays in the buffer, and the stream is not read until there is.
R3  A part of more than AT_ONCE bytes gets its place when it is complete. Until then it lies in
    plain memory, of which the system gives only what was written to: an announcement costs nothing.
R4  Another large part is received into a block, which is ours alone until it is complete: then it
    is lent, and its descriptor takes its place in the ring. What finds no block goes by R1.
"""

import errno
import os

import cython
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.errno import EAGAIN, EINTR
from cython.cimports.libc.errno import errno as last_error
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcmp, memcpy, memmove
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.blocks import Pool
from cython.cimports.shmzmq.shm.layout import RECORD_MORE
from cython.cimports.shmzmq.shm.ring import RING_OK
from cython.cimports.shmzmq.workers.relay import (
    BATCH,
    RELAY_BLOCKED,
    RELAY_COMMAND,
    RELAY_ENDED,
    RELAY_IDLE,
    RELAY_MORE,
    SO_RCVLOWAT,
    SOL_SOCKET,
    iovec,
    readv,
    setsockopt,
)
from cython.cimports.shmzmq.zmtp.codec import (
    FRAME_BAD,
    FRAME_COMMAND,
    FRAME_MORE,
    FRAME_SHORT,
    HEADER_MOST,
    FrameCodec,
)

from ..errors import ZMQError
from ..zmtp.commands import cancel, subscribe

_TURN = cython.declare(uint64_t, 4 * BATCH)
_CALL_MOST = cython.declare(uint64_t, 1 << 20)  # octets for one system call: some 100 µs
# The rest of a body is awaited in pieces: octets from which on, and of one piece.
_RARELY_FROM = cython.declare(uint64_t, BATCH)
_RARELY_MOST = cython.declare(uint64_t, 4 * BATCH)
_AT_ONCE = cython.declare(uint64_t, 4 << 20)  # bytes of shared memory for a mere announcement
_LARGEST = cython.declare(uint64_t, 1 << 40)  # bytes; no ring will ever hold a larger part
_SUBSCRIBE = cython.declare(bytes, subscribe(b""))
_CANCEL = cython.declare(bytes, cancel(b""))
_SPARE_MOST = cython.declare(cython.int, 8)
# Buffers in use are few, however many connections there are: idle ones have none.
_spare_buffers = cython.declare(list, [])


@cython.cclass
class Buffer:
    """What one system call has received."""


@cython.cclass
class Receiving:
    """From the stream with descriptor *fd* to the ring of *pipe*.

    *rest* is what was read from the stream before. With *subscriptions*, the commands SUBSCRIBE and
    CANCEL become messages of byte 1 or 0 and a prefix, which PUB and XPUB sockets read. One system
    call receives at most *most* octets, 0: any number.
    """

    def __init__(
        self,
        pipe: Pipe,
        fd: cython.int,
        codec: FrameCodec,
        subscriptions: cython.bint,
        rest: bytes = b"",
        most: uint64_t = 0,
    ):
        if len(rest) > BATCH:
            raise ValueError(f"at most {BATCH} bytes can have been read before, not {len(rest)}")
        self.pipe = pipe
        self.fd = fd
        self.codec = codec
        self.subscriptions = subscriptions
        self.asked = BATCH
        self.low_mark = 1
        self.most = most if most and most < _CALL_MOST else _CALL_MOST
        if rest:
            self.buffer = Buffer()
            memcpy(self.buffer.octets, cython.cast(cython.p_char, rest), len(rest))
            self.end = len(rest)

    def announce(self):
        """Put an empty message into the ring, whatever its mark: a raw peer has come, or gone."""
        if self.pipe.write(cython.NULL, 0, False) == RING_OK:
            self.pipe.flush()

    def imply(self, command: bytes):
        """Act upon *command* as if the peer had sent it; to be called before the first turn."""
        self.pending = command

    def receive(self):
        """Take a turn: MORE, IDLE, BLOCKED, COMMAND or ENDED.

        After BLOCKED the application posts when it has made room. Does not block. Raises OSError
        when the stream is broken; ProtocolError for what is no frame, or too large; ZMQError:
        ENOBUFS when there will never be memory for a part, EPROTO when the ring is broken.
        """
        left: uint64_t = _TURN
        drained: cython.bint = False
        self.command = None
        while True:
            rc: cython.int = self.place()
            if rc != RELAY_IDLE:
                return rc
            if drained or left == 0:
                self.await_octets()
                self.give_back()
                return RELAY_IDLE if drained else RELAY_MORE
            count: cython.Py_ssize_t = self.fetch()
            if count == 0:
                return RELAY_ENDED
            if count < 0:
                drained = True
                continue
            drained = cython.cast(uint64_t, count) < self.asked
            left = left - count if cython.cast(uint64_t, count) < left else 0

    def await_octets(self):
        """Be woken when it pays: for the rest of a large body not by every segment of it.

        To be called before every wait: never more is waited for than is still to come of the body.
        The end of the stream is told at once (SO_RCVLOWAT in socket(7)).
        """
        wanted: cython.int = 1
        if self.missing >= _RARELY_FROM:
            wanted = min(self.missing, _RARELY_MOST)
        if wanted != self.low_mark:
            self.low_mark = wanted
            # A stream that does not know this wakes us more often, and that is all.
            size: cython.uint = cython.sizeof(cython.int)
            setsockopt(self.fd, SOL_SOCKET, SO_RCVLOWAT, cython.address(wanted), size)
        return 0

    def give_back(self):
        if self.buffer is not None and self.begin == self.end:
            if len(_spare_buffers) < _SPARE_MOST:
                _spare_buffers.append(self.buffer)
            self.buffer = None

    def fetch(self):
        """Read once: how much came, 0 at the end of the stream, -1 when nothing is there."""
        pieces: iovec[2]
        count: cython.int = 0
        got: cython.Py_ssize_t
        if self.buffer is None:
            self.buffer = _spare_buffers.pop() if _spare_buffers else Buffer()
        if self.begin:
            # Not even a header is left, or a part that found no room; it is at the front again.
            memmove(self.buffer.octets, self.buffer.octets + self.begin, self.end - self.begin)
            self.end -= self.begin
            self.begin = 0
        if self.missing:
            pieces[0].iov_base = self.rest
            pieces[0].iov_len = self.missing if self.missing < self.most else self.most
            count = 1
        if self.missing < self.most:
            left: uint64_t = self.most - self.missing
            pieces[count].iov_base = self.buffer.octets + self.end
            pieces[count].iov_len = left if left < BATCH - self.end else BATCH - self.end
            count += 1
        self.asked = pieces[0].iov_len + (pieces[1].iov_len if count == 2 else 0)
        while True:
            with cython.nogil:
                got = readv(self.fd, pieces, count)
            if got >= 0:
                break
            if last_error == EAGAIN:
                return -1
            if last_error != EINTR:
                raise OSError(last_error, os.strerror(last_error))
        into: uint64_t = got
        self.count += into
        if self.missing:
            taken: uint64_t = into if into < self.missing else self.missing
            self.rest += taken
            self.missing -= taken
            into -= taken
            if self.missing == 0 and taken:
                self.end_part()
        self.end += into
        return got

    def place(self):
        """Put what is in the buffer where it belongs: IDLE, BLOCKED or COMMAND."""
        rc: cython.int
        while True:
            if self.whole is not None:
                rc = self.put_whole()
                if rc != RELAY_IDLE:
                    return rc
            if self.pending is not None:
                rc = self.act()
                if rc != RELAY_IDLE:
                    return rc
            if self.missing or self.begin == self.end:
                return RELAY_IDLE
            before: uint64_t = self.begin
            rc = self.take_frame(self.buffer.octets + self.begin, self.end - self.begin)
            if rc != RELAY_IDLE or (self.begin == before):
                return rc

    def take_frame(self, octets, available):
        """Take the frame at the front of the buffer; IDLE, or BLOCKED when it has to wait."""
        codec: FrameCodec = self.codec
        rc: cython.int = codec.parse(cython.cast(cython.p_const_uchar, octets), available)
        if rc == FRAME_SHORT:
            return RELAY_IDLE
        if rc == FRAME_BAD:
            codec.refuse(octets[: min(available, cython.cast(uint64_t, HEADER_MOST))])
        body: cython.p_const_char = octets + codec.start
        available -= codec.start
        size: uint64_t = codec.size
        there: uint64_t = size if size < available else available
        if codec.flags & FRAME_COMMAND == 0:
            rc = self.take_part(body, there)
            if rc != RELAY_IDLE:
                return rc
        elif there == size:
            self.pending = body[:size]
        else:
            self.begin_half(size, True)
            memcpy(self.rest, body, there)
        self.begin += codec.start + there
        self.missing = size - there
        self.rest += there
        return RELAY_IDLE

    def take_part(self, body, available):
        """Give the part of a message that codec found its record, and what is there of it (R1)."""
        pipe: Pipe = self.pipe
        size: uint64_t = self.codec.size
        self.more = self.codec.flags & FRAME_MORE != 0
        if size > _LARGEST:
            raise ZMQError(errno.ENOBUFS, f"no ring will hold a message part of {size} bytes")
        if not pipe.sending and not pipe.can_write() and pipe.park(0):
            return RELAY_BLOCKED
        if size > _AT_ONCE:
            self.begin_half(size, False)
            memcpy(self.rest, body, available)
            return RELAY_IDLE
        if self.take_block(size):
            self.rest = self.block.address
        else:
            rc: cython.int = pipe.write(cython.NULL, size, self.more)
            while rc != RING_OK:
                if self.await_memory(rc, size):
                    return RELAY_BLOCKED
                rc = pipe.write(cython.NULL, size, self.more)
            self.rest = pipe.outbound.payload
        memcpy(self.rest, body, available)
        if available == size:
            self.end_part()
        return RELAY_IDLE

    def take_block(self, size):
        """Have a part come to a block; false when it goes through the ring."""
        pipe: Pipe = self.pipe
        if pipe.merging or size < pipe.lending.least or pipe.lending.ledger is None:
            return False
        pool: Pool = pipe.lender.pool
        self.block = pool.allocate(size, True)
        self.size = size
        return self.block is not None

    def pass_block_on(self):
        """Lend the application the block that is filled; else its bytes go through the ring."""
        block: Block = self.block
        pipe: Pipe = self.pipe
        self.block = None
        rc: cython.int = pipe.lending.write_block(
            pipe.outbound, block, self.size, RECORD_MORE if self.more else 0
        )
        if rc != RING_OK:
            self.whole = PyBytes_FromStringAndSize(block.address, self.size)
            self.unlent = True
        else:
            pipe.sending = self.more
            if not self.more:
                pipe.flush()
        pool: Pool = pipe.lender.pool
        pool.release(block)
        return 0

    def drop(self):
        """The stream is gone: forget what has not come whole."""
        if self.block is not None:
            pool: Pool = self.pipe.lender.pool
            pool.release(self.block)
            self.block = None

    def begin_half(self, size, command):
        """Have the rest of a body come to plain memory."""
        try:
            # Nobody else has it yet, so it may be written to.
            self.half = PyBytes_FromStringAndSize(cython.NULL, size)
        except MemoryError:
            text = f"no memory for a message part or command of {size} bytes"
            raise ZMQError(errno.ENOBUFS, text) from None
        self.half_command = command
        self.rest = cython.cast(cython.p_char, self.half)
        return 0

    def put_whole(self):
        """Give a large part that is complete its record: IDLE, or BLOCKED when it has to wait."""
        part: bytes = self.whole
        size: uint64_t = len(part)
        if not self.unlent and self.take_block(size):
            memcpy(self.block.address, cython.cast(cython.p_char, part), size)
            self.whole = None
            self.pass_block_on()
            return RELAY_IDLE
        # Not by Pipe.write alone, which would look for a block again, and wait for one.
        rc: cython.int = self.pipe.write(cython.NULL, size, self.more)
        while rc != RING_OK:
            if self.await_memory(rc, size):
                return RELAY_BLOCKED
            rc = self.pipe.write(cython.NULL, size, self.more)
        memcpy(self.pipe.outbound.payload, cython.cast(cython.p_char, part), size)
        self.whole = None
        self.unlent = False
        if not self.more:
            self.pipe.flush()
        return RELAY_IDLE

    def end_part(self):
        """The last octet of a body is there."""
        if self.block is not None:
            self.pass_block_on()
        elif self.half is not None:
            if self.half_command:
                self.pending = self.half
            else:
                self.whole = self.half
            self.half = None
        elif not self.more:
            self.pipe.flush()
        return 0

    def await_memory(self, rc, size):
        """The ring takes no part of *size* bytes: true when the application will make room."""
        if self.pipe.outbound.broken:
            raise ZMQError(errno.EPROTO, "the application's ring is broken")
        if self.pipe.outbound.queued() == 0 and not self.pipe.outbound.fits(size):
            raise ZMQError(
                errno.ENOBUFS, f"no shared memory for a part of {size} bytes: /dev/shm is full"
            )
        return self.pipe.park(size)

    def act(self):
        """Act upon a whole command: IDLE, or BLOCKED when its message finds no room, or COMMAND."""
        command: bytes = self.pending
        size: uint64_t = len(command)
        octets: cython.p_char = command
        name: bytes = _SUBSCRIBE
        if not self.subscriptions or not _begins_with(octets, size, name):
            name = _CANCEL
            if not self.subscriptions or not _begins_with(octets, size, name):
                self.command = command
                self.pending = None
                return RELAY_COMMAND
        pipe: Pipe = self.pipe
        size -= len(name)
        if not pipe.sending and not pipe.can_write() and pipe.park(0):
            return RELAY_BLOCKED
        rc: cython.int = pipe.write(cython.NULL, size + 1, False)
        while rc != RING_OK:
            if self.await_memory(rc, size + 1):
                return RELAY_BLOCKED
            rc = pipe.write(cython.NULL, size + 1, False)
        pipe.outbound.payload[0] = 1 if name is _SUBSCRIBE else 0
        memcpy(pipe.outbound.payload + 1, octets + len(name), size)
        pipe.flush()
        self.pending = None
        return RELAY_IDLE


@cython.cfunc
@cython.exceptval(check=False)
def _begins_with(octets: cython.p_const_char, size: uint64_t, name: bytes) -> cython.bint:
    length: uint64_t = len(name)
    return size >= length and memcmp(octets, cython.cast(cython.p_char, name), length) == 0
