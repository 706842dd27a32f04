"""Load balancing: each message goes to the next pipe that has room.

The pipes that may have room stand in front of the list. A full one is put behind them and asks its
reader to post when there is room again.
"""

import errno

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_OK

from ..errors import ZMQError

_REVISITS = cython.declare(cython.int, 16)


@cython.cclass
class LoadBalancer:
    """The outbound side of a pattern. Pipes whose peer wrote nonsense are put into *ended*."""

    def __init__(self, ended: list):
        self.pipes = []
        self.staged = []
        self.ended = ended

    def add(self, pipe):
        pipe.load_index = len(self.pipes)
        self.pipes.append(pipe)
        self.activate(pipe)

    def remove(self, pipe):
        if pipe.load_index < 0:
            return
        if pipe.load_index < self.active:
            if self.more and pipe.load_index == self.current:
                self.more = False
                self.dropping = True
            self.deactivate(pipe)
        self.swap(pipe.load_index, len(self.pipes) - 1)
        self.pipes.pop()
        pipe.load_index = -1
        if self.last is pipe:
            self.last = None

    def activate(self, pipe):
        """Put *pipe* among those that may have room."""
        if pipe.load_index < self.active:
            return
        self.swap(pipe.load_index, self.active)
        self.active += 1

    def deactivate(self, pipe):
        self.active -= 1
        current: Pipe = self.pipes[self.current]
        self.swap(pipe.load_index, self.active)
        # A message being written stays with its pipe, wherever that one moved to.
        if self.more and current is not pipe:
            self.current = current.load_index
        elif self.current >= self.active:
            self.current = 0

    def send(self, data, size, more):
        """Write a part; a message is published with its last.

        SENT, or WOULD_BLOCK when all are full.
        """
        if self.dropping:
            self.dropping = more
            return SENT
        if self.active == 0:
            self.revisit()
        while self.active:
            pipe: Pipe = self.pipes[self.current]
            wanted: uint64_t = 0
            if self.more or pipe.can_write():
                rc: cython.int = pipe.write(data, size, more)
                if rc == RING_OK:
                    self.last = pipe
                    self.more = more
                    if not more:
                        pipe.flush()
                        self.current += 1
                        if self.current >= self.active:
                            self.current = 0
                    return SENT
                if self.more:
                    return self.abandon(pipe, size, more)
                wanted = size
            self.set_aside(pipe, wanted)
        return WOULD_BLOCK

    def send_many(self, slices, count):
        """Send small messages of one part, each to the next pipe with room; return how many.

        Fewer than *count* where all are full. Each pipe's share is published at once, at the end.
        """
        done: uint64_t = 0
        try:
            while done < count:
                staged: uint64_t = 0
                if self.active and not self.more and not self.dropping:
                    staged = self.stage(slices + done, count - done if self.active == 1 else 1)
                if staged:
                    done += staged
                    continue
                # Whatever it takes to send the next one: readers are to know of those before it.
                self.flush_staged()
                try:
                    if self.send(slices[done].data, slices[done].size, False) != SENT:
                        break
                except ZMQError:
                    if done == 0:
                        raise
                    break  # it will be raised for the message that is the next call's first
                done += 1
        finally:
            self.flush_staged()
        return done

    def stage(self, slices, count):
        """Write messages to the pipe whose turn it is, for flush_staged to publish."""
        pipe: Pipe = self.pipes[self.current]
        staged: uint64_t = pipe.stage(slices, count)
        if staged:
            if pipe.outbound.staged == staged:
                self.staged.append(pipe)
            self.last = pipe
            self.current += 1
            if self.current >= self.active:
                self.current = 0
        return staged

    def flush_staged(self):
        for item in self.staged:
            pipe: Pipe = item
            pipe.flush()
        self.staged.clear()
        return 0

    def set_aside(self, pipe, wanted):
        """Have a pipe without room wait for its reader; end it when the reader wrote nonsense."""
        parked: cython.bint = pipe.park(wanted)
        if pipe.outbound.broken:
            self.remove(pipe)
            self.ended.append(pipe)
        elif parked:
            self.deactivate(pipe)

    def abandon(self, pipe, size, more):
        """Give up a message that cannot be completed: nothing of it is sent."""
        pipe.rollback()
        self.more = False
        if pipe.outbound.broken:
            self.dropping = more  # as when the peer goes in the middle of a message
            self.remove(pipe)
            self.ended.append(pipe)
            return SENT
        raise ZMQError(
            errno.ENOBUFS,
            f"no shared memory for a part of {size} bytes; "
            "the message was not sent, not even in part",
        )

    def rollback(self):
        """Forget the parts of an unfinished message."""
        if self.more:
            pipe: Pipe = self.pipes[self.current]
            pipe.rollback()
            self.more = False
        self.dropping = False

    def has_out(self):
        """Whether a message could be sent now."""
        if self.more or self.dropping:
            return True
        if self.active == 0:
            self.revisit()
        while self.active:
            pipe: Pipe = self.pipes[self.current]
            if pipe.can_write():
                return True
            self.set_aside(pipe, 0)
        return False

    def revisit(self):
        """Look at full pipes whose readers may have read less than they report."""
        i: cython.int
        for i in range(min(len(self.pipes), _REVISITS) - 1, -1, -1):
            pipe: Pipe = self.pipes[i]
            if pipe.load_index < self.active:
                continue
            if pipe.can_write():
                pipe.unpark()
                self.activate(pipe)
            elif pipe.outbound.broken:
                self.remove(pipe)
                self.ended.append(pipe)

    def watch(self, watches, most):
        """Watch the full pipes for room."""
        i: cython.int
        count: cython.int = min(cython.cast(cython.int, len(self.pipes)) - self.active, most)
        for i in range(count):
            pipe: Pipe = self.pipes[self.active + i]
            pipe.watch_outbound(cython.address(watches[i]))
        return count

    def swap(self, i, j):
        if i == j:
            return
        a: Pipe = self.pipes[i]
        b: Pipe = self.pipes[j]
        self.pipes[i] = b
        self.pipes[j] = a
        b.load_index = i
        a.load_index = j
