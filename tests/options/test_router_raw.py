"""ROUTER_RAW: "When the ROUTER socket is in raw mode, and when using the tcp:// transport, it will
read and write TCP data without 0MQ framing. [...] When using raw mode, you cannot set explicit
identities, and the ZMQ_SNDMORE flag is ignored when sending data messages. In raw mode you can
close a specific connection by sending it a zero-length message (following the identity frame)."

tests/conformance/test_stream.py has more, of ROUTER_RAW and STREAM alike.
"""

import select

import pytest
from support.factory import SocketFactory
from support.library import Socket, ours_better, zmq
from support.links import LIBZMQ_KINDS, Link
from support.plain import Plain
from support.waiting import wait_for


def open_raw(sockets: SocketFactory) -> tuple[Socket, bytes]:
    """Return a raw ROUTER and its endpoint."""
    router = sockets.open(zmq.ROUTER, router_raw=1, bind="tcp://127.0.0.1:*")
    return router, router.last_endpoint.rstrip(b"\0")


def test_plain_bytes_go_both_ways(plain: Plain, sockets: SocketFactory) -> None:
    router, endpoint = open_raw(sockets)
    client = plain.dial(endpoint)
    peer, nothing = router.recv_multipart()  # it has come
    assert nothing == b""
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert router.recv_multipart() == [peer, b"GET / HTTP/1.0\r\n\r\n"]
    router.send_multipart([peer, b"HTTP/1.0 200 OK\r\n\r\n"])
    assert client.recv(100) == b"HTTP/1.0 200 OK\r\n\r\n"


def test_without_it_a_greeting_comes_first(plain: Plain, sockets: SocketFactory) -> None:
    plain.connect(sockets.open(zmq.ROUTER, bind="tcp://127.0.0.1:*").last_endpoint.rstrip(b"\0"))


def test_explicit_names_are_not_used(plain: Plain, sockets: SocketFactory) -> None:
    router, endpoint = open_raw(sockets)
    names = set()
    for _ in range(3):
        plain.dial(endpoint)
        name, _ = router.recv_multipart()
        assert (len(name), name[:1]) == (5, b"\0")
        names.add(name)
    assert len(names) == 3


def test_more_is_ignored_when_data_is_sent(plain: Plain, sockets: SocketFactory) -> None:
    router, endpoint = open_raw(sockets)
    client = plain.dial(endpoint)
    peer, _ = router.recv_multipart()
    for number in range(3):
        router.send(peer, zmq.SNDMORE)
        router.send(b"%d" % number, zmq.SNDMORE)  # it goes at once, and what follows is a name
        assert client.recv(1) == b"%d" % number


def test_an_empty_message_ends_one_connection(plain: Plain, sockets: SocketFactory) -> None:
    router, endpoint = open_raw(sockets)
    gone = plain.dial(endpoint)
    first, _ = router.recv_multipart()
    stays = plain.dial(endpoint)
    second, _ = router.recv_multipart()
    router.send_multipart([first, b""])
    # libzmq needs the socket to be used once more for that.
    wait_for(lambda: router.poll(0) or select.select([gone], [], [], 0)[0], "it ends")
    assert gone.recv(1) == b""
    router.send_multipart([second, b"still here"])
    assert stays.recv(100) == b"still here"


@pytest.mark.parametrize("link", ["tcp", *LIBZMQ_KINDS[:1]], indirect=True)
def test_with_a_stream_at_the_far_end(link: Link) -> None:
    router, stream = link.pair(zmq.ROUTER, zmq.STREAM, {"router_raw": 1})
    peer, nothing = router.recv_multipart()
    here, nothing_either = stream.recv_multipart()
    assert (nothing, nothing_either) == (b"", b"")
    stream.send_multipart([here, b"hello"])
    assert router.recv_multipart() == [peer, b"hello"]
    router.send_multipart([peer, b"world"])
    assert stream.recv_multipart() == [here, b"world"]


@ours_better("libzmq takes it, and its ROUTER then takes all of its peers for raw ones")
def test_it_is_said_before_the_first_endpoint(plain: Plain, sockets: SocketFactory) -> None:
    router = sockets.open(zmq.ROUTER, bind="tcp://127.0.0.1:*")
    with pytest.raises(zmq.ZMQError, match="before the first bind or connect") as refused:
        router.setsockopt(zmq.ROUTER_RAW, 1)
    assert refused.value.errno == zmq.EINVAL
    router.setsockopt(zmq.ROUTER_RAW, 0)  # which it is
    plain.connect(router.last_endpoint)


def test_a_rep_takes_no_notice(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ, {"router_raw": 0})
    if zmq.__name__ == "shmzmq":
        rep.setsockopt(zmq.ROUTER_RAW, 1)
    req.send(b"question")
    assert rep.recv() == b"question"
    rep.send(b"answer")
    assert req.recv() == b"answer"
