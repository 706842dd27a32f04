"""Load balancing: messages to the peers in turn, whole messages to one, full ones left out."""

import pytest
from support.pipes import MakeStar, Star

from shmzmq.errors import Again
from shmzmq.patterns.pull import Pull
from shmzmq.patterns.push import Push
from shmzmq.shm.layout import OFFSETS, RING_CONTROL_OFFSETS
from shmzmq.socket_base import SocketBase

DONTWAIT, SNDMORE = 1, 2


def drain(socket: SocketBase) -> list[bytes]:
    """Receive until there is nothing."""
    got = []
    while True:
        try:
            got.append(socket.recv(DONTWAIT))
        except Again:
            return got


def test_should_send_to_each_in_turn(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull() for _ in range(3)])
    for number in range(9):
        star.hub.send(b"%d" % number)
    got = [drain(receiver) for receiver in star.around]
    assert got == [[b"%d" % n for n in range(start, 9, 3)] for start in range(3)]


def test_should_send_all_parts_of_a_message_to_one(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull(), Pull()])
    for number in range(4):
        for _ in range(3):
            star.hub.send(b"%d" % number, SNDMORE)
        star.hub.send(b"%d" % number)
    assert [drain(receiver) for receiver in star.around] == [
        [b"0"] * 4 + [b"2"] * 4,
        [b"1"] * 4 + [b"3"] * 4,
    ]


def test_should_pass_over_who_is_full_until_it_has_read(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull(), Pull()], limit=2)
    for number in range(4):
        star.hub.send(b"%d" % number, DONTWAIT)
    with pytest.raises(Again, match="no peer"):
        star.hub.send(b"4", DONTWAIT)
    assert star.hub.poll_events(2) == 0
    assert drain(star.around[1]) == [b"1", b"3"]
    assert star.hub.poll_events(2) == 2
    star.hub.send(b"4", DONTWAIT)
    star.hub.send(b"5", DONTWAIT)
    with pytest.raises(Again):
        star.hub.send(b"6", DONTWAIT)
    assert [drain(receiver) for receiver in star.around] == [[b"0", b"2"], [b"4", b"5"]]


def test_should_not_send_a_part_of_what_has_no_peer(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull()], limit=1)
    star.hub.send(b"1")
    with pytest.raises(Again):
        star.hub.send(b"half", SNDMORE | DONTWAIT)
    assert drain(star.around[0]) == [b"1"]
    star.hub.send(b"2")
    assert drain(star.around[0]) == [b"2"]


def test_should_finish_a_message_beyond_the_mark(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull()], limit=1)
    for _ in range(100):
        star.hub.send(b"x", SNDMORE | DONTWAIT)
    star.hub.send(b"end", DONTWAIT)
    assert len(drain(star.around[0])) == 101


def test_should_drop_the_rest_of_a_message_whose_peer_went(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull(), Pull()])
    star.hub.send(b"half", SNDMORE)
    star.hub.pattern.detach(star.ends[0])
    star.hub.send(b"other half", SNDMORE)
    star.hub.send(b"end")
    star.hub.send(b"next")
    assert [drain(receiver) for receiver in star.around] == [[], [b"next"]]


def test_should_stay_with_its_peer_when_others_come_and_go(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull() for _ in range(4)])
    for number in range(2):
        star.hub.send(b"%d" % number)
    star.hub.send(b"2", SNDMORE)
    for number in (3, 0):
        star.hub.pattern.detach(star.ends[number])
    star.hub.send(b"2")
    assert drain(star.around[2]) == [b"2", b"2"]


def nonsense(star: Star, number: int) -> None:
    """Have peer *number* say that it has read more than was written."""
    ring = RING_CONTROL_OFFSETS[0]
    star.ends[number].segment.set_word(ring + OFFSETS["ring"]["read"], 1 << 40)


def test_should_end_a_peer_that_writes_nonsense_and_send_to_the_others(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull(), Pull()], limit=1)
    star.hub.send(b"0", DONTWAIT)
    star.hub.send(b"1", DONTWAIT)
    nonsense(star, 0)
    with pytest.raises(Again):
        star.hub.send(b"2", DONTWAIT)
    assert star.ends[0].ended
    assert not star.ends[1].is_broken
    assert drain(star.around[1]) == [b"1"]
    star.hub.send(b"2", DONTWAIT)
    assert drain(star.around[1]) == [b"2"]


def test_should_not_wait_for_ever_for_a_peer_that_writes_nonsense(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull(), Pull()], limit=1)
    star.hub.send(b"0", DONTWAIT)
    star.hub.send(b"1", DONTWAIT)
    with pytest.raises(Again):
        star.hub.send(b"2", DONTWAIT)
    nonsense(star, 1)
    drain(star.around[0])
    star.hub.send(b"2")
    assert drain(star.around[0]) == [b"2"]
    star.hub.send_timeout_ms = 20
    star.hub.send(b"3", DONTWAIT)
    with pytest.raises(Again):
        star.hub.send(b"4")
    assert star.ends[1].ended


def test_should_lose_only_the_message_whose_peer_wrote_nonsense(make_star: MakeStar) -> None:
    star = make_star(Push(), [Pull(), Pull()])
    star.hub.send(b"lost", SNDMORE)
    nonsense(star, 0)
    star.ends[0].segment.set_word(4096, 1 << 40)
    star.hub.send(b"x" * 20_000)
    star.hub.send(b"next", SNDMORE)
    star.hub.send(b"end")
    assert drain(star.around[1]) == [b"next", b"end"]
