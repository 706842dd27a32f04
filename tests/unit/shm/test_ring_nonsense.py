"""I5: each side believes nothing that the other wrote; what cannot be ends the ring."""

from collections.abc import Callable

import pytest
from support.pipes import BLOCK, BROKEN, CHAIN, COMMAND, MORE, PAD, Ring

from shmzmq.errors import ZMQError
from shmzmq.shm import segment as segments
from shmzmq.shm.layout import RECORDS_OFFSET, Kind
from shmzmq.shm.segment import Segment

MakeRing = Callable[..., Ring]
MOST = (1 << 64) - 1


def pop_is_broken(ring: Ring, reason: str) -> None:
    """Check that reading fails with *reason*, and stays so."""
    for _ in range(2):
        with pytest.raises(ZMQError, match=reason):
            ring.consumer.pop()
    assert ring.consumer.describe()["broken"]


@pytest.mark.parametrize("tail", [8, 16, 24 - 8, MOST & ~7, 0])
def test_should_end_when_the_tail_goes_back_or_far_ahead_of_nothing(ring: Ring, tail: int) -> None:
    ring.send(b"12345678")
    ring.send(b"12345678")
    ring.consumer.pop()
    ring.consumer.pop()
    ring.set_word("tail", tail)
    if tail < 32:
        pop_is_broken(ring, "behind head")
    else:
        while_reading_garbage(ring)


def while_reading_garbage(ring: Ring) -> None:
    """Read until the ring notices, at the latest after one round of the area."""
    for _ in range(4096 // 8 + 1):
        try:
            ring.consumer.pop()
        except ZMQError:
            break
    pop_is_broken(ring, "broken")


def test_should_end_when_the_tail_stands_between_words(ring: Ring) -> None:
    ring.set_word("tail", 12)
    pop_is_broken(ring, "tail 12")


@pytest.mark.parametrize("flags", [0, MORE, PAD, CHAIN, COMMAND])
def test_should_end_when_more_is_published_than_the_area_holds(ring: Ring, flags: int) -> None:
    size = 4096 - 8 if flags == PAD else 0
    ring.set_record_word(0, size << 8 | flags)
    ring.set_word("tail", MOST & ~7)
    while_reading_garbage(ring)


@pytest.mark.parametrize("size", [4096, 4089, 2048, (1 << 56) - 1, (1 << 55) + 16, 9])
def test_should_end_when_a_record_is_longer_than_what_is_published(ring: Ring, size: int) -> None:
    ring.set_record_word(0, size << 8)
    ring.set_word("tail", 16)
    pop_is_broken(ring, f"a record of {size} bytes")


@pytest.mark.parametrize(
    "flags",
    [
        BLOCK | COMMAND,
        33,
        34,
        64,
        128,
        MORE | COMMAND,
        COMMAND | CHAIN,
        PAD | CHAIN,
        255,
    ],
)
def test_should_end_at_flags_that_mean_nothing(ring: Ring, flags: int) -> None:
    ring.set_record_word(0, 8 << 8 | flags)
    ring.set_word("tail", 16)
    pop_is_broken(ring, f"flags {flags:#x}")


@pytest.mark.parametrize(("place", "size"), [(0, 4088), (16, 4064), (16, 4080), (16, 0)])
def test_should_end_at_a_pad_that_does_not_fill_the_area_to_its_end(
    ring: Ring, place: int, size: int
) -> None:
    if place:
        ring.send(b"12345678")
        ring.consumer.pop()
    ring.set_record_word(place, size << 8 | PAD)
    ring.set_word("tail", 4096 + place)
    pop_is_broken(ring, f"of {size} bytes")


def test_should_end_at_half_a_message(ring: Ring) -> None:
    ring.set_record_word(0, 0 << 8 | MORE)
    ring.set_word("tail", 8)
    assert ring.consumer.pop() == (b"", MORE)
    pop_is_broken(ring, "half a message")


@pytest.mark.parametrize("flags", [COMMAND, CHAIN])
def test_should_end_at_a_command_or_chain_inside_a_message(ring: Ring, flags: int) -> None:
    ring.set_record_word(0, MORE)
    ring.set_record_word(8, flags)
    ring.set_word("tail", 16)
    ring.consumer.pop()
    pop_is_broken(ring, f"flags {flags:#x}")


def chain_to(ring: Ring, name: bytes) -> None:
    """Put a chain record to *name* at the start of the ring."""
    padded = name.ljust(len(name) + 7 & ~7, b"\0")
    ring.set_record_word(0, len(name) << 8 | CHAIN)
    ring.segment.memory[RECORDS_OFFSET + 8 : RECORDS_OFFSET + 8 + len(padded)] = padded
    ring.set_word("tail", 8 + len(padded))


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"private:none",
        b"private:" + b"7" * 100,
        b"shmzmq-0-0-0-0-0",
        b"/shmzmq-0-0-0-0-0",
        b"/etc/passwd",
        b"\xff\xfe\xfd",
        b"/shmzmq-0-0-0-0-0\0",
        b"/shmzmq-1-1-1-1-" + b"9" * 60,
    ],
)
def test_should_end_at_a_chain_to_nowhere(ring: Ring, name: bytes) -> None:
    chain_to(ring, name)
    pop_is_broken(ring, "chain to")


