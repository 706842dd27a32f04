"""PUSH: each message to the next peer that has room; nothing comes back (RFC 30)."""

import cython
from cython.cimports.shmzmq.patterns.pattern import Pattern


@cython.cclass
class Push(Pattern):
    """Round robin over the peers that have room; blocks while there is none."""

    name = "PUSH"
    peers = ("PULL",)
    receives = False
    for_anyone = True

    def __init__(self):
        Pattern.__init__(self, balance=True)
