"""Descriptors of blocks that a peer made up: no reader looks at memory that is not the pool's.

Examples run in this process, so a reader that believes one ends the test run.
"""

import errno
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.lent import LARGE, Lent, lent
from support.pipe_ends import Held
from support.pipes import discard, no_names_left

from shmzmq.errors import Again, ZMQError
from shmzmq.shm.layout import OFFSETS, Record

DONTWAIT = 1
POOL = 64 << 20
MORE, BLOCK = int(Record.MORE), int(Record.BLOCK)
FIELDS = ("serial", "offset", "size", "loan")
DESCRIPTOR = struct.Struct("=4Q")
assert [OFFSETS["descriptor"][field] for field in FIELDS] == [0, 8, 16, 24]

edges = st.sampled_from((0, 1, 7, 63, 64, 4095, 4096, 8191, 8192, LARGE, 1 << 26, 1 << 31))
edges |= st.sampled_from((1 << 32, 1 << 47, 1 << 63, 2**64 - 4096, 2**64 - LARGE, 2**64 - 1))
words = edges | st.integers(0, 2**64 - 1)
# What a field becomes: a number of its own, or something near the true one.
changes = st.none() | words | st.integers(-5000, 5000).map(lambda by: ("by", by))
forged = st.tuples(st.just("forged"), st.fixed_dictionaries(dict.fromkeys(FIELDS, changes)))
garbage = st.tuples(st.just("garbage"), st.binary(max_size=48))
fine = st.tuples(st.just("fine"), st.integers(0, 255))
messages = st.lists(st.tuples(fine | forged | garbage, st.booleans()), min_size=1, max_size=12)


@contextmanager
def a_pair() -> Iterator[Lent]:
    """A lender and a reader; nothing is left of them afterwards."""
    held: Held = []
    with no_names_left():
        try:
            yield lent(held, pool=POOL)
        finally:
            discard(*held)


def body(filler: int) -> bytes:
    """Return a payload that goes as a block."""
    return bytes((filler,)) * LARGE


def true_descriptor(pair: Lent) -> dict[str, int]:
    """Lend a payload, have it read, and return what its descriptor was."""
    place = pair.record() + 8
    pair.near.send(body(0))
    pair.far.recv()
    return {
        field: int(pair.there.segment.word(place + OFFSETS["descriptor"][field]))
        for field in FIELDS
    }


def forge(true: dict[str, int], changes: dict[str, Any]) -> bytes:
    """Return *true* with some of its fields changed."""
    fields = []
    for field in FIELDS:
        change = changes[field]
        value = true[field] + change[1] if isinstance(change, tuple) else change
        fields.append(true[field] if value is None else value % 2**64)
    return DESCRIPTOR.pack(*fields)


def receive_all(pair: Lent) -> list[Any]:
    """Return all parts that are there, as views, up to a message that is cut off."""
    parts = []
    try:
        while True:
            parts.append(pair.far.recv(DONTWAIT, copy=False))
    except Again:
        return parts
    except ZMQError as error:
        if error.errno != errno.EPROTO:
            raise
        return parts


@settings(max_examples=200, deadline=None)
@given(messages)
def test_should_look_at_nothing_but_the_pool(messages: list[Any]) -> None:
    with a_pair() as pair:
        true = true_descriptor(pair)
        received: list[Any] = []
        expected = []
        forgeries = 0
        for (kind, what), more in messages:
            if kind == "fine":
                pair.near.send(body(what))
                if not forgeries:
                    expected.append(body(what))
            else:
                forgeries += 1
                record = forge(true, what) if kind == "forged" else what
                pair.pipe.outbound.push(record, BLOCK | MORE * more)
                pair.pipe.outbound.commit()
            received += receive_all(pair)
        # What came before the first forgery is untouched, whatever followed.
        assert [bytes(part) for part in received[: len(expected)]] == expected
        views = [memoryview(part) for part in received]
        assert all(view.readonly for view in views)
        assert all(len(bytes(view)) == view.nbytes <= POOL for view in views)
        received.clear()
        views.clear()
        assert pair.pool.describe()  # the lender can still make sense of what came back


@settings(max_examples=200, deadline=None)
@given(st.lists(words, min_size=1, max_size=8))
def test_should_not_take_back_what_is_not_read(returned: list[int]) -> None:
    with a_pair() as pair:
        for number, word in enumerate(returned):
            pair.near.send(body(number))
            pair.near.send(body(number + 100))
            pair.set_returned(word)
            pair.pool.collect_from_dead()
            assert pair.far.recv() == body(number)
            assert pair.far.recv() == body(number + 100)
