"""The publishing half that PUB and XPUB share: who wants what, and who gets a message (RFC 29).

Subscriptions come up the pipe as messages: byte 1 and the prefix to subscribe, byte 0 and the
prefix to cancel; anything else is a user's message to an XPUB.
"""

from collections import deque

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.patterns.distribute import Distributor
from cython.cimports.shmzmq.patterns.load_balance import SENT, WOULD_BLOCK
from cython.cimports.shmzmq.patterns.topics import TopicTable
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.batch import Slice
from cython.cimports.shmzmq.shm.lease import as_bytes
from cython.cimports.shmzmq.shm.lender import REFERENCE_FROM
from cython.cimports.shmzmq.shm.ring import RING_OK


@cython.cclass
class Publisher:
    """Who wants what. *upstream* tells whether the user reads subscriptions (XPUB).

    What waits for the user is (part, more, pipe, whether it is a subscription or its end).
    """

    def __init__(self, ended: list, upstream: cython.bint):
        self.out = Distributor(ended)
        self.topics = TopicTable()
        self.requests = TopicTable()
        self.upstream = deque() if upstream else None
        self.welcome = b""

    def configure(self, name: str, value):
        """Take note of an option of PUB or XPUB."""
        if name == "INVERT_MATCHING":
            self.inverted = value
        elif name == "XPUB_NODROP":
            self.lossless = value
        elif name == "XPUB_VERBOSE":
            self.tell_all_subscribed = value
            self.tell_all_cancelled = False
        elif name == "XPUB_VERBOSER":
            self.tell_all_subscribed = self.tell_all_cancelled = value
        elif name == "XPUB_VERBOSE_UNSUBSCRIBE":
            self.verbose_unsubscribe = value
        elif name == "XPUB_MANUAL":
            self.manual = value
        elif name == "XPUB_MANUAL_LAST_VALUE":
            self.manual = self.last_only = value
        elif name == "XPUB_WELCOME_MSG":
            self.welcome = value or b""
        elif name == "ONLY_FIRST_SUBSCRIBE":
            self.only_first = value
        elif name in ("SUBSCRIBE", "UNSUBSCRIBE"):
            self.grant(value, name == "SUBSCRIBE")
        self.selects = self.inverted or self.lossless or self.last_only

    def grant(self, prefix: bytes, subscribe: cython.bint):
        """Subscribe the peer whose request the user read last, or cancel it (XPUB_MANUAL)."""
        if self.last is None or self.last not in self.out.pipes:
            return
        if subscribe:
            self.topics.add(prefix, self.last)
        else:
            self.topics.remove(prefix, self.last)

    def add(self, pipe: Pipe):
        """Take a subscriber's pipe in, and welcome it."""
        self.out.add(pipe)
        if self.welcome:
            welcome: bytes = self.welcome
            if pipe.write(welcome, len(welcome), False) == RING_OK:
                pipe.flush()

    def remove(self, pipe: Pipe):
        """Let a subscriber go, and what only it wanted with it."""
        self.out.remove(pipe)
        if self.last is pipe:
            self.last = None
        if self.awaited is pipe:
            self.awaited = None
        if self.manual:
            gone = self.requests.held_by(pipe)
        elif self.tells_all_cancelled():
            gone = self.topics.held_by(pipe)
        else:
            gone = None
        orphaned = self.topics.drop(pipe)
        self.requests.drop(pipe)
        if self.upstream is not None:
            for prefix in orphaned if gone is None else gone:
                self.upstream.append((b"\x00" + prefix, False, pipe, True))

    def tells_all_cancelled(self):
        # The name of the 4.2-dev manual counts only together with XPUB_VERBOSE.
        return self.tell_all_cancelled or (self.tell_all_subscribed and self.verbose_unsubscribe)

    def send(self, data, size, more):
        """Write a part to all who want the message: its first part is the topic."""
        if size < REFERENCE_FROM and not (more or self.out.more or self.selects):
            # The usual case, as a batch of one: nothing is made for a subscriber.
            message: Slice
            message.data = data
            message.size = size
            self.out.send_many(self.topics.match_buffer(data, size), cython.address(message), 1)
            return SENT
        if not self.out.more:
            wanted: list = self.topics.match_buffer(data, size)
            if self.selects:
                wanted = self.select(wanted)
                if wanted is None:
                    return WOULD_BLOCK
            self.out.choose(wanted)
        self.out.send(data, size, more)
        return SENT

    def send_many(self, slices, count):
        """Send small messages of one part; return how many, fewer where one would have to wait.

        Those that follow one another and go to the same subscribers are written in one go.
        """
        done: uint64_t = 0
        while done < count:
            if self.selects or self.out.more:
                if self.send(slices[done].data, slices[done].size, False) != SENT:
                    break
                done += 1
                continue
            wanted: list = self.topics.match_buffer(slices[done].data, slices[done].size)
            run: uint64_t = 1
            while done + run < count and wanted is self.topics.match_buffer(
                slices[done + run].data, slices[done + run].size
            ):
                run += 1
            self.out.send_many(wanted, slices + done, run)
            done += run
        return done

    def select(self, wanted):
        """Return who of those that want the message shall have it; None: it has to wait for one."""
        if self.last_only and self.last is not None:
            wanted = [pipe for pipe in wanted if pipe is self.last]
            self.last = None
        if self.inverted:
            matching = set(wanted)
            wanted = [pipe for pipe in self.out.pipes if pipe not in matching]
        if self.lossless:
            for item in wanted:
                pipe: Pipe = item
                if not pipe.can_write() and not pipe.is_broken and pipe.park(0):
                    self.awaited = pipe
                    return None
        return wanted

    def is_blocked(self):
        """Whether the subscriber that the message refused last waits for is still full."""
        return self.awaited is not None and not self.awaited.can_write()

    def receive(self):
        """Return what the user reads next, (part, more, pipe), or None."""
        if not self.upstream:
            return None
        data, more, pipe, is_request = self.upstream.popleft()
        if is_request:
            self.last = pipe
        return data, more, pipe

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
        kind = data[:1] if first or self.any_part else b""
        if first:
            self.any_part = not self.only_first or kind == b"\x00" or kind == b"\x01"
        if kind == b"\x01" or kind == b"\x00":
            if self._request(pipe, data[1:], kind == b"\x01") and self.upstream is not None:
                self.upstream.append((data, False, pipe, True))
        elif self.upstream is not None:
            self.parts.append((data, bool(pipe.more), pipe, False))
        if not pipe.more and self.parts:
            self.upstream.extend(self.parts)
            self.parts = []

    def _request(self, pipe: Pipe, prefix: bytes, subscribe: cython.bint):
        """Note a subscription or its end; whether the user is to hear of it."""
        if self.manual:
            if subscribe:
                self.requests.add(prefix, pipe)
            else:
                self.requests.remove(prefix, pipe)
            return True
        if subscribe:
            return self.topics.add(prefix, pipe) or self.tell_all_subscribed
        return self.topics.remove(prefix, pipe) or self.tells_all_cancelled()
