"""Subscriptions: which prefixes are wanted, and by whom.

A dict from prefix to those who want it, and how many prefixes there are of each length. Matching a
topic looks up one slice for each length in use, so its cost follows the topic's length, not the
number of subscriptions.
"""

import cython
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import uint64_t


@cython.cclass
class TopicTable:
    """Prefixes and who subscribed to them.

    A subscriber is any hashable object and counts once a prefix.
    """

    def __init__(self):
        self.prefixes = {}
        self.lengths = {}
        self.sorted_lengths = []

    def __len__(self):
        return len(self.prefixes)

    def add(self, prefix: bytes, subscriber) -> bool:
        """Note the subscription; true when *prefix* is new to the table."""
        subscribers = self.prefixes.get(prefix)
        if subscribers is not None:
            subscribers[subscriber] = None
            self.changed()
            return False
        self.prefixes[prefix] = {subscriber: None}
        self.lengths[len(prefix)] = self.lengths.get(len(prefix), 0) + 1
        self.changed()
        return True

    def remove(self, prefix: bytes, subscriber) -> bool:
        """Forget the subscription; true when nobody wants *prefix* any more."""
        subscribers = self.prefixes.get(prefix)
        if subscribers is None or subscriber not in subscribers:
            return False
        del subscribers[subscriber]
        if not subscribers:
            del self.prefixes[prefix]
            self.lengths[len(prefix)] -= 1
            if not self.lengths[len(prefix)]:
                del self.lengths[len(prefix)]
        self.changed()
        return not subscribers

    def changed(self):
        # At most as many lengths as a topic has bytes: sorting them costs nothing beside the dicts.
        self.sorted_lengths = sorted(self.lengths)
        self.everyone = list(self.prefixes[b""]) if self.sorted_lengths == [0] else None
        return 0

    def held_by(self, subscriber) -> list:
        """Return the prefixes that *subscriber* wants."""
        return [prefix for prefix, who in self.prefixes.items() if subscriber in who]

    def drop(self, subscriber) -> list:
        """Forget all subscriptions of *subscriber*.

        Return the prefixes that nobody wants any more.
        """
        return [prefix for prefix in self.held_by(subscriber) if self.remove(prefix, subscriber)]

    def wants_all(self):
        """Whether nobody wants anything but everything."""
        return self.everyone is not None

    def match(self, topic: bytes) -> list:
        """Return everybody who wants *topic*, each once; the list is not to be changed."""
        return self.match_buffer(PyBytes_AS_STRING(topic), PyBytes_GET_SIZE(topic))

    def match_buffer(self, topic, size):
        if self.everyone is not None:
            return self.everyone
        found: list = None
        mixed: cython.bint = False
        for item in self.sorted_lengths:
            length: uint64_t = item
            if length > size:
                break
            subscribers = self.prefixes.get(PyBytes_FromStringAndSize(topic, length))
            if subscribers is None:
                continue
            if found is None:
                found = list(subscribers)
            else:
                mixed = True
                found.extend(subscribers)
        if found is None:
            return []
        return list(dict.fromkeys(found)) if mixed else found

    def wants(self, topic: bytes) -> bool:
        """Whether anybody wants *topic*."""
        return self.wants_buffer(PyBytes_AS_STRING(topic), PyBytes_GET_SIZE(topic))

    def wants_buffer(self, topic, size):
        if self.everyone is not None:
            return True
        for item in self.sorted_lengths:
            length: uint64_t = item
            if length > size:
                return False
            if PyBytes_FromStringAndSize(topic, length) in self.prefixes:
                return True
        return False
