"""Peers that break the rules: their connection ends, and a healthy one goes on."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from interop.conftest import ENDPOINTS, known_endpoints
from support.factory import SocketFactory
from support.library import Socket
from support.raw_peer import GREETING, SIGNATURE, RawPeer, frame, listen_at, ready

import shmzmq as zmq

HANDSHAKE_MS = 150
DROP_S = 0.015
LARGEST = 1000

PUSH = GREETING + ready(b"PUSH")


@pytest.fixture(params=known_endpoints())
def puller(request: pytest.FixtureRequest, sockets: SocketFactory) -> Socket:
    """A bound PULL that is strict with its peers."""
    endpoint, options = ENDPOINTS[request.param]
    return sockets.open(
        zmq.PULL, bind=endpoint, handshake_ivl=HANDSHAKE_MS, maxmsgsize=LARGEST, **options
    )


@pytest.fixture
def healthy(puller: Socket) -> Iterator[RawPeer]:
    """A peer that keeps to the rules, before, while and after another does not."""
    with RawPeer(puller.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        peer.say(frame(b"healthy"))
        assert puller.recv() == b"healthy"
        yield peer
        peer.say(frame(b"x" * LARGEST, 1), frame(b"still healthy"))
        assert puller.recv_multipart() == [b"x" * LARGEST, b"still healthy"]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        SIGNATURE,
        SIGNATURE + b"\x03",
        GREETING,
        GREETING + ready(b"PUSH")[:-1],
        b"\xff" * 9,
    ],
)
def test_a_handshake_that_does_not_come_to_its_end(
    puller: Socket, healthy: RawPeer, octets: bytes
) -> None:
    with RawPeer(puller.last_endpoint.decode()) as peer:
        for i in range(len(octets)):
            peer.say(octets[i : i + 1])
        assert peer.is_hung_up()


def test_a_handshake_drop_by_drop(puller: Socket, healthy: RawPeer) -> None:
    """Each octet in its time does not prolong HANDSHAKE_IVL, which is for the whole of it."""
    drops = 0
    with RawPeer(puller.last_endpoint.decode()) as peer:
        peer.stream.settimeout(DROP_S)
        for octet in PUSH:
            try:
                peer.say(bytes((octet,)))
                drops += 1
                while peer.stream.recv(65536):
                    pass
                break
            except TimeoutError:
                healthy.say(frame(b"meanwhile"))
                assert puller.recv() == b"meanwhile"
            except ConnectionError:
                break
    assert 1 < drops <= HANDSHAKE_MS / 1000 / DROP_S + 1
    assert puller.poll(0) == 0


@pytest.mark.parametrize("family", ["tcp", "ipc"])
def test_a_handshake_drop_by_drop_from_the_one_we_connect_to(
    sockets: SocketFactory, tmp_path: Path, family: str
) -> None:
    """It ends in time, and the next connection is a fresh one that may do better."""
    here = {"tcp": "tcp://127.0.0.1:0", "ipc": f"ipc://{tmp_path}/s"}[family]
    with listen_at(here) as listener:
        name = listener.getsockname()
        push = sockets.open(zmq.PUSH, handshake_ivl=HANDSHAKE_MS, reconnect_ivl=5)
        push.connect(here if family == "ipc" else f"tcp://127.0.0.1:{name[1]}")
        push.send(b"kept")
        with RawPeer(listener.accept()[0]) as slow:
            slow.stream.settimeout(DROP_S)
            drops = 0
            with contextlib.suppress(ConnectionError):
                for octet in GREETING + ready(b"PULL"):
                    slow.say(bytes((octet,)))
                    drops += 1
                    with contextlib.suppress(TimeoutError):
                        while slow.stream.recv(65536):
                            pass
                        break
            assert 1 < drops <= HANDSHAKE_MS / 1000 / DROP_S + 1
        with RawPeer(listener.accept()[0]) as peer:
            peer.shake_hands(b"PULL")
            assert peer.hear_frame() == (0, b"kept")


@pytest.mark.parametrize(
    "octets",
    [
        SIGNATURE + b"\x03\x01" + b"NONESUCH".ljust(20, b"\0") + bytes(32),
        GREETING + frame(b"no READY"),
        GREETING + ready(b"SUB"),
        GREETING + ready(b"NONESUCH"),
        GREETING + b"\x04\x06\x05ERROR",
        GREETING + b"\x06" + (1 << 40).to_bytes(8),
        PUSH + b"\x80\x01x",
        PUSH + b"\x05\x01x",
        PUSH + b"\x04\x00",
        PUSH + b"\x04\x05\x04PING",
        PUSH + b"\x06" + (1 << 40).to_bytes(8),
        PUSH + frame(b"x" * (LARGEST + 1)),
        PUSH + b"\x02" + (LARGEST + 1).to_bytes(8),
        PUSH + b"\x02" + ((1 << 64) - 1).to_bytes(8),
        PUSH + frame(b"half", 1) + frame(b"x" * (LARGEST + 1)),
    ],
)
def test_what_is_against_the_rules(puller: Socket, healthy: RawPeer, octets: bytes) -> None:
    with RawPeer(puller.last_endpoint.decode()) as peer:
        peer.say(octets)
        assert peer.is_hung_up()
    assert puller.poll(0) == 0


@pytest.mark.parametrize(
    "octets", [frame(b"half", 1), b"\0\x05hal", b"\x02" + bytes(6) + b"\x01\x00" + b"x" * 200]
)
def test_a_peer_that_goes_in_the_middle_of_a_message(
    puller: Socket, healthy: RawPeer, octets: bytes
) -> None:
    with RawPeer(puller.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        peer.say(frame(b"whole"), octets)
        assert puller.recv() == b"whole"
    healthy.say(frame(b"next"))
    assert puller.recv() == b"next"


def test_a_frame_for_which_there_is_no_memory(sockets: SocketFactory) -> None:
    puller = sockets.open(zmq.PULL, bind="ipc://*")
    for size in (1 << 46, (1 << 63) - 1):
        with RawPeer(puller.last_endpoint.decode()) as peer:
            peer.shake_hands(b"PUSH")
            peer.say(frame(b"before"), b"\x02" + size.to_bytes(8))
            assert puller.recv() == b"before"
            assert peer.is_hung_up()


def test_many_that_come_and_go(puller: Socket, healthy: RawPeer) -> None:
    for number in range(300):
        with RawPeer(puller.last_endpoint.decode()) as peer:
            if number % 3 == 1:
                peer.say(PUSH[: number % len(PUSH)])
            elif number % 3 == 2:
                peer.shake_hands(b"PUSH")
    healthy.say(frame(b"next"))
    assert puller.recv() == b"next"
