"""Many messages in one call: send_many, recv_many, and recv_packed without an object for each.

A batch is routed as if each message had been sent or received by itself. The loops over messages
are compiled, and each pipe's share of a run is published, and its space given back, at once.
"""

import cython
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.shmzmq.batch_sources import Source
from cython.cimports.shmzmq.shm.atomics import load_relaxed
from cython.cimports.shmzmq.shm.batch import Batch, Slice
from cython.cimports.shmzmq.shm.waiting import deadline_after
from cython.cimports.shmzmq.socket_base import SocketBase

from .batch_sources import source_of
from .constants import Errno
from .errors import Again, ZMQError

_DONTWAIT = cython.declare(cython.int, 1)
_SNDMORE = cython.declare(cython.int, 2)
_POLLIN = cython.declare(cython.int, 1)
_POLLOUT = cython.declare(cython.int, 2)
_NO_DEADLINE = cython.declare(int64_t, -2)


@cython.cclass
class Batches(SocketBase):
    """The methods of a socket that send and receive many messages in a call."""

    # -- sending -----------------------------------------------------------------------------------

    def send_many(self, messages, flags: cython.int = 0, *, offsets=None, multipart=False):
        """Send many messages of one part each and return how many were sent.

        *messages* is an iterable of bytes-like objects, an array of two dimensions whose rows are
        the messages, or with *offsets* one buffer: message i lies from offsets[i] to
        offsets[i + 1] of it. With *multipart* it is an iterable of sequences of parts. Each message
        goes where `send` would have sent it, and what was sent first arrives first.

        Blocks while no peer can take the next message, up to SNDTIMEO for all of them together;
        with DONTWAIT never. Fewer than all are sent when the time is up, when it would have to
        wait, or when an error occurs after some were sent: the return value says how many, and the
        next call, with the rest, raises the error. Raises Again and ZMQError as `send` does, when
        nothing was sent; ZMQError(EFSM) for REQ and REP, and for ROUTER and STREAM without
        *multipart*; EINVAL for other flags. What a signal handler raises has the attribute
        `messages_sent`. TypeError and ValueError, with nothing sent, when *messages* or *offsets*
        are not what is said here. Messages of 2 KiB and more are sent one by one.
        """
        source: Source = source_of(messages, offsets, multipart)
        return self._send_rest(source, flags)

    def send_rest(self, source: Source, flags: cython.int = 0):
        """Send what has not been sent of *source* (see batch_sources), as send_many does."""
        return self._send_rest(source, flags)

    def _send_rest(self, source: Source, flags):
        self.check()
        if flags & ~_DONTWAIT:
            raise ZMQError(
                Errno.EINVAL, f"flags {flags:#x}: send_many takes DONTWAIT ({_DONTWAIT}) only"
            )
        before: uint64_t = source.sent
        self.entered += 1
        try:
            self._send_source(source, flags)
        except ZMQError:
            if source.sent == before:
                raise
        except BaseException as error:
            error.messages_sent = source.sent - before
            raise
        finally:
            self.entered -= 1
        return source.sent - before

    def _send_source(self, source: Source, flags):
        slices: Slice[RUN]
        deadline: int64_t = _NO_DEADLINE
        before: uint64_t = source.sent
        while source.sent < source.count:
            self._look_at_news()
            wanted: uint64_t = source.fill(source.sent, slices, RUN)
            done: uint64_t = 0
            if wanted:
                done = self.pattern.send_many(slices, wanted)
            else:
                wanted = 1
                done = self._send_single(source, flags)
            source.sent += done
            self._after_sending(done)
            if done < wanted and not self._await_room(
                source.sent != before, flags, cython.address(deadline)
            ):
                return 0
        return 0

    def _send_single(self, source: Source, flags):
        """Send a message that is large, or no bytes object; 0 when no peer can take it now."""
        self.counters[1] -= 1  # send counts it, and so does whoever asked
        try:
            data = source.object_at(source.sent)
            if source.multipart:
                self._send_parts(data, flags)
            elif data is not None:
                self.send(data, flags | _DONTWAIT)
            else:
                found: Slice = source.slice_at(source.sent)
                self.write_large(found.data, found.size, flags | _DONTWAIT, None)
        except Again:
            self.counters[1] += 1
            return 0
        except BaseException:
            self.counters[1] += 1
            raise
        return 1

    def _send_parts(self, parts: tuple, flags):
        """Send a message of several parts, as a whole or not at all."""
        left: cython.Py_ssize_t = len(parts)
        try:
            for part in parts:
                left -= 1
                self.send(part, flags | _DONTWAIT | (_SNDMORE if left else 0))
        except BaseException:
            self.pattern.rollback()
            raise
        return 0

    def _after_sending(self, count):
        # A far end may have come between the first look and the send: it has to be woken.
        if not self.gone and self.board.has_news():
            self.process_news()
        if self.pattern.ended:
            self._take_away_ended()
        self.counters[1] += count
        self.counters[2] = self.pattern.dropped
        return 0

    def _await_room(self, sent, flags, deadline):
        """Wait until more may be sent; false when it is not to be tried again.

        Raises Again instead when nothing was sent.
        """
        if flags & _DONTWAIT or self.send_timeout_ms == 0:
            if sent:
                return False
            # As in send: whoever waits on FD is to hear of room from now on, and tries once more.
            if deadline[0] == _NO_DEADLINE and self.exposed and self.arm(_POLLOUT):
                deadline[0] = 0
                return True
            raise Again(msg="no peer can take a message now")
        if deadline[0] == _NO_DEADLINE:
            deadline[0] = deadline_after(self.send_timeout_ms)
        elif deadline[0] == 0:
            return False
        if self.wait(False, True, deadline[0]):
            return True
        if self.pattern.is_blocked():
            if sent:
                return False
            raise Again(msg=f"no peer took a message within {self.send_timeout_ms} ms (SNDTIMEO)")
        return True

    # -- receiving ---------------------------------------------------------------------------------

    def recv_many(
        self,
        max_messages: int64_t = 1024,
        timeout=None,
        flags: cython.int = 0,
        *,
        multipart: cython.bint = False,
    ):
        """Receive the messages that are there, at most *max_messages*: a list of bytes.

        With *multipart* it is a list of lists of parts. Blocks while there is none, up to *timeout*
        milliseconds (-1: for ever; None: RCVTIMEO), and with DONTWAIT never; it does not wait for
        more than one. The messages are those that `recv` would have returned, in the same order.

        Raises Again when nothing came in time. ZMQError as `recv` does; EFSM when the next message
        has several parts and *multipart* is false (it stays where it is), for REQ and REP, and
        while RCVMORE holds; EINVAL for other flags. What goes wrong after some were received is
        raised by the next call for a batch. ValueError unless *max_messages* is positive.
        """
        batch = Batch(_checked_most(max_messages), multipart=multipart)
        self._receive_batch(batch, max_messages, timeout, flags)
        return batch.items

    def recv_packed(self, max_messages: int64_t = 1024, timeout=None, flags: cython.int = 0):
        """Receive the messages that are there, packed: (data, offsets), two numpy arrays.

        Message i is ``data[offsets[i]:offsets[i + 1]]``: *data* is of uint8, *offsets* of int64
        with one more item than there are messages. Both are the caller's own, and send_many takes
        them. There is no object for each message. Blocks and raises as recv_many does without
        *multipart*.
        """
        batch = Batch(_checked_most(max_messages), packed=True)
        self._receive_batch(batch, max_messages, timeout, flags)
        data, offsets = batch.packed()
        if _as_array is None:
            _import_numpy()
        return _as_array(data, _uint8), _as_array(offsets, _int64)

    def _receive_batch(self, batch: Batch, most, timeout, flags):
        self.check()
        if flags & ~_DONTWAIT:
            raise ZMQError(
                Errno.EINVAL,
                f"flags {flags:#x}: a batch is received with DONTWAIT or without flags",
            )
        if self.failure is not None:
            failure = self.failure
            self.failure = None
            raise failure
        timeout_ms: int64_t = self.receive_timeout_ms if timeout is None else timeout
        self.entered += 1
        try:
            self._fill(batch, most, 0 if flags & _DONTWAIT else timeout_ms)
        except Exception as error:
            if batch.count == 0:
                raise
            self.failure = error
        finally:
            self.entered -= 1
        self.counters[0] += batch.count
        return 0

    def _fill(self, batch: Batch, most, timeout_ms):
        self._look_at_news()
        if self._take(batch, most):
            return 0
        if timeout_ms == 0:
            if not self.exposed or not self.arm(_POLLIN) or not self._take(batch, most):
                raise Again(msg="nothing to receive now")
            return 0
        deadline: int64_t = deadline_after(timeout_ms)
        while True:
            in_time: cython.bint = self.wait(True, False, deadline)
            self._look_at_news()
            if self._take(batch, most):
                return 0
            if not in_time:
                raise Again(msg=f"nothing came within {timeout_ms} ms")

    def _take(self, batch: Batch, most):
        """Take what is there; whether there was anything."""
        count: uint64_t = self.pattern.recv_many(batch, most)
        if self.pattern.ended:
            self._take_away_ended()
        if count == 0 and batch.several:
            raise ZMQError(
                Errno.EFSM,
                "the next message has several parts: receive it with recv_multipart, or with "
                "recv_many(multipart=True)",
            )
        return count != 0

    def _look_at_news(self):
        self.check()  # to wait is to let other threads close the socket
        if load_relaxed(cython.address(self.board.header.news)):
            self.process_news()
        return 0


def _checked_most(most):
    if most < 1:
        raise ValueError(f"max_messages is {most}: it must be positive")
    return most


# Of numpy, which is imported when a batch is first packed.
_as_array = _uint8 = _int64 = None


def _import_numpy():
    global _as_array, _uint8, _int64
    import numpy

    _uint8, _int64 = numpy.dtype(numpy.uint8), numpy.dtype(numpy.int64)
    _as_array = numpy.frombuffer
