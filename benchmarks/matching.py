"""How fast a publisher finds out who wants a message, against how many subscriptions it has."""

from collections.abc import Iterable
from functools import partial
from time import perf_counter
from typing import Any

from benchmarks.children import Task, run_together
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.turn_about import Figures, Question, Taker

METRIC = "messages/s"
SUBSCRIPTIONS = (1, 1_000, 100_000)
ENDPOINT = "inproc://matching"
CALLS = 2_000  # between two looks at the clock
LAST = b"the last subscription"


def prefix(number: int) -> bytes:
    """Return one of many prefixes that resemble each other, as topics do."""
    return b"sensors.%02d.%07d" % (number % 97, number)


def rate(peer: ZeromqPeer, subscriptions: int, seconds: float) -> float:
    """Return how many messages a PUB sends that resemble what is wanted, and that nobody wants."""
    library: Any = peer.library()
    context = library.Context()
    pub, sub = context.socket(library.PUB), context.socket(library.SUB)
    for socket in (pub, sub):  # libzmq counts subscriptions, too, and drops what is too much
        socket.sndhwm = socket.rcvhwm = 0
    pub.bind(ENDPOINT)
    sub.connect(ENDPOINT)
    for number in range(subscriptions - 1):
        sub.subscribe(prefix(number))
    sub.subscribe(LAST)
    while not sub.poll(1):  # subscriptions arrive in order
        pub.send(LAST)
    topics = [prefix(number * 7919 % max(subscriptions, 2))[:-1] + b"?" for number in range(100)]
    send, sent, started = pub.send, 0, perf_counter()
    while (elapsed := perf_counter() - started) < seconds:
        for _ in range(CALLS // len(topics)):
            for topic in topics:
                send(topic)
        sent += CALLS
    while sub.poll(0):
        if sub.recv() != LAST:
            raise ValueError("a topic that nobody wants was received")
    pub.close(0)
    sub.close(0)
    context.term()
    return sent / elapsed


def in_process(peer: ZeromqPeer, subscriptions: int, settings: Settings) -> Taker:
    """Return a taker that measures in a fresh process."""

    def take() -> Figures:
        task = Task("publisher", partial(rate, peer, subscriptions, settings.seconds))
        [result] = run_together([task], settings.time_limit_s)
        return {METRIC: result}

    return take


def questions(counts: Iterable[int], settings: Settings) -> list[Question]:
    """Return one question for each number of subscriptions."""
    peers = settings.roster.zeromq()
    reference = settings.reference_among([peer.name for peer in peers])
    return [
        Question(
            "matching",
            {"subscriptions": count},
            {peer.name: in_process(peer, count, settings) for peer in peers},
            METRIC,
            True,
            reference,
        )
        for count in counts
    ]
