"""Peers that speak ZMTP 1.0 and 2.0, octet by octet, to sockets of ours (RFC 13, RFC 15)."""

import contextlib
import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from interop.conftest import ENDPOINTS, known_endpoints
from support.factory import SocketFactory
from support.library import Socket
from support.raw_peer import SIGNATURE, RawPeer, frame, listen_at
from support.waiting import wait_for

import shmzmq as zmq

Bound = Callable[..., tuple[Socket, RawPeer]]


@pytest.fixture(params=known_endpoints())
def meet(
    request: pytest.FixtureRequest, sockets: SocketFactory, tmp_path: Path, we_bind: bool
) -> Iterator[Bound]:
    """Return a socket of ours and a raw peer, one of which has connected to the other."""
    endpoint, more = ENDPOINTS[request.param]

    with contextlib.ExitStack() as stack:

        def meet(socket_type: int, **options: object) -> tuple[Socket, RawPeer]:
            near = sockets.open(socket_type, **more, **options)
            if we_bind:
                near.bind(endpoint)
                return near, RawPeer(near.last_endpoint.decode())
            there = f"ipc://{tmp_path}/s" if endpoint == "ipc://*" else endpoint.replace("*", "0")
            listener = stack.enter_context(listen_at(there))
            name = listener.getsockname()
            near.connect(there if isinstance(name, str) else there[:-1] + str(name[1]))
            return near, RawPeer(listener.accept()[0])

        yield meet


def old_frame(body: bytes, flags: int = 0) -> bytes:
    """Return a frame of ZMTP 1.0."""
    if len(body) + 1 < 255:
        return bytes((len(body) + 1, flags)) + body
    return b"\xff" + (len(body) + 1).to_bytes(8) + bytes((flags,)) + body


def test_a_2_0_dealer(meet: Bound) -> None:
    router, peer = meet(zmq.ROUTER)
    with peer:
        peer.say(SIGNATURE, b"\x01\x05", frame(b"old"))
        assert peer.hear(12) == b"\xff" + bytes(7) + b"\x01\x7f" + b"\x03\x06"
        assert peer.hear(2) == b"\0\0"  # our identity
        peer.say(frame(b"", 1), frame(b"x" * 300, 1), frame(b"end"))
        assert router.recv_multipart() == [b"old", b"", b"x" * 300, b"end"]
        router.send_multipart([b"old", b"yes", b"y" * 255, b"z" * 256])
        assert [peer.hear_frame() for _ in range(3)] == [
            (1, b"yes"),
            (1, b"y" * 255),
            (0, b"z" * 256),
        ]


def test_a_1_0_dealer(meet: Bound) -> None:
    router, peer = meet(zmq.ROUTER)
    with peer:
        peer.say(old_frame(b"ancient"))
        assert peer.hear(10) == SIGNATURE  # to a 1.0 peer, the header of a frame without a body
        peer.say(old_frame(b"x" * 253, 1), old_frame(b"y" * 254, 1), old_frame(b""))
        assert router.recv_multipart() == [b"ancient", b"x" * 253, b"y" * 254, b""]
        answer = old_frame(b"a" * 253, 1) + old_frame(b"b" * 254, 1) + old_frame(b"")
        router.send_multipart([b"ancient", b"a" * 253, b"b" * 254, b""])
        assert peer.hear(len(answer)) == answer


def test_a_1_0_subscriber_gets_everything(meet: Bound) -> None:
    publisher, peer = meet(zmq.PUB)
    with peer:
        peer.say(old_frame(b""))
        assert peer.hear(10) == SIGNATURE

        def comes_through() -> bool:
            publisher.send_multipart([b"topic", b"z" * 300])
            peer.stream.settimeout(0.01)
            try:
                return bool(peer.stream.recv(1) == b"\x06")
            except TimeoutError:
                return False
            finally:
                peer.stream.settimeout(20)

        wait_for(comes_through, "a message comes through")
        whole = old_frame(b"topic", 1) + old_frame(b"z" * 300)
        assert peer.hear(len(whole) - 1) == whole[1:]


def test_a_2_0_subscriber_asks_by_message(meet: Bound) -> None:
    publisher, peer = meet(zmq.XPUB)
    with peer:
        peer.say(SIGNATURE, b"\x01\x02", frame(b""), frame(b"\x01news"))
        assert publisher.recv() == b"\x01news"
        publisher.send(b"sport")
        publisher.send(b"news today")
        assert peer.hear(14)[12:] == b"\0\0"
        assert peer.hear_frame() == (0, b"news today")


def test_a_2_0_publisher_is_asked_by_message(meet: Bound) -> None:
    subscriber, peer = meet(zmq.SUB, subscribe=b"news")
    with peer:
        peer.say(SIGNATURE, b"\x01\x01", frame(b""))
        assert peer.hear(14)[10:] == b"\x03\x02\0\0"
        wait_for(lambda: subscriber.poll(1) == 0 and has_heard(peer), "the subscription comes")
        assert peer.hear_frame() == (0, b"\x01news")
        peer.say(frame(b"news", 1), frame(b"today"))
        assert subscriber.recv_multipart() == [b"news", b"today"]


def has_heard(peer: RawPeer) -> bool:
    """Whether something lies unread in the peer's stream."""
    return bool(select.select([peer.stream], [], [], 0.01)[0])


def test_a_2_0_peer_that_sends_a_command_is_let_go(meet: Bound) -> None:
    puller, peer = meet(zmq.PULL)
    with peer:
        peer.say(SIGNATURE, b"\x01\x08", frame(b""), frame(b"before"), b"\x04\x06\x04PING\0")
        assert puller.recv() == b"before"
        assert peer.is_hung_up()


def test_a_1_0_frame_without_flags_ends_its_connection(meet: Bound) -> None:
    puller, peer = meet(zmq.PULL)
    with peer:
        peer.say(old_frame(b""), old_frame(b"before"), b"\0\0")
        assert puller.recv() == b"before"
        assert peer.is_hung_up()
