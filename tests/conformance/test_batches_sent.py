"""send_many: what it takes, where each message goes, and what becomes of a batch cut short."""

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.exchange import meet, settle
from support.factory import SocketFactory
from support.library import LIBRARY_NAME, Socket, zmq
from support.links import Link, inproc_only, local_only
from support.waiting import Background, wait_until_blocked

pytestmark = pytest.mark.skipif(LIBRARY_NAME == "zmq", reason="pyzmq has no batches")

SIZES = (0, 1, 63, 64, 2047, 2048, 40_000)
TABLE = np.arange(5 * 12, dtype=np.uint8).reshape(5, 12)


def numbered(count: int, size: int = 8) -> list[bytes]:
    return [number.to_bytes(8, "little") * (size // 8) for number in range(count)]


def received(socket: Socket, count: int) -> list[bytes]:
    return [socket.recv() for _ in range(count)]


# -- what it takes ---------------------------------------------------------------------------------


def test_a_list_arrives_as_if_sent_one_by_one(link: Link) -> None:
    near, far = link.pair(zmq.PUSH, zmq.PULL)
    messages = [bytes([size % 251]) * size for size in SIZES] * 3
    assert near.send_many(messages) == len(messages)
    assert received(far, len(messages)) == messages
    assert near.send_many([]) == 0
    near.send(b"after")
    assert far.recv() == b"after"


@pytest.mark.parametrize(
    "messages",
    [
        (b"a", b"b"),
        iter([b"a", b"b"]),
        [bytearray(b"a"), memoryview(b"b")],
        {b"a": 1, b"b": 2},
        np.frombuffer(b"ab", np.uint8).reshape(2, 1),
        [np.frombuffer(b"a", np.uint8), zmq.Frame(b"b")],
    ],
    ids=["tuple", "iterator", "buffers", "keys", "rows", "array and frame"],
)
def test_whatever_holds_bytes_like_objects(sockets: SocketFactory, messages: Any) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here")
    push = sockets.open(zmq.PUSH, connect="inproc://here")
    assert push.send_many(messages) == 2
    assert received(pull, 2) == [b"a", b"b"]


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE[::2],
        TABLE[::-1],
        TABLE[:, 3:7],
        TABLE[:, :0],
        TABLE[:0],
        TABLE.view(np.uint32),
        np.full((3, 5000), 7, np.uint8),
    ],
    ids=["whole", "every other", "backwards", "columns", "empty", "none", "words", "large"],
)
def test_each_row_of_an_array_is_a_message(link: Link, table: Any) -> None:
    near, far = link.pair(zmq.PUSH, zmq.PULL)
    assert near.send_many(table) == len(table)
    near.send(b"end")
    assert received(far, len(table) + 1) == [*(row.tobytes() for row in table), b"end"]


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint64])
def test_one_buffer_with_offsets(link: Link, kind: Any) -> None:
    near, far = link.pair(zmq.PUSH, zmq.PULL)
    data = random.Random(1).randbytes(sum(SIZES) + 10)
    offsets = np.cumsum([5, *SIZES]).astype(kind)  # bytes before the first and behind the last
    assert near.send_many(data, offsets=offsets) == len(SIZES)
    wanted = [data[a:b] for a, b in pairwise(offsets)]
    assert received(far, len(SIZES)) == wanted


