"""Fair queueing: take messages from all pipes that have some, one message from each in turn.

The pipes that may have something stand in front of the list, so that a socket with thousands of
idle peers looks at the busy ones only. A pipe found empty again and again is put back among the
idle; from then on its producer posts it on the board when it publishes.
"""

import errno

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_OK, Consumer

from ..errors import ZMQError

_PATIENCE = cython.declare(cython.int, 16)


@cython.cclass
class FairQueue:
    """The inbound side of a pattern. Pipes that have come to their end are put into *ended*."""

    def __init__(self, ended: list):
        self.pipes = []
        self.ended = ended

    def add(self, pipe):
        """Take *pipe* in, but never twice.

        A pipe that came to its end and was renewed may be here already when its pattern takes it
        up again; the second of two places would be left when it ends, and be looked at for ever.
        """
        if pipe.fair_index < 0:
            pipe.fair_index = len(self.pipes)
            self.pipes.append(pipe)
        self.activate(pipe)

    def remove(self, pipe):
        if pipe.fair_index < 0:
            return
        if pipe.fair_index < self.active:
            if self.more and pipe.fair_index == self.current:
                self.more = False
            self.deactivate(pipe)
        self.swap(pipe.fair_index, len(self.pipes) - 1)
        self.pipes.pop()
        pipe.fair_index = -1
        if self.last is pipe:
            self.last = None

    def activate(self, pipe):
        """Put *pipe* among those that may have something."""
        if pipe.fair_index < self.active:
            return
        self.swap(pipe.fair_index, self.active)
        self.active += 1
        pipe.attend()

    def deactivate(self, pipe):
        self.active -= 1
        current: Pipe = self.pipes[self.current]
        self.swap(pipe.fair_index, self.active)
        # A message being read is read to its end, wherever its pipe moved to.
        if self.more and current is not pipe:
            self.current = current.fair_index
        elif self.current >= self.active:
            self.current = 0

    def recv(self):
        """Return the next part as bytes, or None when no pipe has one.

        `more` and `last` tell the rest.
        """
        looked: cython.int = 0
        while self.active:
            pipe: Pipe = self.pipes[self.current]
            data = pipe.read()
            if data is not None:
                pipe.idle_looks = 0
                self.last = pipe
                self.more = pipe.more
                if not self.more:
                    self.next_pipe()
                return data
            looked = self.pass_by(pipe, looked)
            if looked < 0:
                break
        return None

    def take(self, batch, most, topics, inverted):
        """Put up to *most* messages into *batch*, one from each pipe in turn; return how many.

        With *topics* only those that match them, or *inverted* those that do not. Fewer are there,
        or the next has several parts: batch.several says so.
        """
        count: uint64_t = 0
        looked: cython.int = 0
        while self.active and count < most:
            pipe: Pipe = self.pipes[self.current]
            dropped: cython.int = 0
            if topics is not None:
                dropped = self.drop_unwanted(pipe, topics, inverted)
            taken: uint64_t = 0
            if not dropped:
                # Alone in the list a pipe may give all, unless each message is to be looked at.
                taken = pipe.take(batch, most - count if self.active == 1 and topics is None else 1)
            count += taken
            if batch.several:
                break
            if taken or dropped:
                pipe.idle_looks = looked = 0
                self.last = pipe
                self.next_pipe()
                continue
            looked = self.pass_by(pipe, looked)
            if looked < 0:
                break
        return count

    def pass_by(self, pipe, looked):
        """Go on from *pipe*, which has nothing, after *looked* others that had nothing either.

        Return how many that makes; -1 when it was all of them.
        """
        if pipe.is_ended():
            self._end(pipe)
            return 0  # others have changed places
        if self.active == 1:
            return -1
        pipe.idle_looks += 1
        if pipe.idle_looks >= _PATIENCE and pipe.rest():
            self.deactivate(pipe)
            looked = 0
        else:
            looked += 1
            self.next_pipe()
        return -1 if looked >= self.active else looked

    def next_pipe(self):
        self.current += 1
        if self.current >= self.active:
            self.current = 0

    def drop_unwanted(self, pipe, topics, inverted):
        """Go past the next message if it is none of *topics*; whether there was one to drop."""
        if pipe.look() != RING_OK:
            return False
        into: Consumer = pipe.inbound
        if topics.wants_buffer(into.record, into.record_size) != inverted:
            return False
        pipe.skip()
        return True

    def _end(self, pipe: Pipe):
        cut_off: cython.bint = self.more and pipe.fair_index == self.current
        self.remove(pipe)
        self.ended.append(pipe)
        if cut_off:
            raise ZMQError(
                errno.EPROTO,
                f"a message was cut off: its sender wrote nonsense ({pipe.inbound.reason})",
            )

    def skip_message(self):
        """Drop what is left of the message being read."""
        if self.more:
            pipe: Pipe = self.pipes[self.current]
            pipe.skip()
            self.more = False
            self.next_pipe()

    def has_in(self):
        """Whether recv would return a part."""
        if self.more:
            return True
        i: cython.int = 0
        while i < self.active:
            pipe: Pipe = self.pipes[i]
            if pipe.look() == RING_OK:
                return True
            if pipe.is_ended():
                self._end(pipe)
            else:
                i += 1
        return False

    def rest(self):
        """Have every producer post from now on; false when one of them published in between."""
        while self.active:
            pipe: Pipe = self.pipes[self.active - 1]
            if not pipe.rest():
                return False
            if pipe.is_ended():
                self._end(pipe)
            else:
                self.deactivate(pipe)
        return True

    def watch(self, watches, most):
        """Watch the active pipes for new messages.

        With more of them than *most*, let them rest first.
        """
        if self.active > most:
            self.rest()
        i: cython.int
        for i in range(min(self.active, most)):
            pipe: Pipe = self.pipes[i]
            pipe.watch_inbound(cython.address(watches[i]))
        return min(self.active, most)

    def swap(self, i, j):
        if i == j:
            return
        a: Pipe = self.pipes[i]
        b: Pipe = self.pipes[j]
        self.pipes[i] = b
        self.pipes[j] = a
        b.fair_index = i
        a.fair_index = j