def test_should_not_take_another_kind_of_segment_for_an_area(
    ring: Ring, make_ring: MakeRing
) -> None:
    other = make_ring()
    chain_to(ring, other.segment.name.encode())
    pop_is_broken(ring, "no private area")
    assert segments.open_segment(other.segment.name, Kind.PIPE) is other.segment


@pytest.mark.parametrize("capacity", [0, 1, 4, 7, 8, 2048, 5000, 4096 * 3])
def test_should_not_read_from_an_area_of_an_impossible_size(ring: Ring, capacity: int) -> None:
    area = ring.make_area(capacity)
    chain_to(ring, area.name.encode())
    ring.set_word("tail", ring.word("tail") + 64)
    pop_is_broken(ring, f"an area of {capacity} bytes")


def test_should_not_go_round_in_a_circle_of_areas(ring: Ring) -> None:
    area = ring.make_area(4096)
    name = area.name.encode()
    area.set_word(RECORDS_OFFSET, len(name) << 8 | CHAIN)
    area.memory[RECORDS_OFFSET + 8 : RECORDS_OFFSET + 8 + len(name)] = name
    chain_to(ring, name)
    ring.set_word("tail", ring.word("tail") + 1024)
    pop_is_broken(ring, "chain to")


@pytest.mark.parametrize(
    ("word", "value"),
    [("head", 40), ("head", 8), ("head", MOST), ("read", 3), ("read", 0), ("read", MOST)],
)
def test_should_stop_writing_when_the_reader_says_what_cannot_be(
    make_ring: MakeRing, word: str, value: int
) -> None:
    ring = make_ring(limit=2)
    ring.send(b"12345678")
    ring.send(b"12345678")
    ring.receive()
    assert not ring.producer.is_full  # it has seen head at 16, and one message read
    ring.set_word(word, value)
    ring.producer.queued()
    assert ring.producer.describe()["broken"]
    assert ring.producer.is_full
    assert ring.producer.push(b"") == BROKEN


@pytest.mark.parametrize("size", [1 << 20, (1 << 56) - 1, 2001, 2008])
def test_should_not_believe_its_own_unpublished_records(ring: Ring, size: int) -> None:
    """They lie in memory that the reader can write; a larger area is filled from them."""
    ring.producer.push(b"1" * 1000, MORE)
    ring.producer.push(b"2" * 992, MORE)
    ring.set_record_word(0, size << 8 | MORE)
    assert ring.producer.push(b"x" * 3000) == BROKEN
    assert not ring.areas
    with pytest.raises(ZMQError, match="broken"):
        ring.producer.pending_parts()


def test_should_move_only_as_much_as_is_pending(ring: Ring) -> None:
    """Lengths made shorter give other records, never more bytes than there were."""
    ring.producer.push(b"1" * 1000, MORE)
    ring.producer.push(b"2" * 1000, MORE)
    ring.set_record_word(0, MORE)
    assert ring.producer.push(b"x" * 3000) in (BROKEN, 1)
    assert ring.producer.describe()["tail"] <= 8192


def test_should_refuse_an_area_whose_segment_is_of_another_version(ring: Ring) -> None:
    def open_area(name: str) -> Segment:
        raise ZMQError(71, "another layout version")

    ring.send(b"x" * 3000)
    ring.consumer = type(ring.consumer)(ring.segment, 0, open_area)
    pop_is_broken(ring, "another layout version")


def test_should_end_at_a_box_that_is_not_there(ring: Ring) -> None:
    ring.set_record_word(0, 8 << 8 | 32)
    ring.set_word("tail", 16)
    pop_is_broken(ring, "a value in the box")
