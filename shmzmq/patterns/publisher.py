"""The publishing half that PUB and XPUB share: who wants what, and who gets a message (RFC 29).

Subscriptions come up the pipe as messages: byte 1 and the prefix to subscribe, byte 0 and the
prefix to cancel; anything else is a user's message to an XPUB.
"""

from collections import deque

import cython
from cython.cimports.shmzmq.patterns.distribute import Distributor
from cython.cimports.shmzmq.patterns.load_balance import SENT
from cython.cimports.shmzmq.patterns.topics import TopicTable
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.lease import as_bytes


@cython.cclass
class Publisher:
    """Who wants what. *upstream* tells whether the user reads subscriptions (XPUB)."""

    def __init__(self, ended: list, upstream: cython.bint):
        self.out = Distributor(ended)
        self.topics = TopicTable()
        self.upstream = deque() if upstream else None

    def add(self, pipe: Pipe):
        """Take a subscriber's pipe in."""
        self.out.add(pipe)

    def remove(self, pipe: Pipe):
        """Let a subscriber go, and what only it wanted with it."""
        self.out.remove(pipe)
        for prefix in self.topics.drop(pipe):
            if self.upstream is not None:
                self.upstream.append((b"\x00" + prefix, False, pipe))

    def send(self, data, size, more):
        """Write a part to all who want the message: its first part is the topic."""
        if not self.out.more:
            self.out.choose(self.topics.match_buffer(data, size))
        self.out.send(data, size, more)
        return SENT

    def absorb(self, pipe):
        """Read everything that *pipe* has: subscriptions into the table, the rest for the user."""
        pipe.attend()
        # A message is there as a whole, or its pipe has broken in the middle of it.
        self.in_user_message = False
        self.parts = []
        while True:
            data = pipe.read()
            if data is not None:
                self._take(pipe, as_bytes(data))
            elif pipe.is_ended():
                self.out.ended.append(pipe)
                return 0
            elif pipe.rest():
                return 0

    def _take(self, pipe: Pipe, data: bytes):
        first: cython.bint = not self.in_user_message
        self.in_user_message = pipe.more
        if first and data[:1] == b"\x01":
            if self.topics.add(data[1:], pipe) and self.upstream is not None:
                self.upstream.append((data, False, pipe))
        elif first and data[:1] == b"\x00":
            if self.topics.remove(data[1:], pipe) and self.upstream is not None:
                self.upstream.append((data, False, pipe))
        elif self.upstream is not None:
            self.parts.append((data, bool(pipe.more), pipe))
            if not pipe.more:
                self.upstream.extend(self.parts)
                self.parts = []
