"""Batches to and from libzmq: single messages there, and batches here of what comes singly."""

from itertools import pairwise

import numpy as np
from interop.conftest import Meeting
from support.exchange import settle

import shmzmq as zmq

MESSAGES = [bytes([number % 256]) * (number * 7 % 3000) for number in range(500)]


def test_a_batch_arrives_as_single_messages(meeting: Meeting) -> None:
    near, far = meeting.pair(zmq.PUSH, zmq.PULL)
    assert near.send_many(MESSAGES) == 500
    table = np.arange(640, dtype=np.uint8).reshape(10, 64)
    assert near.send_many(table) == 10
    assert [far.recv() for _ in MESSAGES] == MESSAGES
    assert [far.recv() for _ in table] == [row.tobytes() for row in table]


def test_single_messages_are_received_in_batches(meeting: Meeting) -> None:
    near, far = meeting.pair(zmq.PULL, zmq.PUSH)
    for message in MESSAGES:
        far.send(message)
    got: list[bytes] = []
    while len(got) < 200:
        got += near.recv_many(200 - len(got))
    while len(got) < 500:
        data, offsets = near.recv_packed()
        ends = offsets.tolist()
        got += [data[a:b].tobytes() for a, b in pairwise(ends)]
    assert got == MESSAGES


def test_batches_to_a_subscriber_and_from_a_dealer(meeting: Meeting) -> None:
    pub, sub = meeting.pair(zmq.PUB, zmq.SUB)
    sub.subscribe(b"a")
    settle(pub, sub)
    pub.send_many([b"a1", b"b1", b"a2"])
    assert [sub.recv(), sub.recv()] == [b"a1", b"a2"]
    router, dealer = meeting.pair(zmq.ROUTER, zmq.DEALER, {}, {"routing_id": b"far"})
    for word in (b"1", b"2", b"3"):
        dealer.send_multipart([b"", word])
    got: list[list[bytes]] = []
    while len(got) < 3:
        got += router.recv_many(multipart=True)
    assert got == [[b"far", b"", word] for word in (b"1", b"2", b"3")]
    assert router.send_many([[*message[:1], b"back"] for message in got], multipart=True) == 3
    assert [dealer.recv() for _ in got] == [b"back"] * 3
