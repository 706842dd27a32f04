"""recv_many and recv_packed: which messages they return, and when they wait."""

import gc
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.exchange import settle
from support.factory import SocketFactory
from support.library import LIBRARY_NAME, Socket, zmq
from support.links import Link, inproc_only, local_ipc_only, local_only
from support.waiting import Background, wait_until_blocked

pytestmark = pytest.mark.skipif(LIBRARY_NAME == "zmq", reason="pyzmq has no batches")

MESSAGES = [bytes([size % 251]) * size for size in (0, 1, 64, 2047, 2048, 40_000, 7, 0)] * 3


def unpacked(packed: Any) -> list[bytes]:
    data, offsets = packed
    assert (data.dtype, offsets.dtype) == (np.uint8, np.int64)
    assert offsets[0] == 0
    assert offsets[-1] == len(data)
    return [data[a:b].tobytes() for a, b in pairwise(offsets)]


def recv_many(socket: Socket, *arguments: Any, **keywords: Any) -> list[bytes]:
    messages: list[bytes] = socket.recv_many(*arguments, **keywords)
    assert all(type(message) is bytes for message in messages)
    return messages


def recv_packed(socket: Socket, *arguments: Any, **keywords: Any) -> list[bytes]:
    return unpacked(socket.recv_packed(*arguments, **keywords))


both = pytest.mark.parametrize("receive", [recv_many, recv_packed])


def gathered(receive: Any, socket: Socket, count: int) -> list[bytes]:
    """Receive *count* messages in as many batches as it takes."""
    messages: list[bytes] = []
    while len(messages) < count:
        messages += receive(socket, count - len(messages))
    return messages


# -- which messages --------------------------------------------------------------------------------


@both
def test_all_that_came_in_order(link: Link, receive: Any) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    for message in MESSAGES:
        far.send(message)
    assert gathered(receive, near, len(MESSAGES)) == MESSAGES
    assert not near.poll(0)


@both
def test_no_more_than_asked_for(sockets: SocketFactory, receive: Any) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here")
    push = sockets.open(zmq.PUSH, connect="inproc://here")
    push.send_many([b"%d" % number for number in range(10)])
    assert receive(pull, 3) == [b"0", b"1", b"2"]
    assert pull.recv() == b"3"
    assert receive(pull) == [b"%d" % number for number in range(4, 10)]
    for most in (0, -1):
        with pytest.raises(ValueError, match=f"max_messages is {most}"):
            receive(pull, most)


@both
@local_only
def test_the_peers_take_turns(link: Link, receive: Any) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    pushes = [link.far(zmq.PUSH, connect=endpoint) for _ in range(3)]
    for push in pushes:
        push.send(b"hello")
    assert gathered(receive, pull, 3) == [b"hello"] * 3
    for name, push in zip(b"abc", pushes, strict=True):
        push.send_many([bytes([name])] * 100)
    got = b"".join(gathered(receive, pull, 300))
    # In every stretch each has its turn, as when they are received one by one.
    assert all(set(got[start : start + 3]) == set(b"abc") for start in range(0, 300, 3))


@both
@pytest.mark.parametrize("publisher", [zmq.PUB, zmq.XPUB])
@pytest.mark.parametrize(
    ("subscribe", "inverted", "wanted"),
    [
        ([b""], 0, [b"a1", b"b1", b"ab", b"", b"b2"]),
        ([b"a"], 0, [b"a1", b"ab"]),
        ([b"a", b"ab", b"b2"], 0, [b"a1", b"ab", b"b2"]),
        ([b"a"], 1, [b"b1", b"", b"b2"]),
    ],
)
def test_a_subscriber_gets_what_matches(
    sockets: SocketFactory,
    receive: Any,
    publisher: int,
    subscribe: list[bytes],
    inverted: int,
    wanted: list[bytes],
) -> None:
    pub = sockets.open(publisher, bind="inproc://here")
    sub = sockets.open(zmq.SUB, connect="inproc://here", subscribe=subscribe)
    if inverted:  # the publisher sends all, so it is the subscriber that selects
        pub.setsockopt(zmq.INVERT_MATCHING, 1)
        sub.setsockopt(zmq.INVERT_MATCHING, 1)
    pub.poll(0)
    pub.send_many([b"a1", b"b1", b"ab", b"", b"b2"])
    assert gathered(receive, sub, len(wanted)) == wanted
    assert not sub.poll(0)


@both
def test_what_a_poller_found_comes_first(sockets: SocketFactory, receive: Any) -> None:
    pub = sockets.open(zmq.PUB, bind="inproc://here")
    sub = sockets.open(zmq.SUB, connect="inproc://here", subscribe=b"a")
    settle(pub, sub)
    pub.send_many([b"a1", b"a2"])
    assert sub.poll()
    assert receive(sub) == [b"a1", b"a2"]


