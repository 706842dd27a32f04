"""Small exchanges that many tests begin or end with. They wait for messages, never for time."""

import itertools
from collections.abc import Iterable, Sequence

from support.library import Socket, zmq
from support.waiting import wait_for

_serial = itertools.count()
# How long one look at a socket lasts in a loop that sends again until something arrives.
_LOOK_MS = 10


def unique(word: str) -> bytes:
    """Return a message that no one else sends."""
    return f"{word} {next(_serial)}".encode()


def receive_until(socket: Socket, last: bytes) -> list[bytes]:
    """Receive single-part messages up to the message `last`; return those before it."""
    return list(iter(socket.recv, last))


def drain(socket: Socket) -> list[bytes]:
    """Receive the single-part messages that are there already."""
    received = []
    while socket.poll(0):
        received.append(socket.recv())
    return received


def settle(publishers: Socket | Sequence[Socket], subscribers: Socket | Sequence[Socket]) -> None:
    """Return once every change of subscriptions so far is in force at these publishers.

    Subscriptions travel in order, so each subscriber asks for one more topic, and the publisher
    repeats a message with it until it comes through. A last message clears away the repetitions;
    until it is received no publisher may reach its high water mark.
    """
    publishers = publishers if isinstance(publishers, (list, tuple)) else [publishers]
    subscribers = subscribers if isinstance(subscribers, (list, tuple)) else [subscribers]
    done = unique("settled")
    for subscriber in subscribers:
        subscriber.subscribe(done)
    for publisher, subscriber in itertools.product(publishers, subscribers):
        topic = unique("settle")
        subscriber.subscribe(topic)
        publisher.send(topic)
        while not _heard(subscriber, topic):
            publisher.send(topic)
        subscriber.unsubscribe(topic)
    for publisher in publishers:
        publisher.send(done)
    for subscriber in subscribers:
        for _ in publishers:
            receive_until(subscriber, done)
        subscriber.unsubscribe(done)


def _heard(subscriber: Socket, topic: bytes) -> bool:
    """Receive what there is, up to a message with this topic; say whether it came."""
    while subscriber.poll(_LOOK_MS):
        if subscriber.recv() == topic:
            return True
    return False


def meet(sender: Socket, receivers: Iterable[Socket]) -> None:
    """Return once a sender that hands out its messages in turn has reached each receiver.

    Afterwards nothing is under way, and each receiver has its turn.
    """
    hello = unique("meet")
    waiting = list(receivers)
    everyone = list(waiting)
    sent = 0
    while waiting:
        sender.send(hello)
        sent += 1
        waiting = [receiver for receiver in waiting if not receiver.poll(_LOOK_MS)]
    received = 0
    while received < sent:
        received += sum(len(drain(receiver)) for receiver in everyone)


def accepted(socket: Socket, most: int, payload: bytes = b"x") -> int:
    """Send until the socket takes no more, or `most` messages; return how many it took."""
    # libzmq takes note of what was received meanwhile only when it is asked for its state.
    socket.poll(0, zmq.POLLOUT)
    for count in range(most):
        try:
            socket.send(payload, zmq.NOBLOCK)
        except zmq.Again:
            return count
    return most


def bind_when_free(socket: Socket, endpoint: str) -> None:
    """Bind to a name that its last owner may be just giving up."""

    def bound() -> bool:
        try:
            socket.bind(endpoint)
        except zmq.ZMQError as error:
            if error.errno != zmq.EADDRINUSE:
                raise
            return False
        return True

    wait_for(bound, f"{endpoint} is free")
