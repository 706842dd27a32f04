"""STREAM_NOTIFY: "Enables connect and disconnect notifications on a STREAM socket, when set to 1.
When notifications are enabled, the socket delivers a zero-length message when a peer connects or
disconnects."
"""

import pytest
from support.factory import SocketFactory
from support.library import zmq
from support.links import LIBZMQ_KINDS, Link
from support.plain import Plain


@pytest.mark.parametrize("options", [{}, {"stream_notify": 1}], ids=["default", "1"])
def test_a_peer_that_comes_and_goes_is_told_of(
    plain: Plain, sockets: SocketFactory, options: dict[str, int]
) -> None:
    stream = sockets.open(zmq.STREAM, bind="tcp://127.0.0.1:*", **options)
    client = plain.dial(stream.last_endpoint.rstrip(b"\0"))
    peer, nothing = stream.recv_multipart()
    assert nothing == b""
    client.sendall(b"data")
    assert stream.recv_multipart() == [peer, b"data"]
    client.close()
    assert stream.recv_multipart() == [peer, b""]


def test_zero_tells_of_neither(plain: Plain, sockets: SocketFactory) -> None:
    stream = sockets.open(zmq.STREAM, stream_notify=0, bind="tcp://127.0.0.1:*")
    for number in range(3):
        client = plain.dial(stream.last_endpoint.rstrip(b"\0"))
        client.sendall(b"%d" % number)
        client.close()
        assert stream.recv_multipart()[1] == b"%d" % number
    assert not stream.poll(20)


@pytest.mark.parametrize("notify", [0, 1])
def test_also_where_the_stream_connects(plain: Plain, sockets: SocketFactory, notify: int) -> None:
    listener = plain.listener()
    stream = sockets.open(
        zmq.STREAM,
        stream_notify=notify,
        reconnect_ivl=-1,
        connect=f"tcp://127.0.0.1:{listener.getsockname()[1]}",
    )
    server = plain.own(listener.accept()[0])
    server.sendall(b"data")
    server.close()
    heard = [stream.recv_multipart()[1] for _ in range(3 if notify else 1)]
    assert heard == ([b"", b"data", b""] if notify else [b"data"])
    assert not stream.poll(20)


@pytest.mark.parametrize("link", ["tcp", *LIBZMQ_KINDS[:1]], indirect=True)
def test_a_stream_at_the_far_end_has_its_own(link: Link) -> None:
    near, far = link.pair(zmq.STREAM, zmq.STREAM, {"stream_notify": 0}, {"stream_notify": 1})
    there, nothing = far.recv_multipart()
    assert nothing == b""
    far.send_multipart([there, b"hello"])
    assert near.recv_multipart()[1] == b"hello"
