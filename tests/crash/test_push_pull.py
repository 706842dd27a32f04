"""PUSH and PULL, processes killed under traffic: who is left goes on, nothing is lost or torn."""

from random import Random
from typing import Any

from crash.cast import Actor, Cast
from crash.payload import Ledger, whose
from crash.traffic import Stream, receive_up_to
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.waiting import Background, wait_until_blocked

STEADY = 1
VICTIM = 100


def _sender(cast: Cast, endpoint: str, sender: int, how: str = "connect") -> Actor:
    return cast.start("send", type="PUSH", how=how, endpoint=endpoint, sender=sender)


def _receiver(cast: Cast, endpoint: str) -> Actor:
    return cast.start("receive", type="PULL", how="bind", endpoint=endpoint)


def _receive_and_kill(pull: Socket, ledger: Ledger, sender: int, victim: Actor, count: int) -> None:
    """Kill a sender after *count* of its messages; whatever it had sent is still there."""
    receive_up_to(pull, ledger, sender, count)
    victim.kill()
    receive_up_to(pull, ledger, sender, victim.record.following)


def test_senders_die(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    pull = sockets.open(zmq.PULL, bind=endpoint)
    ledger = Ledger()
    _sender(cast, endpoint, STEADY)
    for sender in range(VICTIM, VICTIM + 3):
        victim = _sender(cast, endpoint, sender)
        _receive_and_kill(pull, ledger, sender, victim, random.randrange(1, 1500))
        # The one that lives is still heard.
        receive_up_to(pull, ledger, STEADY, ledger.following.get(STEADY, 0) + 100)


def test_binding_senders_die(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint, other = cast.endpoint(), cast.endpoint()
    pull = sockets.open(zmq.PULL, connect=[endpoint, other], reconnect_ivl=5)
    ledger = Ledger()
    _sender(cast, other, STEADY, "bind")
    for sender in range(VICTIM, VICTIM + 3):
        victim = _sender(cast, endpoint, sender, "bind")
        _receive_and_kill(pull, ledger, sender, victim, random.randrange(1, 1500))


def test_what_a_dead_receiver_had_not_read_goes_to_the_next(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=5)
    stream = Stream(push, STEADY)
    following = 0
    for _ in range(3):
        stream.fill(1500)
        victim = _receiver(cast, endpoint)
        stream.send_until(victim.record, following + random.randrange(1, 1000))
        victim.kill()
        # It may have died between receiving a message and making a note of it.
        assert victim.record.first - following in (0, 1)
        following = victim.record.following
    heir = _receiver(cast, endpoint)
    stream.await_arrival(heir.record)
    assert heir.record.first - following in (0, 1)


def test_the_other_receivers_go_on(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, bind=endpoint)
    stream = Stream(push, STEADY)
    part: dict[str, Any] = {"type": "PULL", "how": "connect", "endpoint": endpoint}
    steady = cast.start("tally", **part)
    for _ in range(3):
        victim = cast.start("tally", **part)
        stream.send_until(victim.record, random.randrange(1, 1000))
        victim.kill()
        stream.send_until(steady.record, steady.record.following + 3000)


def test_a_sender_that_waits_for_room_goes_on_with_the_next_receiver(
    cast: Cast, sockets: SocketFactory
) -> None:
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=5, sndhwm=100)
    stream = Stream(push, STEADY)
    victim = _receiver(cast, endpoint)
    stream.send_until(victim.record, 1)
    victim.suspend()
    stream.fill()
    waiting = Background(stream.send)
    wait_until_blocked(waiting)
    victim.kill()
    heir = _receiver(cast, endpoint)
    waiting.result()
    stream.await_arrival(heir.record)
    assert heir.record.first - victim.record.following in (0, 1)


def test_both_die(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    for generation in range(3):
        part = {"wait": False, "endpoint": endpoint}
        receiver = cast.start("receive", type="PULL", how="bind", **part)
        sender = cast.start("send", type="PUSH", how="connect", sender=generation, **part)
        receiver.await_progress(random.randrange(1, 1500))
        for actor in random.sample((receiver, sender), 2):
            actor.kill()
    pull = sockets.open(zmq.PULL, bind=endpoint)
    _sender(cast, endpoint, STEADY)
    receive_up_to(pull, Ledger(), STEADY, 100)


def test_senders_die_while_they_come_and_go(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    pull = sockets.open(zmq.PULL, bind=endpoint)
    received: set[tuple[int, int]] = set()

    def receive() -> None:
        # Of connections that follow each other the messages may mix; none comes twice.
        identity = whose(pull.recv_multipart())
        assert identity not in received
        received.add(identity)

    for sender in range(VICTIM, VICTIM + 4):
        victim = cast.start("churn", wait=False, type="PUSH", endpoint=endpoint, sender=sender)
        for _ in range(random.randrange(1, 300)):
            receive()
        victim.kill()
        while pull.poll(0):
            receive()
    steady = _sender(cast, endpoint, STEADY)
    while (STEADY, 100) not in received:
        receive()
    steady.stop()


def test_receivers_die_while_they_come_and_go(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=1, sndhwm=100)
    stream = Stream(push, STEADY)
    following = 0
    for _ in range(3):
        victim = cast.start("churn_binding", wait=False, type="PULL", endpoint=endpoint)
        stream.send_until(victim.record, following + random.randrange(1, 200))
        victim.kill()
        assert victim.record.first - following in (0, 1)
        following = victim.record.following
    heir = _receiver(cast, endpoint)
    stream.await_arrival(heir.record)
    assert heir.record.first - following in (0, 1)
