"""REQ and REP, processes killed: the other side goes on with whoever is there or comes back."""

from random import Random
from typing import Any

from crash.cast import Cast
from crash.payload import message, whose
from support.factory import SocketFactory
from support.library import zmq
from support.waiting import Background

STEADY = 1
VICTIM = 100


def test_requesters_die(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    rep = sockets.open(zmq.REP, bind=endpoint)
    part: dict[str, Any] = {"type": "REQ", "how": "connect", "endpoint": endpoint}

    def serve(count: int) -> None:
        for _ in range(count):
            request = rep.recv_multipart()
            whose(request)
            rep.send_multipart(request)

    steady = cast.start("ask", sender=STEADY, **part)
    for sender in range(VICTIM, VICTIM + 3):
        victim = cast.start("ask", sender=sender, wait=False, **part)
        serve(random.randrange(1, 500))
        victim.kill()
        progress = steady.record.following
        while steady.record.following < progress + 50:
            serve(1)


def test_a_requester_survives_a_replier_at_a_random_moment(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    part: dict[str, Any] = {"type": "REP", "how": "bind", "endpoint": endpoint}
    for _ in range(2):
        victim = cast.start("answer", **part)
        # A request that the dead had taken is never answered; its requester asks anew, with a new
        # socket.
        req = sockets.open(zmq.REQ, connect=endpoint, reconnect_ivl=5)
        for number in range(random.randrange(1, 500)):
            req.send_multipart(message(STEADY, number))
            assert whose(req.recv_multipart()) == (STEADY, number)
        req.send_multipart(message(STEADY, 0))
        victim.kill()
        req.close()


def test_a_request_that_nobody_had_taken_is_answered_by_the_next_replier(
    cast: Cast, sockets: SocketFactory
) -> None:
    endpoint = cast.endpoint()
    part: dict[str, Any] = {"type": "REP", "how": "bind", "endpoint": endpoint}
    req = sockets.open(zmq.REQ, connect=endpoint, reconnect_ivl=5)
    for number in range(3):
        victim = cast.start("answer", **part)
        req.send_multipart(message(STEADY, number))
        assert whose(req.recv_multipart()) == (STEADY, number)
        victim.suspend()
        req.send_multipart(message(STEADY, VICTIM))
        waiting = Background(req.recv_multipart)
        victim.kill()
        heir = cast.start("answer", **part)
        assert waiting.result() == message(STEADY, VICTIM)
        heir.kill()


def test_the_other_replier_goes_on(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    first, second = cast.endpoint(), cast.endpoint()
    victim = cast.start("answer", type="REP", how="bind", endpoint=first)
    steady = cast.start("answer", type="REP", how="bind", endpoint=second)
    req = sockets.open(zmq.REQ, connect=[first, second], reconnect_ivl=5)
    for number in range(random.randrange(2, 300)):
        req.send_multipart(message(STEADY, number))
        assert whose(req.recv_multipart()) == (STEADY, number)
    victim.kill()
    # One goes to where nobody is and waits there; the new socket of whoever gave it up finds the
    # other.
    req.close()
    req = sockets.open(zmq.REQ, connect=second)
    req.send_multipart(message(STEADY, 0))
    assert whose(req.recv_multipart()) == (STEADY, 0)
    steady.stop()


def test_both_die(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    for sender in range(VICTIM, VICTIM + 2):
        replier = cast.start("answer", wait=False, type="REP", how="bind", endpoint=endpoint)
        requester = cast.start(
            "ask", wait=False, type="REQ", how="connect", endpoint=endpoint, sender=sender
        )
        requester.await_progress(random.randrange(1, 1000))
        for actor in random.sample((requester, replier), 2):
            actor.kill()
    rep = sockets.open(zmq.REP, bind=endpoint)
    cast.start("ask", type="REQ", how="connect", endpoint=endpoint, sender=STEADY)
    assert whose(rep.recv_multipart()) == (STEADY, 0)
    rep.send_multipart(message(STEADY, 0))
    assert whose(rep.recv_multipart()) == (STEADY, 1)
