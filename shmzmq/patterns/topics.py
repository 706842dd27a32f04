"""Subscriptions: which prefixes are wanted, and by whom.

A dict from prefix to those who want it, and how many prefixes there are of each length. Matching a
topic looks up one slice for each length in use, so its cost follows the topic's length, not the
number of subscriptions.
"""

import cython


@cython.cclass
class TopicTable:
    """Prefixes and who subscribed to them.

    A subscriber is any hashable object and counts once a prefix.
    """

    prefixes: dict
    lengths: dict
    sorted_lengths: list

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
            return False
        self.prefixes[prefix] = {subscriber: None}
        count = self.lengths.get(len(prefix), 0)
        self.lengths[len(prefix)] = count + 1
        if not count:
            self.sorted_lengths = sorted(self.lengths)
        return True

    def remove(self, prefix: bytes, subscriber) -> bool:
        """Forget the subscription; true when nobody wants *prefix* any more."""
        subscribers = self.prefixes.get(prefix)
        if subscribers is None or subscriber not in subscribers:
            return False
        del subscribers[subscriber]
        if subscribers:
            return False
        del self.prefixes[prefix]
        self.lengths[len(prefix)] -= 1
        if not self.lengths[len(prefix)]:
            del self.lengths[len(prefix)]
            self.sorted_lengths = sorted(self.lengths)
        return True

    def drop(self, subscriber) -> list:
        """Forget all subscriptions of *subscriber*.

        Return the prefixes that nobody wants any more.
        """
        held = [prefix for prefix, who in self.prefixes.items() if subscriber in who]
        return [prefix for prefix in held if self.remove(prefix, subscriber)]

    def match(self, topic: bytes) -> list:
        """Return everybody who wants *topic*, each once."""
        found: list = None
        mixed: cython.bint = False
        for length in self.sorted_lengths:
            if length > len(topic):
                break
            subscribers = self.prefixes.get(topic[:length])
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
        for length in self.sorted_lengths:
            if length > len(topic):
                return False
            if topic[:length] in self.prefixes:
                return True
        return False
