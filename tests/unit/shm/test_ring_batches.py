"""Many messages at once: a ring ends up as if they had been written and read one by one."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pipes import BLOCK, COMMAND, MORE, PAD, Ring

from shmzmq.shm.batch import Batch
from shmzmq.shm.layout import RECORDS_OFFSET

MakeRing = Callable[..., Ring]
WORDS = ("tail", "written", "bytes_written", "head", "read", "bytes_read")


def words(ring: Ring) -> list[int]:
    return [ring.word(name) for name in WORDS]


def records(ring: Ring) -> bytes:
    return bytes(ring.segment.memory[RECORDS_OFFSET : RECORDS_OFFSET + ring.capacity])


def popped(ring: Ring, most: int = 64, **keywords: int) -> list[bytes]:
    batch = Batch(most)
    count = ring.consumer.pop_many(batch, most, **keywords)
    assert count == batch.count == len(batch.items or [])
    return batch.items or []


def test_should_show_nothing_before_the_whole_batch_is_published(ring: Ring) -> None:
    assert ring.producer.push_many([b"first", b"", b"12345678"]) == 3
    assert words(ring) == [0] * 6
    ring.producer.commit()
    assert words(ring) == [40, 3, 13, 0, 0, 0]


def test_should_free_the_space_of_a_batch_at_once(ring: Ring) -> None:
    ring.producer.push_many([b"first", b"", b"12345678"])
    ring.producer.commit()
    assert popped(ring, 2) == [b"first", b""]
    assert words(ring)[3:] == [24, 2, 5]
    assert popped(ring) == [b"12345678"]
    assert words(ring)[3:] == [40, 3, 13]
    assert popped(ring) == []


@given(sizes=st.lists(st.integers(0, 700), min_size=1, max_size=60), taken=st.integers(1, 10))
def test_should_leave_the_same_bytes_as_one_by_one(sizes: list[int], taken: int) -> None:
    together, singly = Ring(), Ring()
    messages = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    left = list(messages)
    got: list[bytes] = []
    while left or len(got) < len(messages):
        count = together.producer.push_many(left)
        together.producer.commit()
        for message in left[:count]:
            singly.send(message)
        assert not singly.area_capacities  # so whatever was staged had room
        assert records(together) == records(singly)
        batch = popped(together, taken)
        assert [singly.consumer.pop() for _ in batch] == [(message, 0) for message in batch]
        assert words(together) == words(singly)
        got += batch
        left = left[count:]
    assert got == messages
    together.discard()
    singly.discard()


@pytest.mark.parametrize("limit", [1, 3, 5])
def test_should_stop_at_the_high_water_mark(make_ring: MakeRing, limit: int) -> None:
    ring = make_ring(limit=limit)
    assert ring.producer.push_many([b"x"] * 9) == limit
    assert ring.producer.is_full
    assert ring.producer.push_many([b"x"]) == 0
    ring.producer.commit()
    popped(ring, 1)
    assert ring.producer.push_many([b"x"] * 9) == 1


def test_should_forget_a_batch_that_is_rolled_back(ring: Ring) -> None:
    ring.send(b"before")
    ring.producer.push_many([b"never", b"sent"])
    ring.producer.forget()
    ring.send(b"after")
    assert popped(ring) == [b"before", b"after"]
    assert ring.word("written") == 2


def test_should_stop_where_there_is_no_space(make_ring: MakeRing) -> None:
    ring = make_ring(4096)
    assert ring.producer.push_many([bytes(1016)] * 9) == 3  # the chain reserve stays free
    assert not ring.areas
    assert ring.producer.push_many([bytes(2041)]) == 0  # more than half of the ring


@pytest.mark.parametrize("flags", [MORE, COMMAND, BLOCK | MORE, BLOCK])
def test_should_stop_before_what_needs_a_closer_look(ring: Ring, flags: int) -> None:
    ring.send(b"plain")
    ring.producer.push(b"special" + bytes(25), flags)
    ring.producer.commit()
    assert popped(ring) == [b"plain"]
    assert popped(ring) == []
    assert ring.consumer.pop() == (b"special" + bytes(25), flags)


def test_should_stop_before_a_part_that_is_too_large_and_within_a_message(ring: Ring) -> None:
    ring.send(b"small")
    ring.send(b"large")
    assert popped(ring, largest=4) == []
    assert popped(ring, 1) == [b"small"]
    assert popped(ring) == [b"large"]
    ring.send(b"begun", b"ended")
    assert ring.consumer.pop() == (b"begun", MORE)
    assert popped(ring) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [(16, 1 << 63), (16, 17 << 8), (16, 3), (16, PAD), (16, 8 << 8 | PAD)],
    ids=["huge", "beyond the tail", "flags", "empty pad", "pad in between"],
)
def test_should_take_what_lies_before_nonsense_and_no_more(
    ring: Ring, place: int, value: int
) -> None:
    ring.producer.push_many([b"good", b"spoiled"])
    ring.producer.commit()
    ring.set_record_word(place, value)
    assert popped(ring) == [b"good"]
    assert popped(ring) == []
    assert ring.consumer.describe()["broken"]
    assert ring.word("head") == 16


def test_should_follow_a_chain_within_a_batch(make_ring: MakeRing) -> None:
    ring = make_ring(4096)
    messages = [bytes([number]) * 1000 for number in range(12)]
    for message in messages:
        ring.send(message)
    assert ring.areas
    assert popped(ring) == messages
    assert words(ring)[:3] == words(ring)[3:]


def test_should_grow_with_a_batch_that_is_not_yet_published(make_ring: MakeRing) -> None:
    ring = make_ring(4096)
    assert ring.producer.push_many([b"a" * 1000] * 3) == 3
    ring.send(b"b" * 3000)
    assert ring.areas
    assert popped(ring) == [b"a" * 1000] * 3 + [b"b" * 3000]
    assert words(ring)[:3] == words(ring)[3:]
