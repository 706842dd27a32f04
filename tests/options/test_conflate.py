"""CONFLATE: "a socket shall keep only one message in its inbound/outbound queue, this message being
the last message received/the last message to be sent. Ignores 'ZMQ_RCVHWM' and 'ZMQ_SNDHWM'
options. Does not support multi-part messages, in particular, only one part of it is kept".

With libzmq a message may be on its way between two queues of one; so what is read may be several
messages, and they are far fewer than were sent.
"""

from typing import Any

import psutil
import pytest
from support.exchange import bind_when_free
from support.library import Socket, ours_better, zmq
from support.links import Link, local_ipc_only, local_only, ours_only
from support.waiting import wait_for

COUNT = 5_000
MANY = 50_000
MOST_GROWTH = 16 << 20  # a third of what is sent
CONFLATING = {"conflate": 1, "sndhwm": 2, "rcvhwm": 2}
TYPES = [(zmq.PULL, zmq.PUSH), (zmq.DEALER, zmq.DEALER), (zmq.SUB, zmq.PUB)]
ids = ["PUSH-PULL", "DEALER-DEALER", "PUB-SUB"]


def connected(link: Link, types: tuple[int, int], near: Any, far: Any) -> tuple[Socket, Socket]:
    """Return a receiver and a sender that are known to be connected."""
    near_type, far_type = types
    if near_type == zmq.SUB:
        near = near | {"subscribe": b""}
    receiver, sender = link.pair(near_type, far_type, near, far)

    def arrives() -> bool:
        sender.send(b"are you there")
        return bool(receiver.poll(10))

    wait_for(arrives, "the first message")
    sender.send(b"yes")
    while receiver.recv() != b"yes":
        pass
    return receiver, sender


def send_many(sender: Socket) -> None:
    """Send far more than the high water marks let in, without waiting."""
    for number in range(COUNT):
        sender.send(b"%d" % number, zmq.DONTWAIT)


def received(receiver: Socket) -> list[int]:
    """Return the numbers that are received up to the last."""
    numbers = [int(receiver.recv())]
    while numbers[-1] != COUNT - 1:
        numbers.append(int(receiver.recv()))
    return numbers


@pytest.mark.parametrize("types", TYPES, ids=ids)
def test_only_the_last_message_is_kept_and_no_mark_counts(
    link: Link, types: tuple[int, int]
) -> None:
    receiver, sender = connected(link, types, CONFLATING, CONFLATING)
    send_many(sender)
    numbers = received(receiver)
    assert numbers == sorted(numbers)
    assert len(numbers) < COUNT / 2
    assert not receiver.poll(0)


@ours_better("libzmq has queues on both sides of the connection, and inproc goes by one side alone")
@local_only
@pytest.mark.parametrize(
    ("near", "far"), [(CONFLATING, {}), ({}, CONFLATING)], ids=["receiver", "sender"]
)
@pytest.mark.parametrize("types", TYPES, ids=ids)
def test_one_side_is_enough_and_what_is_received_is_the_last(
    link: Link, types: tuple[int, int], near: dict[str, Any], far: dict[str, Any]
) -> None:
    receiver, sender = connected(link, types, near, far)
    send_many(sender)
    assert received(receiver) == [COUNT - 1]


def memory_in_use() -> int:
    """Return the bytes of memory that this process and those that it has started have in use."""
    process = psutil.Process()
    everyone = [process, *process.children(recursive=True)]
    return sum(each.memory_info().rss for each in everyone)


@pytest.mark.parametrize("types", TYPES, ids=ids)
@pytest.mark.parametrize("which", ["both", "sender", "receiver"])
def test_memory_is_bounded_while_nobody_reads(
    link: Link, types: tuple[int, int], which: str
) -> None:
    if which != "both" and (link.has_libzmq or link.kind == "tcp"):
        pytest.skip("over a network each side keeps what it keeps; libzmq does so everywhere")
    near = CONFLATING if which != "sender" else {}
    far = CONFLATING if which != "receiver" else {}
    receiver, sender = connected(link, types, near, far)
    before = memory_in_use()
    message = b"earlier" + bytes(1024)
    for _ in range(MANY):
        sender.send(message)
    sender.send(b"last")
    grown = memory_in_use() - before
    while receiver.recv() != b"last":
        pass
    assert grown < MOST_GROWTH
    assert not receiver.poll(0)


@local_only
@pytest.mark.parametrize("sizes", [(10, 100_000, 10), (1_000_000, 0, 3_000_000), (5, 5, 5)])
def test_values_of_any_size_take_each_others_place(link: Link, sizes: tuple[int, ...]) -> None:
    receiver, sender = connected(link, (zmq.PULL, zmq.PUSH), CONFLATING, CONFLATING)
    for take_between in (False, True):
        for number, size in enumerate(sizes):
            value = bytes([number]) + bytes(size)
            sender.send(value)
            while take_between and receiver.recv() != value:
                assert link.takes_time
        sender.send(b"last")
        while receiver.recv() != b"last":
            assert link.takes_time


@ours_better("libzmq keeps one subscription of those that were not read")
@ours_only
def test_every_subscription_counts(link: Link) -> None:
    endpoint = link.endpoint()
    topics = [b"%d." % number for number in range(20)]
    subscriber = link.near(zmq.SUB, connect=endpoint, subscribe=topics, conflate=1)
    publisher = link.far(zmq.PUB, conflate=1)
    bind_when_free(publisher, endpoint)
    for topic in topics:

        def arrives(topic: bytes = topic) -> bool:
            publisher.send(topic)
            return bool(subscriber.poll(10)) and bool(subscriber.recv() == topic)

        wait_for(arrives, "a message of each topic")


@ours_better("libzmq drops what a peer had not read when it went")
@local_ipc_only
def test_the_last_message_is_for_the_next_receiver(link: Link) -> None:
    endpoint = link.endpoint()
    sender = link.far(zmq.PUSH, connect=endpoint, conflate=1)
    for number in range(3):
        receiver = link.near(zmq.PULL, conflate=1)
        bind_when_free(receiver, endpoint)
        sender.send(b"hello")
        assert receiver.recv() == b"hello"
        for _ in range(100):
            sender.send(b"earlier")
        sender.send(b"%d" % number)
        receiver.close()
        with link.near(zmq.PULL, conflate=1) as heir:
            bind_when_free(heir, endpoint)
            assert heir.recv() == b"%d" % number
            assert not heir.poll(0)


def test_of_several_parts_one_is_kept(link: Link) -> None:
    receiver, sender = connected(link, (zmq.PULL, zmq.PUSH), CONFLATING, CONFLATING)
    sender.send_multipart([b"first", b"second", b"last"])
    while (part := receiver.recv()) != b"last":
        assert part in (b"first", b"second")


def test_other_types_take_no_notice(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {"conflate": 1}, {"routing_id": b"peer"})
    for number in range(10):
        dealer.send(b"%d" % number)
    assert [router.recv_multipart() for _ in range(10)] == [
        [b"peer", b"%d" % number] for number in range(10)
    ]


def test_it_counts_for_connections_made_after_it_was_set(link: Link) -> None:
    receiver, sender = connected(link, (zmq.PULL, zmq.PUSH), {}, {})
    receiver.setsockopt(zmq.CONFLATE, 1)
    sender.setsockopt(zmq.CONFLATE, 1)
    for number in range(10):
        sender.send(b"%d" % number)
    assert [receiver.recv() for _ in range(10)] == [b"%d" % number for number in range(10)]
