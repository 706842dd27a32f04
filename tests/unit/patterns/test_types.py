"""Each pattern over pipes of this process; what users see is in tests/conformance."""

import errno
from collections.abc import Callable
from typing import Any

import pytest
from support.pipes import MakeStar

from shmzmq.constants import Errno, SocketType
from shmzmq.errors import Again, ZMQError
from shmzmq.patterns import new_pattern
from shmzmq.patterns.dealer import Dealer
from shmzmq.patterns.pair import Pair
from shmzmq.patterns.pub import Pub
from shmzmq.patterns.pull import Pull
from shmzmq.patterns.push import Push
from shmzmq.patterns.rep import Rep
from shmzmq.patterns.req import Req
from shmzmq.patterns.router import Router
from shmzmq.patterns.sub import Sub
from shmzmq.patterns.xpub import XPub
from shmzmq.patterns.xsub import XSub
from shmzmq.shm.layout import OFFSETS, RING_CONTROL_OFFSETS
from shmzmq.socket_base import SocketBase

DONTWAIT, SNDMORE = 1, 2
SENT, WOULD_BLOCK = 1, 2


def receive(socket: SocketBase) -> list[bytes] | None:
    """Receive one whole message, None when there is none."""
    try:
        parts = [socket.recv(DONTWAIT)]
    except Again:
        return None
    while socket.more:
        parts.append(socket.recv(DONTWAIT))
    return parts


def send(socket: SocketBase, *parts: bytes) -> None:
    """Send one whole message without waiting."""
    for part in parts[:-1]:
        socket.send(part, SNDMORE | DONTWAIT)
    socket.send(parts[-1], DONTWAIT)


def test_should_name_itself_and_its_peers() -> None:
    for number in range(11):
        pattern = new_pattern(SocketType(number))
        assert all(pattern.name in new_pattern(_TYPES[peer]).peers for peer in pattern.peers)


_TYPES = {new_pattern(SocketType(number)).name: SocketType(number) for number in range(11)}


@pytest.mark.parametrize("pattern", [Pull(), Sub()])
def test_should_not_send_where_nothing_is_sent(pattern: Any) -> None:
    with pytest.raises(ZMQError, match="cannot send") as failure:
        pattern.put(b"")
    assert failure.value.errno == errno.ENOTSUP


@pytest.mark.parametrize("pattern", [Push(), Pub()])
def test_should_not_receive_where_nothing_is_received(pattern: Any) -> None:
    with pytest.raises(ZMQError, match="cannot receive") as failure:
        pattern.take()
    assert failure.value.errno == errno.ENOTSUP


@pytest.mark.parametrize("pattern", [Push(), Dealer(), Pair(), Req()])
def test_should_block_without_a_peer(pattern: Any) -> None:
    assert pattern.put(b"") == WOULD_BLOCK


@pytest.mark.parametrize("pattern", [Pub(), XPub(), Router(), XSub()])
def test_should_drop_without_a_peer(pattern: Any) -> None:
    assert pattern.put(b"", True) == SENT
    assert pattern.put(b"") == SENT


def test_pair_should_talk_both_ways_to_one_peer(make_star: MakeStar) -> None:
    star = make_star(Pair(), [Pair()])
    assert not star.hub.pattern.accepts_another()
    send(star.hub, b"there", b"")
    send(star.around[0], b"and back")
    assert receive(star.around[0]) == [b"there", b""]
    assert receive(star.hub) == [b"and back"]
    star.hub.pattern.detach(star.ends[0])
    assert star.hub.pattern.accepts_another()


def test_dealer_should_do_both_independently(make_star: MakeStar) -> None:
    star = make_star(Dealer(), [Dealer(), Dealer()])
    for number in range(4):
        send(star.hub, b"%d" % number)
    send(star.around[1], b"unasked")
    assert receive(star.hub) == [b"unasked"]
    assert [receive(star.around[0]), receive(star.around[1])] == [[b"0"], [b"1"]]


def test_req_and_rep_should_take_turns(make_star: MakeStar) -> None:
    star = make_star(Req(), [Rep()])
    calls: list[Callable[[], object]] = [
        lambda: receive(star.hub),
        lambda: send(star.around[0], b""),
    ]
    for call in calls:
        with pytest.raises(ZMQError, match="must") as failure:
            call()
        assert failure.value.errno == Errno.EFSM
    send(star.hub, b"request", b"of two")
    with pytest.raises(ZMQError, match="must receive"):
        send(star.hub, b"another")
    assert receive(star.around[0]) == [b"request", b"of two"]
    with pytest.raises(ZMQError, match="must send"):
        receive(star.around[0])
    send(star.around[0], b"reply")
    assert receive(star.hub) == [b"reply"]


