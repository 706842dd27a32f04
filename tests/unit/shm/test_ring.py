"""The ring, held against exact bytes in memory; head and tail are set by hand where that helps."""

from collections.abc import Callable

import pytest
from support.pipes import COMMAND, MORE, OK, PAD, Ring

from shmzmq.errors import ZMQError
from shmzmq.shm.layout import OFFSETS, RECORDS_OFFSET, RING_CONTROL_OFFSETS
from shmzmq.shm.ring import Consumer, Producer

MakeRing = Callable[..., Ring]


def ring_at(make_ring: MakeRing, position: int, capacity: int = 4096, limit: int = 0) -> Ring:
    """Return an empty ring whose both positions stand at *position*."""
    ring = make_ring(capacity)
    ring.set_word("tail", position)
    ring.set_word("head", position)
    ring.producer = Producer(ring.segment, 0, limit, ring.make_area)
    ring.consumer = Consumer(ring.segment, 0, ring.open_area)
    return ring


def test_should_write_length_flags_and_payload_eight_byte_aligned(ring: Ring) -> None:
    assert ring.producer.push(b"hello", MORE) == OK
    assert ring.producer.push(b"") == OK
    assert ring.producer.push(b"12345678") == OK
    assert ring.record_word(0) == 5 << 8 | MORE
    assert ring.segment.memory[RECORDS_OFFSET + 8 : RECORDS_OFFSET + 13] == b"hello"
    assert ring.record_word(16) == 0
    assert ring.record_word(24) == 8 << 8
    assert ring.segment.memory[RECORDS_OFFSET + 32 : RECORDS_OFFSET + 40] == b"12345678"


def test_should_show_nothing_before_commit(ring: Ring) -> None:
    ring.producer.push(b"first", MORE)
    ring.producer.push(b"second")
    assert [ring.word(name) for name in ("tail", "written", "bytes_written")] == [0, 0, 0]
    assert ring.consumer.pop() is None
    ring.producer.commit()
    assert [ring.word(name) for name in ("tail", "written", "bytes_written")] == [32, 1, 11]
    assert ring.consumer.pop() == (b"first", MORE)
    assert ring.consumer.pop() == (b"second", 0)


def test_should_not_move_the_tail_when_there_is_nothing_to_commit(ring: Ring) -> None:
    ring.producer.commit()
    assert [ring.word("tail"), ring.word("written")] == [0, 0]


def test_should_free_space_only_at_the_end_of_a_message(ring: Ring) -> None:
    ring.send(b"first", b"second")
    ring.consumer.pop()
    assert [ring.word(name) for name in ("head", "read", "bytes_read")] == [0, 0, 0]
    ring.consumer.pop()
    assert [ring.word(name) for name in ("head", "read", "bytes_read")] == [32, 1, 11]


def test_should_leave_a_message_to_the_next_consumer_when_one_dies_over_it(ring: Ring) -> None:
    ring.send(b"first", b"second")
    ring.consumer.pop()
    successor = Consumer(ring.segment, 0, ring.open_area)
    assert successor.pop() == (b"first", MORE)


def test_should_count_an_empty_message_and_no_command(ring: Ring) -> None:
    ring.send(b"")
    ring.producer.push(b"goodbye", COMMAND)
    ring.producer.commit()
    assert [ring.word("written"), ring.word("bytes_written")] == [1, 0]
    assert ring.consumer.pop() == (b"", 0)
    assert ring.consumer.pop() == (b"goodbye", COMMAND)
    assert [ring.word("read"), ring.word("bytes_read")] == [1, 0]
    assert ring.word("head") == ring.word("tail")


def test_should_wrap_with_a_pad_when_a_record_does_not_fit_before_the_end(
    make_ring: MakeRing,
) -> None:
    ring = ring_at(make_ring, 4096 - 32)
    ring.send(b"x" * 25)  # 40 bytes, 32 are left
    assert ring.record_word(4096 - 32) == 24 << 8 | PAD
    assert ring.record_word(0) == 25 << 8
    assert ring.word("tail") == 4096 + 40
    assert ring.receive() == [b"x" * 25]
    assert ring.word("head") == 4096 + 40


def test_should_wrap_without_a_pad_when_a_record_ends_at_the_end(make_ring: MakeRing) -> None:
    ring = ring_at(make_ring, 4096 - 32)
    ring.send(b"x" * 24)
    ring.send(b"next")
    assert ring.record_word(4096 - 32) == 24 << 8
    assert ring.record_word(0) == 4 << 8
    assert [ring.receive(), ring.receive()] == [[b"x" * 24], [b"next"]]