@both
def test_an_xsub_and_an_xpub(sockets: SocketFactory, receive: Any) -> None:
    xpub = sockets.open(zmq.XPUB, bind="inproc://here")
    xsub = sockets.open(zmq.XSUB, connect="inproc://here")
    xsub.send_many([b"\x01", b"said"])
    assert gathered(receive, xpub, 2) == [b"\x01", b"said"]
    xpub.send_many([b"x", b"y"])
    assert receive(xsub) == [b"x", b"y"]


@both
@local_only
@pytest.mark.parametrize("who", ["near", "far", "both"])
def test_only_the_last_with_conflate(link: Link, receive: Any, who: str) -> None:
    """Whether the reader conflates, or the writer, or both: a batch comes down to its last."""
    near = {"conflate": 1} if who != "far" else {}
    far = {"conflate": 1} if who != "near" else {}
    pull, push = link.pair(zmq.PULL, zmq.PUSH, near=near, far=far)
    push.send(b"there")
    assert receive(pull) == [b"there"]
    for last in (b"3", b"a longer one" * 100):
        assert push.send_many([b"1", b"2", last]) == 3
        assert receive(pull)[-1:] == [last]
        assert not pull.poll(0)


@both
@local_ipc_only
def test_too_large_a_message_ends_its_connection(link: Link, receive: Any) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint, maxmsgsize=10)
    bad = link.far(zmq.PUSH, connect=endpoint, reconnect_ivl=-1)
    good = link.far(zmq.PUSH, connect=endpoint)
    bad.send_many([b"small", b"just right", b"too large by far", b"lost with it"])
    assert gathered(receive, pull, 2) == [b"small", b"just right"]
    good.send(b"good")
    assert receive(pull) == [b"good"]


# -- several parts ---------------------------------------------------------------------------------


@both
def test_a_message_of_several_parts_stays_where_it_is(link: Link, receive: Any) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    far.send(b"one")
    far.send_multipart([b"two", b"parts"])
    far.send(b"three")
    assert gathered(receive, near, 1) == [b"one"]
    assert near.poll()
    for _ in range(2):
        with pytest.raises(zmq.ZMQError, match="several parts") as failure:
            receive(near)
        assert failure.value.errno == zmq.EFSM
    assert near.recv() == b"two"
    with pytest.raises(zmq.ZMQError, match="rest of a message") as failure:
        receive(near)
    assert failure.value.errno == zmq.EFSM
    assert near.recv() == b"parts"
    assert gathered(receive, near, 1) == [b"three"]


@both
def test_a_batch_ended_by_several_parts_is_no_error_of_the_next(link: Link, receive: Any) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    far.send(b"one")
    far.send_multipart([b"two", b"parts"])
    assert gathered(receive, near, 1) == [b"one"]
    assert near.recv_multipart() == [b"two", b"parts"]
    far.send(b"three")
    assert gathered(receive, near, 1) == [b"three"]


def test_messages_of_several_parts_as_lists(link: Link) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    wanted = [[b"a"], [b"b", b"", b"c"], [bytes(50_000), b"d"], [b""]] * 5
    for message in wanted:
        far.send_multipart(message)
    got: list[list[bytes]] = []
    while len(got) < len(wanted):
        got += near.recv_many(len(wanted) - len(got), multipart=True)
    assert got == wanted


@pytest.mark.parametrize("seen", [False, True], ids=["unseen", "seen by a poller"])
def test_a_router_knows_who_sent_each(sockets: SocketFactory, seen: bool) -> None:
    router = sockets.open(zmq.ROUTER, bind="inproc://here")
    dealers = [
        sockets.open(zmq.DEALER, routing_id=name, connect="inproc://here") for name in (b"A", b"B")
    ]
    for dealer in dealers:
        dealer.send_many([b"1", b"2"])
    assert bool(seen and router.poll()) is seen
    with pytest.raises(zmq.ZMQError, match="several parts"):
        router.recv_many()
    got = router.recv_many(multipart=True)
    assert sorted(got) == [[b"A", b"1"], [b"A", b"2"], [b"B", b"1"], [b"B", b"2"]]
    dealers[0].send(b"3")
    assert router.recv() == b"A"
    with pytest.raises(zmq.ZMQError, match="rest of a message"):
        router.recv_many(multipart=True)
    assert router.recv() == b"3"


