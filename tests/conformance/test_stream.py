"""STREAM, and ROUTER with ROUTER_RAW: plain TCP peers (zmq_socket, ZMQ_STREAM)."""

import contextlib
import http.client
import select
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from support.factory import SocketFactory
from support.library import Socket, ours_better, zmq
from support.waiting import PATIENCE_S, Background, wait_for

RAW: list[tuple[int, dict[str, int]]] = [(zmq.STREAM, {}), (zmq.ROUTER, {"router_raw": 1})]
both = pytest.mark.parametrize(("kind", "options"), RAW, ids=["STREAM", "ROUTER_RAW"])


def port_of(bound: Socket) -> int:
    """Return the port that a socket is bound to."""
    return int(bound.last_endpoint.rpartition(b":")[2])


@pytest.fixture
def plain() -> Iterator[contextlib.ExitStack]:
    """Closes plain sockets when the test ends."""
    with contextlib.ExitStack() as stack:
        yield stack


def dial(plain: contextlib.ExitStack, bound: Socket) -> socket.socket:
    """Return a plain connection to a bound socket."""
    return plain.enter_context(socket.create_connection(("127.0.0.1", port_of(bound)), PATIENCE_S))


def listen(plain: contextlib.ExitStack) -> tuple[socket.socket, str]:
    """Return a plain listening socket and its endpoint."""
    listener = plain.enter_context(socket.create_server(("127.0.0.1", 0)))
    listener.settimeout(PATIENCE_S)
    return listener, f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def accept(plain: contextlib.ExitStack, listener: socket.socket) -> socket.socket:
    """Return the next connection."""
    stream = plain.enter_context(listener.accept()[0])
    stream.settimeout(PATIENCE_S)
    return stream


def receive(stream: Socket, peer: bytes, size: int) -> bytes:
    """Return the next *size* octets, which come from *peer* in however many messages."""
    found = b""
    while len(found) < size:
        who, data = stream.recv_multipart()
        assert who == peer
        assert data, "the peer has gone"
        found += data
    assert len(found) == size
    return found


def exactly(stream: socket.socket, size: int) -> bytes:
    """Return so many octets, fewer at the end of the stream."""
    found = bytearray()
    while len(found) < size and (more := stream.recv(size - len(found))):
        found += more
    return bytes(found)


@both
def test_there_and_back(
    sockets: SocketFactory, plain: contextlib.ExitStack, kind: int, options: dict[str, int]
) -> None:
    stream = sockets.open(kind, bind="tcp://127.0.0.1:*", **options)
    client = dial(plain, stream)
    peer, nothing = stream.recv_multipart()
    assert (len(peer), peer[0], nothing) == (5, 0, b"")
    client.sendall(b"hello")
    assert receive(stream, peer, 5) == b"hello"
    stream.send_multipart([peer, b"world"])
    assert exactly(client, 5) == b"world"
    client.close()
    assert stream.recv_multipart() == [peer, b""]


@both
def test_connecting(
    sockets: SocketFactory, plain: contextlib.ExitStack, kind: int, options: dict[str, int]
) -> None:
    listener, endpoint = listen(plain)
    stream = sockets.open(kind, connect=endpoint, **options)
    server = accept(plain, listener)
    peer, nothing = stream.recv_multipart()
    assert nothing == b""
    server.sendall(b"hello")
    assert receive(stream, peer, 5) == b"hello"
    stream.send_multipart([peer, b"world"])
    assert exactly(server, 5) == b"world"


def test_the_id_of_a_peer_that_is_yet_to_come(
    sockets: SocketFactory, plain: contextlib.ExitStack
) -> None:
    listener, endpoint = listen(plain)
    stream = sockets.open(zmq.STREAM, connect=endpoint)
    peer = stream.getsockopt(zmq.ROUTING_ID)
    stream.send_multipart([peer, b"early"])
    assert exactly(accept(plain, listener), 5) == b"early"
    assert stream.recv_multipart() == [peer, b""]


@both
def test_a_name_given_to_the_next_peer(
    sockets: SocketFactory, plain: contextlib.ExitStack, kind: int, options: dict[str, int]
) -> None:
    listener, endpoint = listen(plain)
    stream = sockets.open(kind, connect_rid=b"server", maxmsgsize=3, connect=endpoint, **options)
    stream.send_multipart([b"server", b"early"])
    server = accept(plain, listener)
    assert exactly(server, 5) == b"early"
    assert stream.recv_multipart() == [b"server", b""]
    server.sendall(b"hello")
    assert receive(stream, b"server", 5) == b"hello"


