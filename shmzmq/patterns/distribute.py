"""Distribution: one message to several pipes. Who has no room misses it; nobody is waited for."""

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.ring import RING_OK

from ..errors import ZMQError


@cython.cclass
class Distributor:
    """The outbound side of a publishing pattern. Broken pipes are put into *ended*."""

    def __init__(self, ended: list):
        self.pipes = []
        self.chosen = []
        self.ended = ended

    def add(self, pipe):
        self.pipes.append(pipe)

    def remove(self, pipe):
        if pipe in self.pipes:
            self.pipes.remove(pipe)
        if pipe in self.chosen:
            self.chosen = [other for other in self.chosen if other is not pipe]

    def choose(self, pipes):
        """Say where the message that begins now goes; those without room are left out."""
        self.chosen = []
        for item in pipes:
            pipe: Pipe = item
            if pipe.can_write():
                self.chosen.append(pipe)
            elif pipe.is_broken:
                self.ended.append(pipe)
            else:
                self.dropped += 1

    def send(self, data, size, more):
        """Write a part to every chosen pipe; with the last one the message is published."""
        failed: list = None
        for item in self.chosen:
            pipe: Pipe = item
            try:
                written: cython.bint = pipe.write(data, size, more) == RING_OK
            except ZMQError:
                written = False  # no memory: this subscriber misses the message
            if not written:
                pipe.rollback()
                self.dropped += 1
                failed = failed or []
                failed.append(pipe)
            elif not more:
                pipe.flush()
        self.more = more
        if failed:
            self.chosen = [pipe for pipe in self.chosen if pipe not in failed]

    def send_many(self, wanted, slices, count):
        """Send small messages of one part to all of *wanted*, each pipe's published at once.

        Who has no room misses what it has no room for, as in single messages.
        """
        pipe: Pipe
        for item in wanted:
            pipe = item
            done: uint64_t = 0
            while done < count:
                staged: uint64_t = pipe.stage(slices + done, count - done)
                done += staged
                if done < count:
                    # No room, or no space: this one needs a closer look, and the reader is to
                    # know of those before it.
                    pipe.flush()
                    self.send_one(pipe, cython.address(slices[done]))
                    done += 1
            pipe.flush()
        return 0

    def send_one(self, pipe, message):
        """Send one message to one pipe, or count it as dropped."""
        self.choose([pipe])
        self.send(message.data, message.size, False)

    def rollback(self):
        """Forget the parts of an unfinished message."""
        for item in self.chosen:
            pipe: Pipe = item
            pipe.rollback()
        self.more = False
