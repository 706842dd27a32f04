"""The directory of a context: its sockets, endpoints, pipes and workers, with their counters.

One small segment that keeps its name while the context lives, read from outside by whoever looks
in; when its slots are used up it goes on in a further segment. A slot is filled first and its state
stored last; a counter has one writer, who uses plain stores. Readers may see counters of different
moments.
"""

from __future__ import annotations

import errno
import itertools
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ..errors import ZMQError
from . import segment as segments
from .board import address_of
from .layout import COUNTERS, LABEL_SIZE, OFFSETS, SLOT_SIZE, Kind, Slot
from .segment import Segment

_FIRST_SLOTS: Final = 64
_MOST_SLOTS: Final = 4096
_SLOT: Final = OFFSETS["slot"]
_IN_USE: Final = 1
_keys = itertools.count(1)


class DirectorySlot:
    """One slot in use. *address* is where its counters stand in this process's memory."""

    __slots__ = ("_base", "_directory", "address", "key", "segment")

    def __init__(self, directory: Directory | None, segment: Segment, base: int, key: int) -> None:
        self._directory = directory
        self._base = base
        self.segment = segment
        self.key = key
        self.address = address_of(segment.memory) + base + _SLOT["counters"]

    def set_counter(self, index: int, value: int) -> None:
        """Store counter *index* (see layout.COUNTERS); only its owner may."""
        self.segment.set_word(self._base + _SLOT["counters"] + 8 * index, value)

    def add_to_counter(self, index: int) -> None:
        """Count one more; only its owner may."""
        self.set_counter(index, self.segment.word(self._base + _SLOT["counters"] + 8 * index) + 1)

    def set_label(self, label: str) -> None:
        """Store the text that says what this is, cut to the slot's size."""
        start = self._base + _SLOT["label"]
        text = label.encode()[: LABEL_SIZE - 1]
        self.segment.memory[start : start + LABEL_SIZE] = text.ljust(LABEL_SIZE, b"\0")

    def free(self) -> None:
        """Give the slot back."""
        if self._directory is not None:
            self._directory.free(self.segment, self._base)
            self._directory = None


class Directory:
    """The directory of one context; made and written by its process."""

    def __init__(self) -> None:
        self._segments = [self._new_segment(_FIRST_SLOTS)]
        self._free = self._free_slots(self._segments[0])

    @property
    def name(self) -> str:
        """The name of the first segment, by which readers and workers open it."""
        return self._segments[0].name

    def add(self, kind: Slot, label: str, parent: int = 0) -> DirectorySlot:
        """Fill a free slot and return it; *parent* is the key of the slot it belongs to.

        Raises ZMQError(ENOBUFS) when the directory must grow and /dev/shm is full.
        """
        if not self._free:
            self._grow()
        segment, base = self._free.pop()
        segment.memory[base : base + SLOT_SIZE] = bytes(SLOT_SIZE)
        slot = DirectorySlot(self, segment, base, next(_keys))
        slot.set_label(label)
        for field, value in (("kind", kind), ("key", slot.key), ("parent", parent), ("state", 1)):
            segment.set_word(base + _SLOT[field], value)
        return slot

    def free(self, segment: Segment, base: int) -> None:
        """Take back the slot at *base* of *segment*."""
        segment.set_word(base + _SLOT["state"], 0)
        self._free.append((segment, base))

    def unlink(self) -> None:
        """Take the directory's names away: the context has ended."""
        for segment in self._segments:
            segment.unlink()

    def _grow(self) -> None:
        last = self._segments[-1]
        slots = min(2 * (last.size // SLOT_SIZE), _MOST_SLOTS)
        segment = self._new_segment(slots)
        start = OFFSETS["directory"]["next"]
        name = segment.name.encode()
        last.memory[start : start + len(name)] = name
        self._segments.append(segment)
        self._free = self._free_slots(segment)

    @staticmethod
    def _new_segment(slots: int) -> Segment:
        segment = segments.create(Kind.DIRECTORY, slots * SLOT_SIZE)
        segment.set_word(OFFSETS["directory"]["slots"], slots)
        segments.publish(segment)
        return segment

    @staticmethod
    def _free_slots(segment: Segment) -> list[tuple[Segment, int]]:
        return [(segment, base) for base in range(segment.size - SLOT_SIZE, 0, -SLOT_SIZE)]


class Entry(NamedTuple):
    """A slot as a reader sees it."""

    kind: Slot
    key: int
    parent: int
    label: str
    counters: dict[str, int]


def find_slot(name: str, key: int) -> DirectorySlot:
    """Return the slot with *key* in the directory called *name*, for whoever owns its counters.

    Raises ZMQError: ENOENT when there is none.
    """
    directory = name
    while name:
        segment = segments.open_segment(name, Kind.DIRECTORY)
        for base in range(SLOT_SIZE, segment.size, SLOT_SIZE):
            if segment.word(base + _SLOT["state"]) and segment.word(base + _SLOT["key"]) == key:
                return DirectorySlot(None, segment, base, key)
        name = _next_name(segment)
    raise ZMQError(errno.ENOENT, f"the directory {directory!r} has no slot {key}")


def _next_name(segment: Segment) -> str:
    start = OFFSETS["directory"]["next"]
    return segment.memory[start : start + 88].rstrip(b"\0").decode("ascii", "replace")


def read_directory(name: str) -> Iterator[Entry]:
    """Yield the entries of the directory called *name*; needs no running context. Does not block.

    Raises ZMQError: ENOENT when there is none, EPROTO when it is something else.
    """
    while name:
        segment = segments.open_segment(name, Kind.DIRECTORY)
        yield from map(_entry, slots(segment))
        name = _next_name(segment)


def slots(segment: Segment) -> Any:
    """Return the slots in use of a directory segment as a numpy structured array (a copy)."""
    import numpy as np

    from .layout import dtype

    table = np.frombuffer(memoryview(segment.memory), dtype("slot"), offset=0)[1:]
    return table[table["state"] == _IN_USE].copy()


def _entry(row: Any) -> Entry:
    kind = Slot(int(row["kind"]))
    names = COUNTERS[kind]
    counters = {name: int(value) for name, value in zip(names, row["counters"], strict=False)}
    label = bytes(row["label"]).rstrip(b"\0").decode("utf-8", "replace")
    return Entry(kind, int(row["key"]), int(row["parent"]), label, counters)


_scratch: DirectorySlot | None = None


def scratch() -> DirectorySlot:
    """Return a slot that nobody reads, for counters of what stands in no directory."""
    global _scratch
    if _scratch is None:
        segment = segments.create_private(Kind.DIRECTORY, 2 * SLOT_SIZE)
        segment.unlink()
        _scratch = DirectorySlot(None, segment, SLOT_SIZE, 0)
    return _scratch