def test_what_was_received_packed_is_sent_as_it_is(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    messages = numbered(300, 24)
    assert far.send_many(messages) == 300
    passed_on = 0
    while passed_on < 300:
        data, offsets = near.recv_packed()
        passed_on += near.send_many(data, offsets=offsets)
    assert received(far, 300) == messages


@pytest.mark.parametrize(
    ("messages", "error", "words"),
    [
        (b"bytes", TypeError, "many messages, not one bytes"),
        ("text", TypeError, "many messages, not one str"),
        ([b"good", "text"], TypeError, "message 1 of 2 is text, not bytes: 'text'"),
        ([b"good", 7], TypeError, "message 1 of 2 has no buffer: 7"),
        (7, TypeError, "not iterable"),
        (np.zeros(4, np.uint8), ValueError, "1 dimensions"),
        (np.zeros((2, 2, 2), np.uint8), ValueError, "3 dimensions"),
        (TABLE[:, ::2], ValueError, "items 2 bytes apart"),
        (np.array([[b"a", None]], object), TypeError, "object holds Python objects"),
        ([b"good", np.zeros(4)[::2]], ValueError, "message 1 of 2: .*contiguous"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(
    sockets: SocketFactory, messages: Any, error: type[Exception], words: str
) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here")
    push = sockets.open(zmq.PUSH, connect="inproc://here")
    with pytest.raises(error, match=words):
        push.send_many(messages)
    assert not pull.poll(0)


@pytest.mark.parametrize(
    ("offsets", "words"),
    [
        (np.array([0, 9]), "offset 1 is 9: it must not be below 0, nor above 5"),
        (np.array([-1, 3]), "offset 0 is -1"),
        (np.array([0, 4, 2]), "offset 2 is 2: it must not be below 4"),
        (np.array([], np.int64), "one more than there are messages"),
        (np.array([0.0, 1.0]), "format 'd'"),
        (np.array([0, 1], np.int16), "format 'h'"),
        (np.array([0, 1], np.uint32), "format 'I'"),
        (np.array([0, 1, 2, 3])[::2], "contiguous"),
        (np.array([[0, 1]]), "2 dimensions"),
        ([0, 5], "array of integers .* not list"),
    ],
)
def test_offsets_that_do_not_fit_are_refused(
    sockets: SocketFactory, offsets: Any, words: str
) -> None:
    push = sockets.open(zmq.PUSH)
    with pytest.raises((TypeError, ValueError), match=words):
        push.send_many(b"12345", offsets=offsets)


def test_a_generator_that_raises_sends_nothing(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here")
    push = sockets.open(zmq.PUSH, connect="inproc://here")
    with pytest.raises(ZeroDivisionError):
        push.send_many(bytes(1 // left) for left in (1, 0))
    assert not pull.poll(0)


# -- where they go ---------------------------------------------------------------------------------


def test_the_peers_take_turns(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, bind=endpoint)
    pulls = [link.far(zmq.PULL, connect=endpoint) for _ in range(3)]
    meet(push, pulls)
    messages = numbered(300)
    assert push.send_many(messages) == 300
    shares = [received(pull, 100) for pull in pulls]
    assert sorted(shares) == sorted([messages[turn::3] for turn in range(3)])


def test_a_full_peer_is_left_out(sockets: SocketFactory) -> None:
    push = sockets.open(zmq.PUSH, sndhwm=2)
    small, large = (sockets.open(zmq.PULL, rcvhwm=mark) for mark in (3, 98))
    for pull, name in ((small, "inproc://small"), (large, "inproc://large")):
        pull.bind(name)
        push.connect(name)
    messages = numbered(120)
    assert push.send_many(messages, zmq.DONTWAIT) == 105
    got = [pull.recv_many(200) for pull in (small, large)]
    assert [len(share) for share in got] == [5, 100]
    assert sorted(got[0] + got[1]) == sorted(messages[:105])
    assert got[1] == sorted(got[1])


def test_the_first_message_ends_one_that_was_begun(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://here")
    push = sockets.open(zmq.PUSH, connect="inproc://here")
    push.send(b"begun", zmq.SNDMORE)
    assert push.send_many([b"ended", b"next"]) == 2
    assert [pull.recv_multipart(), pull.recv_multipart()] == [[b"begun", b"ended"], [b"next"]]


def test_a_dealer_and_a_pair_both_ways(link: Link) -> None:
    for kind in (zmq.DEALER, zmq.PAIR):
        near, far = link.pair(kind, kind)
        assert near.send_many(numbered(10)) == 10
        assert received(far, 10) == numbered(10)
        assert far.send_many(numbered(20)) == 20
        assert received(near, 20) == numbered(20)


def test_subscribers_get_what_they_want(link: Link) -> None:
    for kind in (zmq.PUB, zmq.XPUB):
        pub, sub = link.pair(kind, zmq.SUB, far={"subscribe": b"a"})
        settle(pub, sub)
        assert pub.send_many([b"a1", b"b1", b"a2", b"", b"a3"]) == 5
        assert received(sub, 3) == [b"a1", b"a2", b"a3"]


@inproc_only
@pytest.mark.parametrize("kind", [zmq.PUB, zmq.XPUB])
def test_each_subscriber_misses_what_it_has_no_room_for(link: Link, kind: int) -> None:
    endpoint = link.endpoint()
    pub = link.near(kind, bind=endpoint, sndhwm=3)
    marks = {b"a": 2, b"b": 7, b"": 50}
    subs = {
        topic: link.far(zmq.SUB, connect=endpoint, subscribe=topic, rcvhwm=mark)
        for topic, mark in marks.items()
    }
    settle(pub, list(subs.values()))
    batch = [b"%c%d" % (letter, number) for number in range(20) for letter in b"aab"]
    assert pub.send_many(batch) == 60
    for topic, sub in subs.items():
        wanted = [message for message in batch if message.startswith(topic)]
        assert sub.recv_many() == wanted[: marks[topic] + 3]
    assert pub.send_many([b"a again", b"b again"]) == 2
    assert subs[b"a"].recv_many() == [b"a again"]
    assert subs[b""].recv_many() == [b"a again", b"b again"]


@inproc_only
def test_a_publisher_that_drops_nothing_stops_at_a_full_subscriber(link: Link) -> None:
    pub, sub = link.pair(
        zmq.PUB,
        zmq.SUB,
        near={"xpub_nodrop": 1, "sndhwm": 5},
        far={"subscribe": b"", "rcvhwm": 5},
    )
    settle(pub, sub)
    messages = numbered(20)
    assert pub.send_many(messages, zmq.DONTWAIT) == 10
    assert sub.recv_many() == messages[:10]
    assert pub.send_many(messages[10:], zmq.DONTWAIT) == 10
    assert sub.recv_many() == messages[10:]


def test_xsub_subscribes_and_sends(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB)
    assert xsub.send_many([b"\x01a", b"\x01b", b"said", b"\x00a"]) == 4
    assert received(xpub, 4) == [b"\x01a", b"\x01b", b"said", b"\x00a"]


def test_messages_of_several_parts(link: Link) -> None:
    near, far = link.pair(zmq.ROUTER, zmq.DEALER, far={"routing_id": b"far"})
    far.send(b"hello")
    assert near.recv_multipart() == [b"far", b"hello"]
    batch = [[b"far", b"one"], (b"far", b"", bytearray(b"two")), [b"far", bytes(50_000), b"three"]]
    assert near.send_many(batch, multipart=True) == 3
    wanted = [[bytes(part) for part in message[1:]] for message in batch]
    assert [far.recv_multipart() for _ in range(3)] == wanted


@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        ([[b"a"], []], ValueError, "message 1 has no parts"),
        ([[b"a"], b"b"], TypeError, "message 1 is one bytes, not a sequence of parts"),
        ([[b"a", "text"]], TypeError, "message 1 of 2 is text"),
        ([[b"a", np.zeros(4)[::2]]], ValueError, "message 1 of 2: .*contiguous"),
    ],
)
def test_what_is_no_message_of_parts_is_refused(
    sockets: SocketFactory, batch: Any, error: type[Exception], words: str
) -> None:
    push = sockets.open(zmq.PUSH, bind="inproc://here")
    pull = sockets.open(zmq.PULL, connect="inproc://here")
    with pytest.raises(error, match=words):
        push.send_many(batch, multipart=True)
    with pytest.raises(ValueError, match="offsets are for messages of one part"):
        push.send_many([[b"a"]], multipart=True, offsets=np.array([0, 1]))
    assert not pull.poll(0)


# -- a batch that is cut short ---------------------------------------------------------------------


def full_after(link: Link, marks: int) -> tuple[Socket, Socket]:
    """Return a PUSH that has room for 2 * *marks* messages, and a PULL."""
    push, pull = link.pair(zmq.PUSH, zmq.PULL, near={"sndhwm": marks}, far={"rcvhwm": marks})
    assert push.poll(None, zmq.POLLOUT)
    return push, pull


@local_only
@pytest.mark.parametrize("multipart", [False, True])
def test_without_waiting_it_says_how_many_were_sent(link: Link, multipart: bool) -> None:
    push, pull = full_after(link, 300)
    messages = numbered(1000)
    batch = [[message] for message in messages] if multipart else messages
    assert push.send_many(batch, zmq.DONTWAIT, multipart=multipart) == 600
    with pytest.raises(zmq.Again):
        push.send_many(batch[600:], zmq.DONTWAIT, multipart=multipart)
    assert received(pull, 600) == messages[:600]
    assert push.send_many(batch[600:], zmq.DONTWAIT, multipart=multipart) == 400
    assert received(pull, 400) == messages[600:]


@local_only
def test_when_the_time_is_up_it_says_how_many_were_sent(link: Link) -> None:
    push, pull = full_after(link, 10)
    push.sndtimeo = 50
    assert push.send_many(numbered(30)) == 20
    with pytest.raises(zmq.Again, match="within 50 ms"):
        push.send_many(numbered(30))
    assert received(pull, 20) == numbered(20)
    assert not pull.poll(0)


def test_it_waits_for_room_until_all_are_sent(link: Link) -> None:
    push, pull = full_after(link, 10)
    messages = numbered(2000, 64)
    sending = Background(lambda: push.send_many(messages))
    assert received(pull, 2000) == messages
    assert sending.result() == 2000


@pytest.mark.parametrize("size", [64, 3000, 40_000])
def test_a_batch_larger_than_any_ring(link: Link, size: int) -> None:
    """The ring grows, or the reader makes room meanwhile: nothing is lost or out of order."""
    push, pull = link.pair(zmq.PUSH, zmq.PULL, near={"sndhwm": 0}, far={"rcvhwm": 0})
    messages = numbered(1 << 20 >> (size.bit_length() - 4), size)
    table = np.frombuffer(b"".join(messages), np.uint8).reshape(len(messages), -1)
    sending = Background(lambda: push.send_many(table))
    assert received(pull, len(messages)) == messages
    assert sending.result() == len(messages)


@inproc_only
def test_a_router_that_must_deliver_stops_at_whom_nobody_knows(link: Link) -> None:
    router, dealer = link.pair(
        zmq.ROUTER, zmq.DEALER, near={"router_mandatory": 1}, far={"routing_id": b"known"}
    )
    batch = [[b"known", b"1"], [b"known", b"2"], [b"stranger", b"3"], [b"known", b"4"]]
    assert router.send_many(batch, multipart=True) == 2
    with pytest.raises(zmq.ZMQError) as failure:
        router.send_many(batch[2:], multipart=True)
    assert failure.value.errno == zmq.EHOSTUNREACH
    assert router.send_many(batch[3:], multipart=True) == 1
    assert received(dealer, 3) == [b"1", b"2", b"4"]


@inproc_only
@pytest.mark.parametrize("end", ["close", "term"])
def test_a_socket_that_ends_meanwhile(link: Link, end: str, sockets: SocketFactory) -> None:
    push, pull = full_after(link, 10)
    sending = Background(lambda: push.send_many(numbered(30)))
    wait_until_blocked(sending)
    if end == "close":
        push.close()
        ending = None
    else:
        ending = Background(sockets.context.term)
    assert sending.result() == 20
    with pytest.raises(zmq.ZMQError) as failure:
        push.send_many(numbered(30))
    assert failure.value.errno == (zmq.ENOTSOCK if end == "close" else zmq.ETERM)
    if ending is not None:
        push.close()
        pull.close()
        ending.result()


# -- types that have none --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("REQ", "EFSM"),
        ("REP", "EFSM"),
        ("ROUTER", "EFSM"),
        ("STREAM", "EFSM"),
        ("PULL", "ENOTSUP"),
        ("SUB", "ENOTSUP"),
    ],
)
def test_types_that_send_no_batches(sockets: SocketFactory, kind: str, error: str) -> None:
    socket = sockets.open(getattr(zmq, kind), bind="inproc://x" if kind != "STREAM" else ())
    with pytest.raises(zmq.ZMQError, match=kind) as failure:
        socket.send_many([b"a", b"b"])
    assert failure.value.errno == getattr(zmq, error)


def test_flags_that_make_no_sense(sockets: SocketFactory) -> None:
    with pytest.raises(zmq.ZMQError, match="takes DONTWAIT") as failure:
        sockets.open(zmq.PUSH).send_many([b"a"], zmq.SNDMORE)
    assert failure.value.errno == zmq.EINVAL
