"""The relay from a pipe to a stream.

S1  Nothing is taken from the ring before the kernel has it: `head` moves (Consumer.release) only
    over messages that were written whole. What a stream that breaks had not taken is still there.
S2  Pieces of a batch point into the ring. They stay valid, since the producer does not write over
    what was not released, and an area is left only when all in it has been (RING_HELD).
"""

import errno
import os

import cython
from cython.cimports.libc.errno import EAGAIN, EINTR
from cython.cimports.libc.errno import errno as last_error
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcpy, memset
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.layout import RECORD_COMMAND, RECORD_MORE
from cython.cimports.shmzmq.shm.ring import RING_BROKEN, RING_OK, Consumer
from cython.cimports.shmzmq.workers.relay import (
    BATCH,
    COPIED_MOST,
    ENDS,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    PIECES,
    RELAY_BLOCKED,
    RELAY_FINISHED,
    RELAY_IDLE,
    RELAY_MORE,
    iovec,
    msghdr,
    sendmsg,
)
from cython.cimports.shmzmq.zmtp.codec import FRAME_COMMAND, FRAME_MORE, HEADER_MOST, FrameCodec

from ..errors import ZMQError
from ..zmtp.commands import cancel, subscribe

_TURN = cython.declare(uint64_t, 4 * BATCH)
_SUBSCRIBE = cython.declare(bytes, subscribe(b""))
_CANCEL = cython.declare(bytes, cancel(b""))
_SPARE_MOST = cython.declare(cython.int, 8)
# Batches in use are few, however many connections there are: idle ones have none.
_spare_batches = cython.declare(list, [])


@cython.cclass
class Batch:
    """What one system call is to send."""


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
        self.speaking = None
        while (
            self.count < PIECES - 3
            and self.end_count < ENDS
            and self.filled + COPIED_MOST + HEADER_MOST + len(_SUBSCRIBE) <= BATCH
            and self.gathered < _TURN
        ):
            if self.spoken and not self.in_message and self.speaking is None:
                self.speaking = b"".join(self.spoken)
                self.spoken.clear()
                self.append(self.speaking, len(self.speaking))
            if not self.gather_record():
                break
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
        first: cython.uchar = body[0] if size else 255  # a plain char has a sign
        if self.commands and first <= 1 and not more and not self.in_message:
            name: bytes = _SUBSCRIBE if first == 1 else _CANCEL
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
        return 0