def test_req_should_take_a_reply_only_from_whom_it_asked(make_star: MakeStar) -> None:
    star = make_star(Req(), [Dealer(), Dealer()])
    send(star.hub, b"request")
    assert receive(star.around[0]) == [b"", b"request"]
    send(star.around[1], b"", b"impostor")
    send(star.around[0], b"no delimiter")
    send(star.around[0], b"", b"reply")
    assert receive(star.hub) == [b"reply"]


def test_rep_should_send_the_envelope_back(make_star: MakeStar) -> None:
    star = make_star(Rep(), [Dealer(), Dealer()])
    send(star.around[1], b"no delimiter", b"at all")
    send(star.around[1], b"route", b"here", b"", b"request")
    assert receive(star.hub) == [b"request"]
    send(star.hub, b"reply")
    assert receive(star.around[1]) == [b"route", b"here", b"", b"reply"]
    assert receive(star.around[0]) is None


def test_rep_should_drop_the_reply_for_whom_it_has_no_room(make_star: MakeStar) -> None:
    star = make_star(Rep(), [Dealer()], limit=1)
    for _ in range(3):
        send(star.around[0], b"", b"request")
        assert receive(star.hub) == [b"request"]
        send(star.hub, b"reply")
    assert receive(star.around[0]) == [b"", b"reply"]
    assert receive(star.around[0]) is None


def test_router_should_name_its_peers(make_star: MakeStar) -> None:
    star = make_star(Router(), [Dealer(), Dealer()], routing_ids=(b"one", b""))
    send(star.around[0], b"from one", b"")
    assert receive(star.hub) == [b"one", b"from one", b""]
    send(star.around[1], b"from nobody")
    message = receive(star.hub)
    assert message is not None
    name = message[0]
    assert (len(name), name[0]) == (5, 0)
    send(star.hub, name, b"to nobody")
    send(star.hub, b"one", b"to one")
    send(star.hub, b"none", b"to none")
    assert [receive(socket) for socket in star.around] == [[b"to one"], [b"to nobody"]]
    assert star.hub.pattern.dropped == 1


def test_router_should_hear_another_of_the_same_name_later(
    make_star: MakeStar,
) -> None:
    star = make_star(Router(), [Dealer(), Dealer()], routing_ids=(b"same", b"same"))
    send(star.around[0], b"first")
    send(star.around[1], b"second")
    assert receive(star.hub) == [b"same", b"first"]
    assert receive(star.hub) is None
    star.hub.pattern.detach(star.ends[0])
    assert receive(star.hub) == [b"same", b"second"]
    send(star.hub, b"same", b"answer")
    assert receive(star.around[1]) == [b"answer"]


def test_mandatory_router_should_wait_for_room_and_raise_for_nobody(make_star: MakeStar) -> None:
    star = make_star(Router(), [Dealer(), Dealer()], limit=1, routing_ids=(b"full", b"free"))
    star.hub.pattern.configure("ROUTER_MANDATORY", True)
    with pytest.raises(ZMQError, match="no peer has the routing id b'none'") as failure:
        send(star.hub, b"none", b"")
    assert failure.value.errno == errno.EHOSTUNREACH
    send(star.hub, b"full", b"1")
    with pytest.raises(Again):
        send(star.hub, b"full", b"2")
    star.hub.send_timeout_ms = 30
    sleeps = star.hub.spinner.sleeps
    with pytest.raises(Again):
        star.hub.send(b"full", SNDMORE)
    assert star.hub.spinner.sleeps - sleeps < 5  # it sleeps, rather than asking again and again
    send(star.hub, b"free", b"3")
    assert receive(star.around[0]) == [b"1"]
    send(star.hub, b"full", b"2")
    assert [receive(socket) for socket in star.around] == [[b"2"], [b"3"]]


@pytest.mark.parametrize("mandatory", [False, True])
def test_router_should_end_a_peer_that_reads_more_than_there_was(
    make_star: MakeStar, mandatory: bool
) -> None:
    star = make_star(Router(), [Dealer(), Dealer()], limit=1, routing_ids=(b"mad", b"sane"))
    star.hub.pattern.configure("ROUTER_MANDATORY", mandatory)
    send(star.hub, b"mad", b"1")
    star.ends[0].segment.set_word(RING_CONTROL_OFFSETS[0] + OFFSETS["ring"]["read"], 9)
    if mandatory:
        with pytest.raises(ZMQError, match="no peer"):
            send(star.hub, b"mad", b"2")
    else:
        send(star.hub, b"mad", b"2")
    assert star.ends[0].ended
    send(star.hub, b"sane", b"3")
    assert receive(star.around[1]) == [b"3"]


