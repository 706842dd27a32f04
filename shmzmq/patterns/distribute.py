"""Distribution: one message to several pipes. Who has no room misses it; nobody is waited for."""

import cython
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

    def rollback(self):
        """Forget the parts of an unfinished message."""
        for item in self.chosen:
            pipe: Pipe = item
            pipe.rollback()
        self.more = False
