"""HANDSHAKE_IVL: "Handshaking is the exchange of socket configuration information (socket type,
identity, security) that occurs when a connection is first opened [...] If handshaking does not
complete within the configured time, the connection shall be closed. The value 0 means no handshake
time limit."
"""

import time

import pytest
from support.factory import SocketFactory
from support.library import zmq
from support.links import free_port
from support.raw_peer import GREETING, SIGNATURE, RawPeer, frame, listen_at

BEGINNINGS = pytest.mark.parametrize(
    "said", [b"", SIGNATURE[:4], SIGNATURE, GREETING], ids=["nothing", "half", "signature", "all"]
)


@BEGINNINGS
def test_who_is_accepted_and_goes_no_further(
    sockets: SocketFactory, endpoint: str, said: bytes
) -> None:
    sockets.open(zmq.PULL, handshake_ivl=50, bind=endpoint)
    began = time.monotonic()
    with RawPeer(endpoint) as peer:
        peer.say(said)
        assert peer.is_hung_up()
    assert time.monotonic() - began >= 0.05


@BEGINNINGS
def test_who_accepts_and_goes_no_further(
    sockets: SocketFactory, endpoint: str, said: bytes
) -> None:
    with listen_at(endpoint) as listener:
        began = time.monotonic()  # the timer may run when `open` returns
        sockets.open(zmq.PUSH, handshake_ivl=50, connect=endpoint)
        with RawPeer(listener.accept()[0]) as peer:
            peer.say(said)
            assert peer.is_hung_up()
    assert time.monotonic() - began >= 0.05


def test_zero_is_no_limit(sockets: SocketFactory, endpoint: str) -> None:
    patient = sockets.open(zmq.PULL, handshake_ivl=0, bind=endpoint)
    hasty = f"tcp://127.0.0.1:{free_port()}"
    sockets.open(zmq.PULL, handshake_ivl=30, bind=hasty)
    with RawPeer(endpoint) as slow:
        for _ in range(5):
            with RawPeer(hasty) as peer:
                assert peer.is_hung_up()
        slow.shake_hands(b"PUSH")
        slow.say(frame(b"at last"))
        assert patient.recv() == b"at last"


def test_a_handshake_that_is_done_is_not_ended(sockets: SocketFactory, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL, handshake_ivl=50, bind=endpoint)
    with RawPeer(endpoint) as quick:
        quick.shake_hands(b"PUSH")
        for _ in range(3):
            with RawPeer(endpoint) as slow:
                assert slow.is_hung_up()
        quick.say(frame(b"still here"))
        assert pull.recv() == b"still here"


def test_it_counts_for_what_is_bound_after_it_was_set(
    sockets: SocketFactory, endpoint: str
) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint)
    pull.setsockopt(zmq.HANDSHAKE_IVL, 30)
    other = f"tcp://127.0.0.1:{free_port()}"
    pull.bind(other)
    with RawPeer(endpoint) as slow, RawPeer(other) as hurried:
        assert hurried.is_hung_up()
        slow.shake_hands(b"PUSH")
        slow.say(frame(b"as before"))
        assert pull.recv() == b"as before"
