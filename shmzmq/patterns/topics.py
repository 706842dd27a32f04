"""Subscriptions: which prefixes are wanted, and by whom.

A radix tree: a node stands for a prefix that somebody wants or at which others part, and its label
is what it adds to the node above. Matching walks down along the topic, so it looks at no more nodes
than the topic has bytes, and one, however many subscriptions there are.

T1  The labels of a node's children begin with different bytes, and none is empty.
T2  Every node but the root has a subscriber or two children at least. So there are fewer than twice
    as many nodes as prefixes, and what is cancelled leaves nothing behind.
T3  `held` has the same subscriptions by subscriber: letting one go costs what it held.
"""

import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memchr, memcmp


@cython.cclass
class Node:
    """The prefix that ends with *label*, who wants it, and those that go on from it."""

    def __init__(self, label: bytes):
        self.label = label
        self.firsts = b""

    def find(self, first):
        """Return the place of the child whose label begins with the byte *first*; -1: none."""
        start: cython.p_char = PyBytes_AS_STRING(self.firsts)
        found = cython.cast(cython.p_char, memchr(start, first, PyBytes_GET_SIZE(self.firsts)))
        return -1 if found == cython.NULL else cython.cast(cython.int, found - start)

    def adopt(self, child):
        """Add *child*."""
        if self.children is None:
            self.children = []
        self.children.append(child)
        self.firsts += child.label[:1]
        return 0

    def disown(self, place):
        """Take the child at *place* away."""
        self.firsts = self.firsts[:place] + self.firsts[place + 1 :]
        del self.children[place]
        return 0

    def split(self, place, length):
        """Put a node in front of the child at *place* that takes *length* bytes of its label."""
        child: Node = self.children[place]
        between: Node = Node(child.label[:length])
        child.label = child.label[length:]
        between.adopt(child)
        self.children[place] = between
        return between

    def absorb_only_child(self):
        """Become one with the only child; nobody wants this node's own prefix (T2)."""
        child: Node = self.children[0]
        self.label += child.label
        self.firsts = child.firsts
        self.children = child.children
        self.who = child.who
        self.listing = child.listing
        return 0

    def everybody(self):
        """Return all who want this prefix, as a list that is not to be changed."""
        if self.listing is None:
            self.listing = list(self.who)
        return self.listing


@cython.cclass
class TopicTable:
    """Prefixes and who subscribed to them.

    A subscriber is any hashable object and counts once a prefix. `steps` counts the nodes that
    matching has looked at.
    """

    def __init__(self):
        self.root = Node(b"")
        self.held = {}
        self.nobody = []

    def __len__(self):
        return self.count

    def add(self, prefix: bytes, subscriber) -> bool:
        """Note the subscription; true when *prefix* is new to the table."""
        node: Node = self._make_room(prefix)
        self.held.setdefault(subscriber, {})[prefix] = None
        node.listing = None
        if node.who is not None:
            node.who[subscriber] = None
            return False
        node.who = {subscriber: None}
        self.count += 1
        return True

    def _make_room(self, prefix: bytes):
        """Return the node of *prefix*, a new one if need be."""
        node: Node = self.root
        at: cython.Py_ssize_t = 0
        size: cython.Py_ssize_t = len(prefix)
        while at < size:
            place: cython.int = node.find(prefix[at])
            if place < 0:
                child: Node = Node(prefix[at:])
                node.adopt(child)
                return child
            child = node.children[place]
            length: cython.Py_ssize_t = _common(child.label, prefix, at)
            node = child if length == len(child.label) else node.split(place, length)
            at += length
        return node

    def remove(self, prefix: bytes, subscriber) -> bool:
        """Forget the subscription; true when nobody wants *prefix* any more."""
        prefixes = self.held.get(subscriber)
        if prefixes is None or prefix not in prefixes:
            return False
        del prefixes[prefix]
        if not prefixes:
            del self.held[subscriber]
        above: list = []
        node: Node = self.root
        at: cython.Py_ssize_t = 0
        while at < len(prefix):
            above.append(node)
            node = node.children[node.find(prefix[at])]
            at += len(node.label)
        del node.who[subscriber]
        node.listing = None
        if node.who:
            return False
        node.who = None
        self.count -= 1
        if above:
            self._prune(node, above)
        return True

    def _prune(self, node: Node, above: list):
        """Restore T2 at *node*, which nobody wants any more, below those *above*."""
        children: cython.Py_ssize_t = 0 if node.children is None else len(node.children)
        if children == 1:
            node.absorb_only_child()
        if children:
            return 0
        parent: Node = above.pop()
        parent.disown(parent.find(node.label[0]))
        if above and parent.who is None and len(parent.children) == 1:
            parent.absorb_only_child()
        return 0

    def held_by(self, subscriber) -> list:
        """Return the prefixes that *subscriber* wants."""
        return list(self.held.get(subscriber, ()))

    def drop(self, subscriber) -> list:
        """Forget all subscriptions of *subscriber*.

        Return the prefixes that nobody wants any more.
        """
        return [prefix for prefix in self.held_by(subscriber) if self.remove(prefix, subscriber)]

    def wants_all(self):
        """Whether nobody wants anything but everything."""
        return self.root.who is not None and not self.root.firsts

    def match(self, topic: bytes) -> list:
        """Return everybody who wants *topic*, each once; the list is not to be changed."""
        return self.match_buffer(PyBytes_AS_STRING(topic), PyBytes_GET_SIZE(topic))

    def match_buffer(self, topic, size):
        node: Node = self.root
        found: list = None
        mixed: list = None
        while node is not None:
            if node.who is not None:
                if found is None:
                    found = node.everybody()
                elif mixed is None:
                    mixed = found + node.everybody()
                else:
                    mixed.extend(node.everybody())
            node = self._below(node, cython.address(topic), cython.address(size))
        if mixed is not None:
            return list(dict.fromkeys(mixed))
        return self.nobody if found is None else found

    def wants(self, topic: bytes) -> bool:
        """Whether anybody wants *topic*."""
        return self.wants_buffer(PyBytes_AS_STRING(topic), PyBytes_GET_SIZE(topic))

    def wants_buffer(self, topic, size):
        node: Node = self.root
        while node is not None:
            if node.who is not None:
                self.steps += 1
                return True
            node = self._below(node, cython.address(topic), cython.address(size))
        return False

    def _below(self, node, topic, size):
        """Return the child of *node* that the topic goes on with, and go past its label."""
        self.steps += 1
        if size[0] == 0:
            return None
        place: cython.int = node.find(cython.cast(cython.uchar, topic[0][0]))
        if place < 0:
            return None
        child: Node = node.children[place]
        length: uint64_t = PyBytes_GET_SIZE(child.label)
        if length > size[0] or memcmp(PyBytes_AS_STRING(child.label), topic[0], length) != 0:
            return None
        topic[0] += length
        size[0] -= length
        return child

    def nodes(self) -> int:
        """Return how many nodes there are beside the root."""
        count: cython.Py_ssize_t = -1
        left: list = [self.root]
        while left:
            node: Node = left.pop()
            count += 1
            left.extend(node.children or ())
        return count


@cython.cfunc
def _common(label: bytes, prefix: bytes, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Return how many bytes *label* has in common with *prefix* from *at* on."""
    ours: cython.p_char = PyBytes_AS_STRING(label)
    other: cython.p_char = PyBytes_AS_STRING(prefix) + at
    most: cython.Py_ssize_t = min(PyBytes_GET_SIZE(label), PyBytes_GET_SIZE(prefix) - at)
    length: cython.Py_ssize_t = 0
    while length < most and ours[length] == other[length]:
        length += 1
    return length
