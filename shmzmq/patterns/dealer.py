"""DEALER: sends to the peers in turn, receives from all of them (RFC 28)."""

import cython
from cython.cimports.shmzmq.patterns.pattern import Pattern


@cython.cclass
class Dealer(Pattern):
    """Round robin out, fair queueing in; the two have nothing to do with each other."""

    name = "DEALER"
    peers = ("DEALER", "REP", "ROUTER")
    for_anyone = True

    def __init__(self):
        Pattern.__init__(self, queue=True, balance=True)

    def configure(self, name: str, value):
        self.configure_greetings(name, value)
