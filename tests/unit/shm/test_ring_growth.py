"""Growth: a ring that is too small goes on in a larger area, named in its last record."""

import random
from collections.abc import Callable

import pytest
from support.pipes import CHAIN, MORE, NO_MEMORY, OK, Ring

from shmzmq.errors import ZMQError
from shmzmq.shm import chain
from shmzmq.shm.layout import OFFSETS, RECORDS_OFFSET
from shmzmq.shm.liveness import this_process
from shmzmq.shm.ring import Consumer, Producer
from shmzmq.shm.segment import Segment

MakeRing = Callable[..., Ring]


def areas_of(ring: Ring) -> list[Segment]:
    """Return the areas that the producer still holds, without making it look at the reader."""
    areas: list[Segment] = ring.producer.all_areas()
    return areas


def test_should_name_the_next_area_in_a_chain_record(ring: Ring) -> None:
    ring.send(b"a" * 1500)
    ring.send(b"b" * 1500)
    ring.send(b"c" * 1500)  # does not fit beside the two
    name = ring.areas[0].name.encode()
    place = 2 * 1512
    assert ring.record_word(place) == len(name) << 8 | CHAIN
    start = RECORDS_OFFSET + place + 8
    assert bytes(ring.segment.memory[start : start + len(name)]) == name
    assert ring.areas[0].word(RECORDS_OFFSET) == 1500 << 8
    assert [ring.receive() for _ in range(4)] == [[b"a" * 1500], [b"b" * 1500], [b"c" * 1500], None]


def test_should_count_positions_on_through_a_chain(ring: Ring) -> None:
    ring.send(b"x" * 3000)
    chain = 8 + (len(ring.areas[0].name) + 7 & ~7)
    assert ring.word("tail") == chain + 3008
    assert ring.producer.describe()["base"] == chain
    ring.receive()
    assert ring.word("head") == chain + 3008
    assert ring.consumer.describe()["base"] == chain


def test_should_take_the_name_of_an_area_away_once_it_is_open(ring: Ring) -> None:
    ring.send(b"x" * 3000)
    ring.receive()
    with pytest.raises(ZMQError, match="no private area"):
        ring.open_area(ring.areas[0].name)


def test_should_not_take_an_area_of_another_pipe(ring: Ring) -> None:
    ring.send(b"x" * 3000)
    token = OFFSETS["segment"]["token"]
    ring.areas[0].memory[token : token + 16] = b"another's token!"
    with pytest.raises(ZMQError, match="belongs to another pipe"):
        ring.open_area(ring.areas[0].name)
    ring.areas[0].memory[token : token + 16] = ring.segment.token
    assert ring.receive() == [b"x" * 3000]


def test_should_grow_to_what_a_message_needs(ring: Ring) -> None:
    big = bytes(range(256)) * 4096
    ring.send(big)
    assert ring.area_capacities == [4 * 1024 * 1024]  # twice the message, rounded up
    assert ring.receive() == [big]


def test_should_grow_fourfold_while_small_and_twofold_later(ring: Ring) -> None:
    for _ in range(1000):
        ring.send(b"x" * 1000)
    assert ring.area_capacities[:4] == [1 << 14, 1 << 16, 1 << 18, 1 << 19]
    assert all(ring.receive() == [b"x" * 1000] for _ in range(1000))
    assert ring.receive() is None


def test_should_move_unfinished_parts_into_the_new_area(ring: Ring) -> None:
    ring.send(b"before")
    ring.producer.push(b"1" * 1000, MORE)
    ring.producer.push(b"2" * 1000, MORE)
    ring.producer.push(b"3" * 3000, MORE)  # grows with two parts pending
    ring.producer.push(b"4" * 30_000)  # and again with three
    assert len(ring.areas) == 2
    assert ring.receive() == [b"before"]
    assert ring.receive() is None
    ring.producer.commit()
    assert ring.receive() == [b"1" * 1000, b"2" * 1000, b"3" * 3000, b"4" * 30_000]
    assert [ring.word("written"), ring.word("read"), ring.word("bytes_read")] == [2, 2, 35_006]


