"""PULL: messages from all peers in turn (RFC 30)."""

import cython
from cython.cimports.shmzmq.patterns.pattern import Pattern


@cython.cclass
class Pull(Pattern):
    """Fair queueing over the peers; nothing is sent."""

    name = "PULL"
    peers = ("PUSH",)
    sends = False

    def __init__(self):
        Pattern.__init__(self, queue=True)
