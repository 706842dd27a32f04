"""Fair queueing: one message from each peer in turn, whole messages; idle peers cost nothing."""

from collections import Counter

import pytest
from support.pipes import MORE, OK, MakeStar

from shmzmq.errors import Again, ZMQError
from shmzmq.patterns.pull import Pull
from shmzmq.patterns.push import Push
from shmzmq.shm.layout import OFFSETS, RING_CONTROL_OFFSETS
from shmzmq.socket_base import SocketBase

DONTWAIT, SNDMORE = 1, 2


def take(socket: SocketBase, count: int) -> list[bytes]:
    """Receive *count* parts that must be there."""
    return [socket.recv(DONTWAIT) for _ in range(count)]


def test_should_take_one_message_from_each_in_turn(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push() for _ in range(3)])
    for number, sender in enumerate(star.around):
        for turn in range(4):
            sender.send(b"%d.%d" % (number, turn))
    got = take(star.hub, 12)
    assert all(
        Counter(got[i : i + 3]).keys() == {b"%d.%d" % (n, i // 3) for n in range(3)}
        for i in (0, 3, 6, 9)
    )


def test_should_not_mix_the_parts_of_messages(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push(), Push()])
    for number, sender in enumerate(star.around):
        for _ in range(3):
            sender.send(b"%d" % number, SNDMORE)
            sender.send(b"%d" % number, SNDMORE)
            sender.send(b"%d" % number)
    for _ in range(6):
        assert len(set(take(star.hub, 3))) == 1
        assert not star.hub.more


def test_should_say_whether_another_part_follows(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push()])
    star.around[0].send(b"1", SNDMORE)
    star.around[0].send(b"2")
    assert (take(star.hub, 1), star.hub.more) == ([b"1"], True)
    assert (take(star.hub, 1), star.hub.more) == ([b"2"], False)


def test_should_leave_peers_alone_that_are_found_empty_again_and_again(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push() for _ in range(4)])
    for _ in range(40):
        star.around[0].send(b"busy")
        assert take(star.hub, 1) == [b"busy"]
        with pytest.raises(Again):
            star.hub.recv(DONTWAIT)
    attentive = RING_CONTROL_OFFSETS[1] + OFFSETS["ring"]["attentive"]
    assert [end.segment.word(attentive) for end in star.ends] == [1, 0, 0, 0]
    star.around[2].send(b"woken")
    assert take(star.hub, 1) == [b"woken"]


def test_should_go_on_with_a_message_when_other_peers_come_and_go(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push() for _ in range(4)])
    for number in (1, 2):
        star.around[number].send(b"%d" % number, SNDMORE)
        star.around[number].send(b"%d" % number)
    first = take(star.hub, 1)
    for number in (0, 3):
        star.hub.pattern.detach(star.ends[number])
    assert take(star.hub, 1) == first
    assert set(take(star.hub, 2)) == {b"1", b"2"} - set(first)


def test_should_forget_the_rest_of_a_message_whose_peer_is_taken_away(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push(), Push()])
    star.around[0].send(b"half", SNDMORE)
    star.around[0].send(b"other half")
    assert take(star.hub, 1) == [b"half"]
    star.hub.pattern.detach(star.ends[0])
    star.around[1].send(b"whole")
    assert take(star.hub, 1) == [b"whole"]
    assert not star.hub.more


def test_should_say_when_a_message_is_cut_off_by_nonsense(make_star: MakeStar) -> None:
    """Nor does it go on with what another peer has sent."""
    star = make_star(Pull(), [Push(), Push()])
    assert star.far_ends[0].outbound.push(b"half", MORE) == OK
    star.far_ends[0].outbound.commit()
    assert take(star.hub, 1) == [b"half"]
    star.around[1].send(b"healthy")
    with pytest.raises(ZMQError, match="half a message"):
        star.hub.recv(DONTWAIT)
    assert star.ends[0].is_broken
    assert (take(star.hub, 1), star.hub.more) == ([b"healthy"], False)


def test_should_take_what_was_sent_before_a_goodbye(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push(), Push()])
    star.around[0].send(b"last words")
    star.far_ends[0].say_goodbye()
    assert take(star.hub, 1) == [b"last words"]
    with pytest.raises(Again):
        star.hub.recv(DONTWAIT)
    assert star.ends[0].ended
    star.around[1].send(b"still here")
    assert take(star.hub, 1) == [b"still here"]


def test_should_keep_its_order_over_a_thousand_peers(make_star: MakeStar) -> None:
    star = make_star(Pull(), [Push() for _ in range(200)])
    for number in (5, 77, 199):
        star.around[number].send(b"%d" % number)
    assert set(take(star.hub, 3)) == {b"5", b"77", b"199"}
    assert star.hub.poll_events(1) == 0
    star.around[130].send(b"130")
    assert star.hub.poll_events(1) == 1
    assert take(star.hub, 1) == [b"130"]
