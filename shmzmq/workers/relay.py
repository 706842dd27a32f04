"""The relay: whole batches between the rings of a pipe and a byte stream.

The worker is the far end of the pipe. `Sending` reads the ring that the application writes, and
`Receiving` writes the one that it reads. Neither knows sockets, sessions or time.

S1  Nothing is taken from the ring before the kernel has it: `head` moves (Consumer.release) only
    over messages that were written whole. What a stream that breaks had not taken is still there.
S2  Pieces of a batch point into the ring. They stay valid, since the producer does not write over
    what was not released, and an area is left only when all in it has been (RING_HELD).
R1  A body whose rest is not there yet has its record in the ring already, and the rest is received
    into it. Nothing of its message is visible before its last octet is there.
R2  What finds no room in the ring stays in the buffer, and the stream is not read until there is.

A turn of either is bounded, so that one busy connection does not keep others waiting.
"""

import errno
import os
from enum import IntEnum

import cython
from cython.cimports.libc.errno import EAGAIN, EINTR
from cython.cimports.libc.errno import errno as last_error
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcmp, memcpy, memmove, memset
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.layout import RECORD_COMMAND, RECORD_MORE
from cython.cimports.shmzmq.shm.ring import (
    RING_BROKEN,
    RING_OK,
    Consumer,
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

_TURN = cython.declare(uint64_t, 4 * BATCH)
_LARGEST = cython.declare(uint64_t, 1 << 40)  # bytes; no ring will ever hold a larger part
_SUBSCRIBE = cython.declare(bytes, b"\x09SUBSCRIBE")
_CANCEL = cython.declare(bytes, b"\x06CANCEL")
_SPARE_MOST = cython.declare(cython.int, 8)

# Batches and buffers in use are few, however many connections there are: idle ones have none.
_spare_batches = cython.declare(list, [])
_spare_buffers = cython.declare(list, [])


class Turn(IntEnum):
    """What a turn came to: RELAY_ in the declarations says more."""

    MORE = RELAY_MORE
    IDLE = RELAY_IDLE
    BLOCKED = RELAY_BLOCKED
    FINISHED = RELAY_FINISHED
    COMMAND = RELAY_COMMAND
    ENDED = RELAY_ENDED


@cython.cclass
class Batch:
    """What one system call is to send."""


@cython.cclass
class Buffer:
    """What one system call has received."""


@cython.cclass
class Sending:
    """From the ring of *pipe* to the stream with descriptor *fd*, framed by *codec*.

    With *commands*, messages of byte 1 or 0 and a prefix, which SUB and XSUB sockets write, become
    the commands SUBSCRIBE and CANCEL. One system call sends at most *most* octets, 0: any number.
    """

    def __init__(
        self,
        pipe: Pipe,
        fd: cython.int,
        codec: FrameCodec,
        commands: cython.bint,
        most: uint64_t = 0,
    ):
        self.pipe = pipe
        self.fd = fd
        self.codec = codec
        self.commands = commands
        self.most = most
        self.spoken = []

    def say(self, octets: bytes):
        """Send *octets* (whole command frames) as soon as the message being sent is at its end."""
        if octets:
            self.spoken.append(octets)

    def attend(self):
        """From now on look at the ring unasked."""
        self.pipe.attend()

    def rest(self):
        """Have the application post from now on; false when it has just written something."""
        return self.pipe.rest()

    def rewind(self):
        """The stream is gone: what it had not taken whole is in the ring for the next one."""
        self.pipe.inbound.rewind()
        self.batch = None
        self.count = self.at = 0
        self.in_message = self.goodbye = False

    def send(self):
        """Take a turn: MORE, IDLE, BLOCKED or FINISHED.

        Does not block. Raises OSError when the stream is broken, ZMQError(EPROTO) when the ring is.
        """
        count: cython.Py_ssize_t
        left: uint64_t = _TURN
        while True:
            if self.at == self.count and not self.gather():
                self.give_back()
                return RELAY_FINISHED if self.goodbye else RELAY_IDLE
            count = self.write_out()
            if count < 0:
                if last_error == EAGAIN:
                    return RELAY_BLOCKED
                if last_error == EINTR:
                    continue
                raise OSError(last_error, os.strerror(last_error))
            self.account(count)
            if cython.cast(uint64_t, count) < self.asked:
                return RELAY_BLOCKED
            if cython.cast(uint64_t, count) >= left:
                return RELAY_MORE
            left -= count

    def write_out(self):
        """Have the kernel take what is left of the batch, or `most` of it; return how much it did.

        `asked` tells afterwards how much it was offered.
        """
        message: msghdr
        memset(cython.address(message), 0, cython.sizeof(msghdr))
        last: cython.int = self.count
        over: uint64_t = 0
        self.asked = self.gathered - self.sent
        if self.most and self.asked > self.most:
            self.asked = 0
            last = self.at
            while self.asked < self.most:
                self.asked += self.batch.pieces[last].iov_len
                last += 1
            over = self.asked - self.most
            self.asked = self.most
        message.msg_iov = cython.address(self.batch.pieces[self.at])
        message.msg_iovlen = last - self.at
        self.batch.pieces[last - 1].iov_len -= over
        with cython.nogil:
            count: cython.Py_ssize_t = sendmsg(
                self.fd, cython.address(message), MSG_DONTWAIT | MSG_NOSIGNAL
            )
        self.batch.pieces[last - 1].iov_len += over
        return count

    def give_back(self):
        if self.batch is not None and len(_spare_batches) < _SPARE_MOST:
            _spare_batches.append(self.batch)
        self.batch = None
        self.speaking = None

    def gather(self):
        """Begin the next batch; return how many pieces it has."""
        if self.batch is None:
            self.batch = _spare_batches.pop() if _spare_batches else Batch()
        self.filled = self.gathered = self.sent = 0
        self.count = self.at = self.end_count = self.end_at = 0
        if self.spoken and not self.in_message:
            self.speaking = b"".join(self.spoken)
            self.spoken.clear()
            self.append(self.speaking, len(self.speaking))
        while (
            self.count < PIECES - 2
            and self.end_count < ENDS
            and self.filled + COPIED_MOST + HEADER_MOST + len(_SUBSCRIBE) <= BATCH
            and self.gathered < _TURN
            and self.gather_record()
        ):
            pass
        return self.count

    def gather_record(self):
        """Add the next part to the batch; false when there is none."""
        into: Consumer = self.pipe.inbound
        rc: cython.int = into.peek()
        if rc == RING_BROKEN:
            raise ZMQError(errno.EPROTO, f"the application's ring is broken: {into.reason}")
        if rc != RING_OK:
            return 0
        if into.record_flags & RECORD_COMMAND:
            self.goodbye = True  # the only one there is
            into.step()
            return 0
        body: cython.p_const_char = into.record
        size: uint64_t = into.record_size
        more: cython.bint = into.record_flags & RECORD_MORE
        out: cython.p_char = self.batch.octets + self.filled
        head: cython.int
        if self.commands and size and body[0] <= 1 and not more and not self.in_message:
            name: bytes = _SUBSCRIBE if body[0] == 1 else _CANCEL
            body += 1
            size -= 1
            head = self.codec.put_header(
                cython.cast(cython.p_uchar, out), size + len(name), FRAME_COMMAND
            )
            memcpy(out + head, cython.cast(cython.p_char, name), len(name))
            head += len(name)
        else:
            head = self.codec.put_header(
                cython.cast(cython.p_uchar, out), size, FRAME_MORE if more else 0
            )
        self.append(out, head)
        self.filled += head
        if size <= COPIED_MOST:
            memcpy(out + head, body, size)
            self.append(out + head, size)
            self.filled += size
        else:
            self.append(body, size)
        into.step()
        self.in_message = more
        if not more:
            end: cython.pointer(End) = cython.address(self.batch.ends[self.end_count])
            end.octets = self.gathered
            into.mark(cython.address(end.mark))
            self.end_count += 1
        return 1

    def append(self, octets, size):
        if size == 0:
            return
        self.gathered += size
        piece: cython.pointer(iovec)
        if self.count:
            piece = cython.address(self.batch.pieces[self.count - 1])
            if cython.cast(cython.p_const_char, piece.iov_base) + piece.iov_len == octets:
                piece.iov_len += size
                return
        piece = cython.address(self.batch.pieces[self.count])
        piece.iov_base = cython.cast(cython.p_void, octets)
        piece.iov_len = size
        self.count += 1

    def account(self, count):
        """The kernel has taken *count* octets more: give back the messages that are gone (S1)."""
        self.sent += count
        while count:
            piece: cython.pointer(iovec) = cython.address(self.batch.pieces[self.at])
            if count < piece.iov_len:
                piece.iov_base = cython.cast(cython.p_char, piece.iov_base) + count
                piece.iov_len -= count
                break
            count -= piece.iov_len
            self.at += 1
        end: cython.pointer(End) = cython.NULL
        while self.end_at < self.end_count and self.batch.ends[self.end_at].octets <= self.sent:
            end = cython.address(self.batch.ends[self.end_at])
            self.end_at += 1
        if end != cython.NULL:
            self.pipe.inbound.release(cython.address(end.mark))
            self.pipe.report_room()


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
        self.most = most if most and most < _TURN else _TURN
        if rest:
            self.buffer = Buffer()
            memcpy(self.buffer.octets, cython.cast(cython.p_char, rest), len(rest))
            self.end = len(rest)

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
            if drained:
                self.give_back()
                return RELAY_IDLE
            if left == 0:
                return RELAY_MORE
            count: cython.Py_ssize_t = self.fetch()
            if count == 0:
                return RELAY_ENDED
            if count < 0:
                drained = True
                continue
            drained = cython.cast(uint64_t, count) < self.asked
            left = left - count if cython.cast(uint64_t, count) < left else 0

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
        while True:
            if self.pending is not None:
                rc: cython.int = self.act()
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
            self.half = bytearray(size)
            self.rest = cython.cast(cython.p_char, self.half)
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

    def end_part(self):
        """The last octet of a body is there."""
        if self.half is not None:
            self.pending = bytes(self.half)
            self.half = None
        elif not self.more:
            self.pipe.flush()

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