def test_pub_should_send_to_who_wants_it(make_star: MakeStar) -> None:
    star = make_star(Pub(), [Sub(), Sub(), Sub()])
    for socket, prefixes in zip(star.around, ([b"a"], [b"ab", b"b"], []), strict=True):
        for prefix in prefixes:
            socket.pattern.configure("SUBSCRIBE", prefix)
    star.hub.poll_events(0)
    for topic in (b"a", b"abc", b"b", b"c"):
        send(star.hub, topic, b"body")
    assert [receive(star.around[0]) for _ in range(3)] == [[b"a", b"body"], [b"abc", b"body"], None]
    assert [receive(star.around[1]) for _ in range(3)] == [[b"abc", b"body"], [b"b", b"body"], None]
    assert receive(star.around[2]) is None


def test_pub_should_count_what_a_full_subscriber_misses(make_star: MakeStar) -> None:
    star = make_star(Pub(), [Sub(), Sub()], limit=2)
    for socket in star.around:
        socket.pattern.configure("SUBSCRIBE", b"")
    star.hub.poll_events(0)
    send(star.hub, b"1")
    send(star.hub, b"2")
    assert receive(star.around[0]) == [b"1"]
    send(star.hub, b"3")
    assert [receive(star.around[0]), receive(star.around[0])] == [[b"2"], [b"3"]]
    assert [receive(star.around[1]) for _ in range(3)] == [[b"1"], [b"2"], None]
    assert star.hub.pattern.dropped == 1


def test_sub_should_not_hear_what_it_gave_up_while_it_was_on_its_way(make_star: MakeStar) -> None:
    star = make_star(Pub(), [Sub()])
    star.around[0].pattern.configure("SUBSCRIBE", b"a")
    star.hub.poll_events(0)
    send(star.hub, b"a1")
    star.around[0].pattern.configure("UNSUBSCRIBE", b"a")
    assert receive(star.around[0]) is None


def test_xpub_and_xsub_should_show_subscriptions_as_messages(make_star: MakeStar) -> None:
    star = make_star(XPub(), [XSub(), XSub()])
    for socket in star.around:
        send(socket, b"\1topic")
    send(star.around[0], b"for the user", b"of two")
    star.hub.poll_events(0)
    assert receive(star.hub) == [b"\1topic"]
    assert receive(star.hub) == [b"for the user", b"of two"]
    for socket in star.around:
        send(socket, b"\0topic")
    star.hub.poll_events(0)
    assert [receive(star.hub), receive(star.hub)] == [[b"\0topic"], None]


def test_xpub_should_tell_what_a_gone_subscriber_wanted(make_star: MakeStar) -> None:
    star = make_star(XPub(), [XSub()])
    send(star.around[0], b"\1topic")
    star.hub.poll_events(0)
    assert receive(star.hub) == [b"\1topic"]
    star.hub.pattern.detach(star.ends[0])
    assert receive(star.hub) == [b"\0topic"]


def test_xsub_should_send_no_part_of_a_message_that_a_publisher_came_too_late_for(
    make_star: MakeStar,
) -> None:
    star = make_star(XSub(), [XPub(), XPub()])
    star.hub.pattern.detach(star.ends[1])
    star.hub.send(b"first part", SNDMORE)
    star.hub.pattern.attach(star.ends[1])
    star.hub.send(b"second part")
    send(star.hub, b"whole")
    for socket in star.around:
        socket.poll_events(0)
    assert receive(star.around[0]) == [b"first part", b"second part"]
    assert receive(star.around[1]) == [b"whole"]


def test_xpub_should_not_take_a_subscription_for_the_rest_of_nonsense(
    make_star: MakeStar,
) -> None:
    star = make_star(XPub(), [XSub(), XSub()])
    star.far_ends[0].outbound.push(b"half of nothing", 1)
    star.far_ends[0].outbound.commit()
    send(star.around[1], b"\1topic")
    board = star.hub.board.segment
    board.set_word(OFFSETS["board"]["ready"], 0b11)
    board.set_word(OFFSETS["board"]["news"], 1)
    star.hub.poll_events(0)
    assert star.ends[0].is_broken
    assert receive(star.hub) == [b"\1topic"]
    send(star.hub, b"topic")
    assert receive(star.around[1]) == [b"topic"]


def test_a_pipe_that_is_renewed_and_taken_up_again_is_there_once(make_star: MakeStar) -> None:
    star = make_star(Dealer(), [Dealer()])
    pattern, pipe = star.hub.pattern, star.ends[0]
    pattern.detach(pipe)  # it came to its end
    pattern.renewed(pipe)
    pattern.attach(pipe)
    pattern.detach(pipe)
    send(star.around[0], b"to nobody")
    assert receive(star.hub) is None  # or a second place is left of it, looked at for ever