def test_a_subscriber_of_messages_with_several_parts(sockets: SocketFactory) -> None:
    pub = sockets.open(zmq.PUB, bind="inproc://here")
    sub = sockets.open(zmq.SUB, connect="inproc://here", subscribe=b"a")
    settle(pub, sub)
    for topic in (b"a1", b"b1", b"a2"):
        pub.send_multipart([topic, b"said"])
    assert sub.poll()
    with pytest.raises(zmq.ZMQError, match="several parts"):
        sub.recv_many()
    assert sub.recv_many(multipart=True) == [[b"a1", b"said"], [b"a2", b"said"]]


# -- waiting ---------------------------------------------------------------------------------------


@both
def test_it_waits_for_the_first_message_only(link: Link, receive: Any) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    receiving = Background(lambda: receive(near, 100))
    wait_until_blocked(receiving)
    far.send(b"x")
    assert receiving.result() == [b"x"]


@both
def test_how_long_it_waits(sockets: SocketFactory, receive: Any) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here", rcvtimeo=30)
    with pytest.raises(zmq.Again, match="within 30 ms"):
        receive(pull)
    with pytest.raises(zmq.Again, match="within 20 ms"):
        receive(pull, timeout=20)
    for arguments in ({"timeout": 0}, {"flags": zmq.DONTWAIT}, {"timeout": -1, "flags": 1}):
        with pytest.raises(zmq.Again, match="nothing to receive now"):
            receive(pull, **arguments)


@inproc_only
@both
@pytest.mark.parametrize("end", ["close", "term"])
def test_a_socket_that_ends_meanwhile(
    link: Link, sockets: SocketFactory, receive: Any, end: str
) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    receiving = Background(lambda: receive(near))
    wait_until_blocked(receiving)
    ending = Background(near.close if end == "close" else sockets.context.term)
    with pytest.raises(zmq.ZMQError) as failure:
        receiving.result()
    assert failure.value.errno == (zmq.ENOTSOCK if end == "close" else zmq.ETERM)
    near.close()
    far.close()
    ending.result()
    with pytest.raises(zmq.ZMQError):
        receive(near)


@both
def test_a_full_sender_goes_on_when_a_batch_was_received(link: Link, receive: Any) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH, near={"rcvhwm": 5}, far={"sndhwm": 5})
    messages = [b"%d" % number for number in range(500)]
    sending = far.begin("send_many", messages) if hasattr(far, "begin") else None
    background = None if sending else Background(lambda: far.send_many(messages))
    assert gathered(receive, near, 500) == messages
    assert (sending() if sending else background and background.result()) == 500


# -- the memory ------------------------------------------------------------------------------------


def test_what_was_packed_is_the_callers_own(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here")
    push = sockets.open(zmq.PUSH, connect="inproc://here")
    push.send_many([b"first", b"batch"])
    data, offsets = pull.recv_packed()
    rest = data[offsets[1] :]
    data[:5] = 0  # it may be written to
    push.send_many([b"another"] * 1000)
    assert unpacked(pull.recv_packed()) == [b"another"] * 1000
    pull.close()
    push.close()
    del data, offsets
    gc.collect()
    assert rest.tobytes() == b"batch"


def test_packing_makes_no_object_for_a_message(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here")
    push = sockets.open(zmq.PUSH, connect="inproc://here")
    table = np.zeros((1000, 8), np.uint8)

    def objects(receive: Any) -> int:
        assert push.send_many(table) == 1000
        gc.collect()
        before = len(gc.get_objects())  # what the collector knows: lists and arrays, not bytes
        blocks = sys.getallocatedblocks()
        batch = receive()
        made = sys.getallocatedblocks() - blocks
        assert batch is not None
        assert len(gc.get_objects()) - before < 20
        return made

    objects(pull.recv_packed)  # the first imports numpy
    assert objects(pull.recv_packed) < 50
    assert objects(pull.recv_many) >= 1000  # so the count above says something


# -- types that have none --------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    ("kind", "error"),
    [("REQ", "EFSM"), ("REP", "EFSM"), ("PUSH", "ENOTSUP"), ("PUB", "ENOTSUP")],
)
def test_types_that_receive_no_batches(
    sockets: SocketFactory, receive: Any, kind: str, error: str
) -> None:
    socket = sockets.open(getattr(zmq, kind), bind="inproc://x")
    with pytest.raises(zmq.ZMQError, match=kind) as failure:
        receive(socket)
    assert failure.value.errno == getattr(zmq, error)


@both
def test_flags_that_make_no_sense(sockets: SocketFactory, receive: Any) -> None:
    with pytest.raises(zmq.ZMQError, match="with DONTWAIT or without flags") as failure:
        receive(sockets.open(zmq.PULL), flags=zmq.SNDMORE)
    assert failure.value.errno == zmq.EINVAL