def test_should_move_unfinished_parts_that_lie_around_the_end(make_ring: MakeRing) -> None:
    ring = make_ring()
    for _ in range(3):
        ring.send(b"x" * 1000)
        ring.receive()
    ring.producer.push(b"1" * 900, MORE)  # up to 3932
    ring.producer.push(b"2" * 900, MORE)  # padded, at the start again
    assert ring.producer.pending_parts() == [(b"1" * 900, MORE), (b"2" * 900, MORE)]
    ring.producer.push(b"3" * 3000)
    ring.producer.commit()
    assert ring.receive() == [b"1" * 900, b"2" * 900, b"3" * 3000]


def test_should_forget_unfinished_parts_that_it_grew_for(ring: Ring) -> None:
    ring.producer.push(b"1" * 1000, MORE)
    ring.producer.push(b"2" * 10_000, MORE)
    ring.producer.forget()
    assert ring.receive() is None
    ring.send(b"whole")
    assert ring.receive() == [b"whole"]
    assert ring.word("written") == 1


def test_should_let_an_area_go_when_the_reader_has_left_it(ring: Ring) -> None:
    ring.send(b"a" * 3000)
    ring.send(b"b" * 20_000)
    ring.send(b"c" * 200_000)
    first, second, third = ring.areas
    assert areas_of(ring) == [first, second, third]
    ring.receive()
    assert ring.producer.area_segments() == [second, third]
    ring.receive()
    ring.receive()
    assert ring.producer.area_segments() == []


def test_should_say_that_there_is_no_memory_and_keep_what_is_pending(ring: Ring) -> None:
    def refuse(capacity: int) -> Segment:
        raise ZMQError(105)

    producer = Producer(ring.segment, 0, 0, refuse)
    assert producer.push(b"first", MORE) == OK
    assert producer.push(b"x" * 5000) == NO_MEMORY
    assert producer.push(b"second") == OK
    producer.commit()
    assert ring.receive() == [b"first", b"second"]


def test_should_give_an_area_the_reader_who_claims_the_pipe_meanwhile(ring: Ring) -> None:
    def claim_and_make(capacity: int) -> Segment:
        area = ring.make_area(capacity)  # for nobody yet
        chain.claim(ring.segment, this_process())
        return area

    ring.producer = Producer(ring.segment, 0, 0, claim_and_make)
    ring.send(b"x" * 5000)
    assert [area.reader for area in ring.areas] == [this_process()]


def test_should_always_have_place_for_a_chain_record(make_ring: MakeRing) -> None:
    """At every place where the area may be full, the name of the next still fits."""
    for start in range(0, 4096, 8):
        ring = make_ring()
        ring.set_word("tail", start)
        ring.set_word("head", start)
        ring.producer = Producer(ring.segment, 0, 0, ring.make_area)
        ring.consumer = Consumer(ring.segment, 0, ring.open_area)
        count = 0
        while not ring.areas:
            ring.send(b"%07d" % count * 13)
            count += 1
        assert [ring.receive() for _ in range(count)] == [[b"%07d" % i * 13] for i in range(count)]


def test_should_grow_while_reader_and_writer_stand_in_different_areas(ring: Ring) -> None:
    chosen = random.Random(20)
    sent: list[list[bytes]] = []
    received = 0
    for _ in range(400):
        for _ in range(chosen.randrange(6)):
            parts = [
                chosen.randbytes(chosen.choice((0, 7, 100, 3000, 40_000)) // 2 + 1) for _ in "12"
            ]
            ring.send(*parts)
            sent.append(parts)
        for _ in range(chosen.randrange(6)):
            got = ring.receive()
            if got is None:
                assert received == len(sent)
                break
            assert got == sent[received]
            received += 1
    while received < len(sent):
        assert ring.receive() == sent[received]
        received += 1
    assert ring.receive() is None
    assert len(ring.areas) >= 3