def test_should_pad_eight_bytes_with_a_pad_of_nothing(make_ring: MakeRing) -> None:
    ring = ring_at(make_ring, 4096 - 8)
    ring.send(b"x")
    assert ring.record_word(4096 - 8) == PAD
    assert ring.receive() == [b"x"]
    assert ring.word("head") == 4096 + 16


def test_should_go_on_far_beyond_32_bits(make_ring: MakeRing) -> None:
    position = (1 << 40) + 4096 * 3 + 4088
    ring = ring_at(make_ring, position)
    ring.send(b"far")
    assert ring.word("tail") == position + 8 + 16
    assert ring.receive() == [b"far"]


def test_should_forget_on_rollback_and_write_over_it(ring: Ring) -> None:
    ring.send(b"before")
    ring.producer.push(b"a" * 100, MORE)
    ring.producer.push(b"b" * 100, MORE)
    ring.producer.forget()
    ring.send(b"after")
    assert ring.word("written") == 2
    assert ring.word("bytes_written") == 11
    assert [ring.receive(), ring.receive(), ring.receive()] == [[b"before"], [b"after"], None]


def test_should_let_in_as_many_messages_as_the_limit_says(make_ring: MakeRing) -> None:
    ring = make_ring(limit=3)
    for _ in range(3):
        assert not ring.producer.is_full
        ring.send(b"one", b"two")
    assert ring.producer.is_full
    ring.consumer.pop()
    assert ring.producer.is_full  # half a message read is none
    ring.consumer.pop()
    assert not ring.producer.is_full


def test_should_have_no_limit_when_it_is_zero(make_ring: MakeRing) -> None:
    ring = make_ring(limit=1)
    ring.send(b"")
    assert ring.producer.is_full
    ring.producer.set_limit(0)
    for _ in range(5000):
        assert not ring.producer.is_full
        ring.send(b"")
    assert ring.producer.queued() == 5001


def test_should_look_at_the_reader_only_when_it_must(make_ring: MakeRing) -> None:
    ring = make_ring(limit=2)
    ring.send(b"one")
    ring.receive()
    assert not ring.producer.is_full
    assert ring.producer.describe()["read_seen"] == 0
    ring.send(b"two")
    assert not ring.producer.is_full
    assert ring.producer.describe()["read_seen"] == 1


def test_should_take_up_a_ring_that_was_used_before(ring: Ring) -> None:
    for number in range(10):
        ring.send(b"%d" % number)
    for _ in range(4):
        ring.receive()
    producer = Producer(ring.segment, 0, 0, ring.make_area)
    consumer = Consumer(ring.segment, 0, ring.open_area)
    assert producer.queued() == 6
    producer.push(b"new")
    producer.commit()
    left = [consumer.pop() for _ in range(8)]
    assert left == [*((b"%d" % number, 0) for number in range(4, 10)), (b"new", 0), None]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offset", 4088),
        ("offset", 4097),
        ("offset", 1 << 63),
        ("offset", 4096 * 3),
        ("capacity", 0),
        ("capacity", 2048),
        ("capacity", 5000),
        ("capacity", 1 << 63),
        ("capacity", 4096 * 4),
    ],
)
def test_should_refuse_a_control_block_that_does_not_fit(ring: Ring, name: str, value: int) -> None:
    ring.set_word(name, value)
    with pytest.raises(ZMQError, match="does not fit"):
        Producer(ring.segment, 0, 0, ring.make_area)
    with pytest.raises(ZMQError, match="does not fit"):
        Consumer(ring.segment, 0, ring.open_area)


def test_should_refuse_to_read_from_a_place_between_words(ring: Ring) -> None:
    ring.set_word("head", 12)
    with pytest.raises(ZMQError, match="multiple of 8"):
        Consumer(ring.segment, 0, ring.open_area)


def test_should_refuse_to_write_where_positions_do_not_fit(ring: Ring) -> None:
    ring.set_word("head", 8)
    with pytest.raises(ZMQError, match="do not fit"):
        Producer(ring.segment, 0, 0, ring.make_area)
    ring.set_word("tail", 4096 + 16)
    with pytest.raises(ZMQError, match="do not fit"):
        Producer(ring.segment, 0, 0, ring.make_area)


def test_should_keep_the_two_rings_of_a_pipe_apart(ring: Ring) -> None:
    back = Producer(ring.segment, 1, 0, ring.make_area)
    ring.send(b"there")
    back.push(b"and back")
    back.commit()
    tails = [
        ring.segment.word(control + OFFSETS["ring"]["tail"]) for control in RING_CONTROL_OFFSETS
    ]
    assert tails == [16, 16]
    assert Consumer(ring.segment, 1, ring.open_area).pop() == (b"and back", 0)
    assert ring.receive() == [b"there"]
