"""PAIR: one peer at a time, both ways (RFC 31)."""

import cython
from cython.cimports.shmzmq.patterns.pattern import Pattern
from cython.cimports.shmzmq.pipe import Pipe


@cython.cclass
class Pair(Pattern):
    """The first peer has the socket to itself; others are turned away until it has gone."""

    name = "PAIR"
    peers = ("PAIR",)
    for_anyone = True

    def __init__(self):
        Pattern.__init__(self, queue=True, balance=True)

    def accepts_another(self) -> bool:
        return self.pipe is None

    def attach(self, pipe: Pipe):
        self.pipe = pipe
        Pattern.attach(self, pipe)

    def detach(self, pipe: Pipe):
        if pipe is self.pipe:
            self.pipe = None
            Pattern.detach(self, pipe)
            # The next peer gets messages from their beginning.
            self.out.dropping = False
