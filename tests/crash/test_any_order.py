"""Peers that start in any order, come back at the same address, or never come."""

import socket as unix
from random import Random

import pytest
from crash.cast import Cast
from crash.payload import Ledger, message, whose
from crash.traffic import Stream, receive_up_to
from support.factory import SocketFactory
from support.library import zmq

STEADY = 1
OTHER_WAY = {"bind": "connect", "connect": "bind"}


@pytest.mark.parametrize("how", OTHER_WAY)
def test_the_receiver_is_first(cast: Cast, sockets: SocketFactory, how: str) -> None:
    endpoint = cast.endpoint()
    receiver = cast.start("receive", type="PULL", how=how, endpoint=endpoint)
    stream = Stream(sockets.open(zmq.PUSH, **{OTHER_WAY[how]: endpoint}), STEADY)
    stream.send_until(receiver.record, 100)
    stream.await_arrival(receiver.record)
    assert receiver.record.first == 0


@pytest.mark.parametrize("how", OTHER_WAY)
def test_the_sender_is_first(cast: Cast, sockets: SocketFactory, how: str) -> None:
    endpoint = cast.endpoint()
    cast.start("send", type="PUSH", how=how, endpoint=endpoint, sender=STEADY)
    pull = sockets.open(zmq.PULL, **{OTHER_WAY[how]: endpoint})
    ledger = Ledger()
    assert ledger.note(pull.recv_multipart()) == STEADY
    assert ledger.following == {STEADY: 1}
    receive_up_to(pull, ledger, STEADY, 100)


@pytest.mark.parametrize("how", OTHER_WAY)
def test_the_requester_is_first(cast: Cast, sockets: SocketFactory, how: str) -> None:
    endpoint = cast.endpoint()
    requester = cast.start("ask", type="REQ", how=how, endpoint=endpoint, sender=STEADY)
    rep = sockets.open(zmq.REP, **{OTHER_WAY[how]: endpoint})
    for number in range(50):
        request = rep.recv_multipart()
        assert whose(request) == (STEADY, number)
        rep.send_multipart(request)
    requester.await_progress(50)


@pytest.mark.parametrize("how", OTHER_WAY)
def test_the_subscriber_is_first(cast: Cast, sockets: SocketFactory, how: str) -> None:
    endpoint = cast.endpoint()
    options = {"subscribe": ""}
    receiver = cast.start("receive", type="SUB", how=how, endpoint=endpoint, options=options)
    xpub = sockets.open(zmq.XPUB, **{OTHER_WAY[how]: endpoint})
    assert xpub.recv() == b"\x01"
    for number in range(100):
        xpub.send_multipart(message(STEADY, number))
    receiver.await_progress(100)
    assert receiver.record.first == 0


def test_senders_and_receivers_in_any_order(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint, nobody = cast.endpoint(), cast.endpoint()
    senders = range(3)
    steps = [
        lambda sender=sender: cast.start(
            "send", wait=False, type="PUSH", how="connect", endpoint=endpoint, sender=sender
        )
        for sender in senders
    ]
    pulls = []

    def bind() -> None:
        pulls.append(sockets.open(zmq.PULL, connect=nobody, bind=endpoint))

    for step in random.sample([*steps, bind], 4):
        step()
    ledger = Ledger()
    for sender in senders:
        receive_up_to(pulls[0], ledger, sender, 100)


def test_the_binder_comes_back_again_and_again(cast: Cast, sockets: SocketFactory) -> None:
    endpoint, nobody = cast.endpoint(), cast.endpoint()
    pull = sockets.open(zmq.PULL, connect=[nobody, endpoint], reconnect_ivl=5)
    ledger = Ledger()
    for sender in range(4):
        actor = cast.start("send", type="PUSH", how="bind", endpoint=endpoint, sender=sender)
        receive_up_to(pull, ledger, sender, 50)
        # Half of them end by the book, and half are killed; what they had sent is there all the
        # same.
        actor.stop() if sender % 2 else actor.kill()
        receive_up_to(pull, ledger, sender, actor.record.following)


def test_strangers_who_knock_and_leave_disturb_nobody(cast: Cast, sockets: SocketFactory) -> None:
    endpoint = cast.endpoint()
    path = endpoint.removeprefix("ipc://")
    pull = sockets.open(zmq.PULL, bind=endpoint)
    cast.start("send", type="PUSH", how="connect", endpoint=endpoint, sender=STEADY)
    ledger = Ledger()
    silent = []
    for number in range(100):
        stranger = unix.socket(unix.AF_UNIX)
        stranger.connect(path)
        if number % 3 == 0:
            silent.append(stranger)
            continue
        if number % 3 == 1:
            stranger.send(b"GET / HTTP/1.1\r\n\r\n")
        stranger.close()
        receive_up_to(pull, ledger, STEADY, 50 * number)
    late = cast.start("send", type="PUSH", how="connect", endpoint=endpoint, sender=STEADY + 1)
    receive_up_to(pull, ledger, STEADY + 1, 50)
    late.stop()
    for stranger in silent:
        stranger.close()
