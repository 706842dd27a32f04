"""CONFLATE: "a socket shall keep only one message in its inbound/outbound queue, this message being
the last message received/the last message to be sent. Ignores 'ZMQ_RCVHWM' and 'ZMQ_SNDHWM'
options. Does not support multi-part messages, in particular, only one part of it is kept".

With libzmq a message may be on its way between two queues of one; so what is read may be several
messages, and they are far fewer than were sent.
"""

from typing import Any

import pytest
from support.library import Socket, ours_better, zmq
from support.links import Link, local_only
from support.waiting import wait_for

COUNT = 5_000
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
