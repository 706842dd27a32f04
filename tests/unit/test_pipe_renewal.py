"""What a pipe carries over into a fresh segment after its far end was lost."""

import pytest
from support.pipe_ends import (
    DONTWAIT,
    SNDMORE,
    Held,
    board_word,
    far_end_of,
    receive_all,
    sender_and_receiver,
    set_word,
    unattached,
    word,
)
from support.pipes import MORE

from shmzmq.errors import Again, ZMQError
from shmzmq.renewal import renew
from shmzmq.shm import segment as segments
from shmzmq.shm.layout import Kind


@pytest.mark.parametrize("size", [1, 1000, 30_000])
@pytest.mark.parametrize("read_before", [0, 1, 4])
def test_should_carry_what_the_lost_reader_had_not_read(
    held: Held, size: int, read_before: int
) -> None:
    """Small messages lie in the first area, larger ones in areas chained to it."""
    socket, pipe = unattached(held)
    first = far_end_of(held, socket, pipe)
    messages = [[b"%d" % number * size, b"", b"end"] for number in range(6)]
    for parts in messages:
        for part in parts[:-1]:
            socket.send(part, SNDMORE)
        socket.send(parts[-1])
    for _ in range(3 * read_before):
        first.recv(DONTWAIT)
    old = pipe.segment.name
    pipe.detach()
    fresh = renew(pipe, keep_outbound=True)
    assert fresh.name != old
    assert fresh.token == b"0123456789abcdef"
    assert pipe.backlog == 6 - read_before
    second = far_end_of(held, socket, pipe)
    assert receive_all(second) == messages[read_before:]


def test_should_carry_a_message_that_its_reader_died_over(held: Held) -> None:
    socket, pipe = unattached(held)
    first = far_end_of(held, socket, pipe)
    for part in (b"a", b"b"):
        socket.send(part * 10, SNDMORE)
    socket.send(b"c" * 20_000)
    assert first.recv(DONTWAIT) == b"a" * 10
    renew(pipe, keep_outbound=True)
    second = far_end_of(held, socket, pipe)
    assert receive_all(second) == [[b"a" * 10, b"b" * 10, b"c" * 20_000]]


@pytest.mark.parametrize("size", [10, 3000, 50_000])
def test_should_carry_parts_that_are_not_published_yet(held: Held, size: int) -> None:
    socket, pipe = unattached(held)
    socket.send(b"published")
    socket.send(b"1" * size, SNDMORE)
    socket.send(b"2" * size, SNDMORE)
    renew(pipe, keep_outbound=True)
    far = far_end_of(held, socket, pipe)
    assert receive_all(far) == [[b"published"]]
    socket.send(b"3" * size)
    assert receive_all(far) == [[b"1" * size, b"2" * size, b"3" * size]]


def test_should_carry_nothing_outbound_when_that_is_not_wanted(
    held: Held,
) -> None:
    socket, pipe = unattached(held)
    socket.send(b"publication")
    renew(pipe, keep_outbound=False)
    assert pipe.backlog == 0
    assert receive_all(far_end_of(held, socket, pipe)) == []


def test_should_keep_what_the_lost_far_end_had_sent(held: Held) -> None:
    near, far, pipe, _ = sender_and_receiver(held, private=False)
    far.send(b"one", SNDMORE)
    far.send(b"two" * 10_000)
    far.send(b"three")
    assert near.recv(DONTWAIT) == b"one"
    pipe.lost = True
    pipe.detach()
    renew(pipe, keep_outbound=True)
    assert receive_all(near) == [[b"two" * 10_000], [b"three"]]


def test_should_have_a_waiting_sender_look_again_after_renewal(
    held: Held,
) -> None:
    """The lost reader may have taken `waiting` back and died before it posted."""
    socket, pipe = unattached(held, limit=2)
    first = far_end_of(held, socket, pipe, limit=2)
    socket.send(b"1")
    socket.send(b"2")
    with pytest.raises(Again):
        socket.send(b"3", DONTWAIT)
    first.recv(DONTWAIT)
    socket.poll_events(0)
    set_word(pipe, 0, "waiting", 0)
    renew(pipe, keep_outbound=True)
    assert board_word(socket, "room") == 1
    socket.send(b"3", DONTWAIT)
    with pytest.raises(Again):
        socket.send(b"4", DONTWAIT)
    assert word(pipe, 0, "waiting") == 1


def test_should_take_the_names_of_the_old_segments_away(held: Held) -> None:
    socket, pipe = unattached(held)
    for _ in range(3):
        socket.send(b"x" * 400_000)
    named = [pipe.segment.name, *(area.name for area in pipe.outbound.all_areas())]
    assert len(named) == 3
    renew(pipe, keep_outbound=True)
    for name in named:
        with pytest.raises(ZMQError, match="cannot open"):
            segments.open_segment(name, Kind.AREA)


def test_should_refuse_to_carry_nonsense(held: Held) -> None:
    socket, pipe = unattached(held)
    socket.send(b"message")
    pipe.segment.set_word(4096, (1 << 50) | MORE)
    with pytest.raises(ZMQError, match="broken"):
        renew(pipe, keep_outbound=True)
    assert pipe.segment.name in {str(name) for name in segments.names()}