@pytest.mark.parametrize("size", [1, 8191, 8192, 8193, 65_536, 1_000_000, 20_000_000])
def test_every_octet_in_order(
    sockets: SocketFactory, plain: contextlib.ExitStack, size: int
) -> None:
    stream = sockets.open(zmq.STREAM, bind="tcp://127.0.0.1:*")
    client = dial(plain, stream)
    peer = stream.recv_multipart()[0]
    octets = bytes(range(251)) * (size // 251 + 1)
    sending = Background(lambda: client.sendall(octets[:size]))
    assert receive(stream, peer, size) == octets[:size]
    sending.result()
    hearing = Background(lambda: exactly(client, size))
    stream.send_multipart([peer, octets[:size]])
    assert hearing.result() == octets[:size]


def test_peers_are_told_apart(sockets: SocketFactory, plain: contextlib.ExitStack) -> None:
    stream = sockets.open(zmq.STREAM, bind="tcp://127.0.0.1:*")
    clients = {}
    for _ in range(10):
        client = dial(plain, stream)
        clients[stream.recv_multipart()[0]] = client
    assert len(clients) == 10
    for number, (peer, client) in enumerate(clients.items()):
        client.sendall(b"%d" % number)
        assert stream.recv_multipart() == [peer, b"%d" % number]
        stream.send_multipart([peer, b"for %d" % number])
    for number, client in enumerate(clients.values()):
        assert exactly(client, 5) == b"for %d" % number


def test_nobody_has_that_id(sockets: SocketFactory) -> None:
    stream = sockets.open(zmq.STREAM, bind="tcp://127.0.0.1:*")
    with pytest.raises(zmq.ZMQError) as caught:
        stream.send_multipart([b"nobody", b"x"])
    assert caught.value.errno == zmq.EHOSTUNREACH


@pytest.mark.parametrize("mandatory", [0, 1])
def test_nobody_has_that_id_of_a_router(sockets: SocketFactory, mandatory: int) -> None:
    router = sockets.open(zmq.ROUTER, router_raw=1, router_mandatory=mandatory)
    router.bind("tcp://127.0.0.1:*")
    if not mandatory:
        router.send_multipart([b"nobody", b"x"])
        return
    with pytest.raises(zmq.ZMQError) as caught:
        router.send_multipart([b"nobody", b"x"])
    assert caught.value.errno == zmq.EHOSTUNREACH


def test_without_notices(sockets: SocketFactory, plain: contextlib.ExitStack) -> None:
    stream = sockets.open(zmq.STREAM, stream_notify=0, bind="tcp://127.0.0.1:*")
    for number in range(3):
        client = dial(plain, stream)
        client.sendall(b"%d" % number)
        assert stream.recv_multipart()[1] == b"%d" % number
        client.close()
    assert not stream.poll(0)


def test_an_empty_part_ends_the_connection(
    sockets: SocketFactory, plain: contextlib.ExitStack
) -> None:
    stream = sockets.open(zmq.STREAM, bind="tcp://127.0.0.1:*")
    gone, stays = dial(plain, stream), None
    peer = stream.recv_multipart()[0]
    stays = dial(plain, stream)
    other = stream.recv_multipart()[0]
    stream.send_multipart([peer, b""])
    # libzmq needs the socket to be used once more for that.
    wait_for(lambda: stream.poll(0) or select.select([gone], [], [], 0)[0], "it ends")
    assert gone.recv(1) == b""
    with pytest.raises(zmq.ZMQError) as caught:
        stream.send_multipart([peer, b"x"])
    assert caught.value.errno == zmq.EHOSTUNREACH
    stream.send_multipart([other, b"x"])
    assert stays.recv(1) == b"x"


@ours_better("libzmq ends it when the socket is used again, and may drop what was not taken yet")
@pytest.mark.parametrize("size", [4, 100_000, 20_000_000])
@pytest.mark.parametrize("linger", [0, -1])
def test_what_was_sent_before_an_empty_part_arrives(
    sockets: SocketFactory, plain: contextlib.ExitStack, size: int, linger: int
) -> None:
    listener, endpoint = listen(plain)
    stream = sockets.open(zmq.STREAM, linger=linger, connect=endpoint)
    stream.bind("tcp://127.0.0.1:*")
    servant = accept(plain, listener)
    first = stream.recv_multipart()[0]
    client = dial(plain, stream)
    second = stream.recv_multipart()[0]
    for peer in (first, second):
        stream.send_multipart([peer, bytes(size)])
        stream.send_multipart([peer, b""])
    for there in (client, servant):
        assert exactly(there, size) == bytes(size)
        assert there.recv(1) == b""
    listener.setblocking(False)  # it does not connect again
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_a_client_connects_again(sockets: SocketFactory, plain: contextlib.ExitStack) -> None:
    listener, endpoint = listen(plain)
    stream = sockets.open(zmq.STREAM, reconnect_ivl=5, connect=endpoint)
    peer = stream.getsockopt(zmq.ROUTING_ID)
    for number in range(3):
        server = accept(plain, listener)
        assert stream.recv_multipart() == [peer, b""]
        stream.send_multipart([peer, b"%d" % number])
        assert server.recv(1) == b"%d" % number
        server.close()
        assert stream.recv_multipart() == [peer, b""]


def test_who_the_peer_is(sockets: SocketFactory, plain: contextlib.ExitStack) -> None:
    stream = sockets.open(zmq.STREAM, bind="tcp://127.0.0.1:*")
    dial(plain, stream).sendall(b"x")
    for data in (b"", b"x"):
        stream.recv()
        frame = stream.recv(copy=False)
        assert frame.bytes == data
        assert frame.get("Peer-Address") == "127.0.0.1"


def test_a_peer_that_reads_nothing_stops_only_its_own(
    sockets: SocketFactory, plain: contextlib.ExitStack
) -> None:
    stream = sockets.open(zmq.STREAM, sndhwm=5, bind="tcp://127.0.0.1:*")
    lazy = dial(plain, stream)
    slow = stream.recv_multipart()[0]
    lively = dial(plain, stream)
    quick = stream.recv_multipart()[0]
    body = bytes(1 << 20)
    sent = 0
    with contextlib.suppress(zmq.Again):
        while sent < 1000:
            stream.send_multipart([slow, body], zmq.NOBLOCK)
            sent += 1
    assert sent < 1000
    stream.send_multipart([quick, b"x"])
    assert lively.recv(1) == b"x"
    assert len(exactly(lazy, sent << 20)) == sent << 20


@pytest.mark.parametrize("version", [10, 11])
def test_as_an_http_server(sockets: SocketFactory, version: int) -> None:
    stream = sockets.open(zmq.STREAM, bind="tcp://127.0.0.1:*")

    def ask() -> list[tuple[int, bytes]]:
        client = http.client.HTTPConnection("127.0.0.1", port_of(stream), timeout=PATIENCE_S)
        client._http_vsn = version  # type: ignore[attr-defined]
        answers = []
        for number in range(3):
            client.request("POST", f"/{number}", body=b"x" * 10_000 * number)
            answer = client.getresponse()
            answers.append((answer.status, answer.read()))
        client.close()
        return answers

    asking = Background(ask)
    requests: dict[bytes, bytes] = {}
    for _ in range(3):
        head, body = _next_request(stream, requests)
        path = head.split()[1]
        answer = b"%s: %d" % (path, len(body[1]))
        stream.send_multipart(
            [body[0], b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer]
        )
    assert asking.result() == [(200, b"/%d: %d" % (n, 10_000 * n)) for n in range(3)]


def _next_request(
    stream: Socket, unfinished: dict[bytes, bytes]
) -> tuple[bytes, tuple[bytes, bytes]]:
    """Return the head of the next whole HTTP request, its peer and its body."""
    while True:
        peer, data = stream.recv_multipart()
        text = unfinished.get(peer, b"") + data
        head, blank, body = text.partition(b"\r\n\r\n")
        length = [int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"Content-Length:"]
        if blank and len(body) == sum(length):
            unfinished[peer] = b""
            return head, (peer, body)
        unfinished[peer] = text


class _Handler(BaseHTTPRequestHandler):
    """Answers with what it was sent, backwards."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body[::-1])

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_as_an_http_client(sockets: SocketFactory) -> None:
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        body = bytes(range(256)) * 400
        stream = sockets.open(zmq.STREAM, connect=f"tcp://127.0.0.1:{server.server_port}")
        peer, _ = stream.recv_multipart()
        request = b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
        stream.send_multipart([peer, request + body])
        answer = b""
        while (part := stream.recv_multipart()[1]) != b"":  # until the server has closed
            answer += part
        assert answer.startswith(b"HTTP/1.0 200 ")
        assert answer.endswith(b"\r\n\r\n" + body[::-1])
        serving.join(PATIENCE_S)
        assert not serving.is_alive()


@ours_better("libzmq connects it and nothing ever works")
def test_there_is_nothing_plain_about_inproc(sockets: SocketFactory) -> None:
    stream = sockets.open(zmq.STREAM)
    for call in (stream.bind, stream.connect):
        with pytest.raises(zmq.ZMQError) as caught:
            call("inproc://x")
        assert caught.value.errno == zmq.ENOCOMPATPROTO
