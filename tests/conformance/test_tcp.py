"""tcp endpoints: what they are called, what is refused and how, and who meets whom (zmq_tcp)."""

import errno
import socket
from typing import Any

import pytest
from support.exchange import bind_when_free
from support.factory import SocketFactory
from support.library import ours_better, zmq
from support.links import free_port
from support.waiting import wait_for

REAL: list[tuple[str, dict[str, int], bytes]] = [
    ("tcp://127.0.0.1:*", {}, b"tcp://127.0.0.1:"),
    ("tcp://*:*", {}, b"tcp://0.0.0.0:"),
    ("tcp://lo:*", {}, b"tcp://127.0.0.1:"),
    ("tcp://lo:0", {}, b"tcp://127.0.0.1:"),
    ("tcp://localhost:*", {}, b"tcp://127.0.0.1:"),
    ("tcp://[127.0.0.1]:*", {}, b"tcp://127.0.0.1:"),
    ("tcp://[::1]:*", {"ipv6": 1}, b"tcp://[::1]:"),
    ("tcp://::1:*", {"ipv4only": 0}, b"tcp://[::1]:"),
    ("tcp://[*]:*", {"ipv6": 1}, b"tcp://[::]:"),
    ("tcp://*:*", {"ipv6": 1}, b"tcp://[::]:"),
    ("tcp://lo:*", {"ipv6": 1}, b"tcp://[::1]:"),
    ("tcp://127.0.0.1:*", {"ipv6": 1}, b"tcp://[::ffff:127.0.0.1]:"),
]

NOT_TO_BIND = [
    ("tcp://127.0.0.1", errno.EINVAL),
    ("tcp://127.0.0.1:", errno.EINVAL),
    ("tcp://127.0.0.1:http", errno.EINVAL),
    ("tcp://127.0.0.1:65536", errno.EINVAL),
    ("tcp://:5555", errno.ENODEV),
    ("tcp://nosuch0:5555", errno.ENODEV),
    ("tcp://nosuch.invalid:5555", errno.ENODEV),
    ("tcp://[::1]:*", errno.ENODEV),
    ("tcp://198.51.100.1:*", errno.EADDRNOTAVAIL),
]

NOT_TO_CONNECT = [
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:*",
    "tcp://127.0.0.1:http",
    "tcp://*:5555",
    "tcp://a b:5555",
    "tcp://-a:5555",
    "tcp://;127.0.0.1:5555",
    "tcp://*:0;127.0.0.1:5555",
]


@pytest.mark.parametrize(("endpoint", "options", "start"), REAL)
def test_last_endpoint_of_a_bind(
    sockets: SocketFactory, endpoint: str, options: dict[str, int], start: bytes
) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint, **options)
    found = pull.last_endpoint
    assert found.startswith(start)
    assert int(found.removeprefix(start)) > 0
    there = found.replace(b"0.0.0.0", b"127.0.0.1").replace(b"[::]", b"[::1]").decode()
    sockets.open(zmq.PUSH, connect=there, **options).send(b"hello")
    assert pull.recv() == b"hello"


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp://127.0.0.1:5555",
        "tcp://localhost:5555",
        "tcp://nosuch.invalid:5555",
        "tcp://[::1]:5555",
        "tcp://lo:*;127.0.0.1:5555",
        "tcp://127.0.0.2:0;localhost:5555",
    ],
)
def test_last_endpoint_of_a_connect_is_as_written(sockets: SocketFactory, endpoint: str) -> None:
    assert sockets.open(zmq.PUSH, connect=endpoint).last_endpoint == endpoint.encode()


@pytest.mark.parametrize(("endpoint", "number"), NOT_TO_BIND)
def test_what_cannot_be_bound(sockets: SocketFactory, endpoint: str, number: int) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.PULL).bind(endpoint)
    assert caught.value.errno == number
    assert endpoint.removeprefix("tcp://") in str(caught.value)


@pytest.mark.parametrize("endpoint", NOT_TO_CONNECT)
def test_what_cannot_be_connected_to(sockets: SocketFactory, endpoint: str) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.PUSH).connect(endpoint)
    assert caught.value.errno == errno.EINVAL
    assert endpoint.removeprefix("tcp://") in str(caught.value)


@ours_better("libzmq connects to what can never be, or takes what follows for nothing")
@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:65536", "tcp://127.0.0.1:0", "tcp://a:0;b:0;c:1", "tcp://:1"]
)
def test_what_can_never_be_connected_to(sockets: SocketFactory, endpoint: str) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.PUSH).connect(endpoint)
    assert caught.value.errno == errno.EINVAL


def test_an_address_that_is_taken(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    port = pull.last_endpoint.rpartition(b":")[2].decode()
    for endpoint in (f"tcp://127.0.0.1:{port}", f"tcp://*:{port}"):
        with pytest.raises(zmq.ZMQError) as caught:
            sockets.open(zmq.PULL).bind(endpoint)
        assert caught.value.errno == errno.EADDRINUSE


@ours_better("libzmq ends the connections that an endpoint has accepted with it")
def test_unbinding_keeps_the_peers(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    endpoint = pull.last_endpoint.decode()
    push = sockets.open(zmq.PUSH, connect=endpoint)
    push.send(b"one")
    assert pull.recv() == b"one"
    pull.unbind(endpoint)
    push.send(b"two")
    assert pull.recv() == b"two"


def test_unbinding_frees_the_port(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    endpoint = pull.last_endpoint.decode()
    pull.unbind(endpoint)

    def is_free() -> bool:  # libzmq's I/O thread closes it a little later
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(endpoint.rpartition(":")[2]))) != 0

    wait_for(is_free, "nobody listens there any more")
    bind_when_free(sockets.open(zmq.PULL), endpoint)


@pytest.mark.parametrize("written", ["tcp://127.0.0.1:*", "tcp://localhost:*", "tcp://*:*"])
@ours_better("libzmq knows a bound wildcard or name by LAST_ENDPOINT only")
def test_unbinding_what_was_written(sockets: SocketFactory, written: str) -> None:
    pull = sockets.open(zmq.PULL, bind=written)
    pull.unbind(written)
    with pytest.raises(zmq.ZMQError) as caught:
        pull.unbind(written)
    assert caught.value.errno == errno.ENOENT


def test_binding_to_a_random_port(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL)
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.1:{port}").send(b"x")
    assert pull.recv() == b"x"
    assert 21_000 <= pull.bind_to_random_port("tcp://127.0.0.1", 21_000, 22_000) < 22_000


@ours_better("pyzmq does not say which address, ports and number of tries these were")
def test_no_random_port_is_free(sockets: SocketFactory) -> None:
    taken = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*").last_endpoint.decode()
    port = int(taken.rpartition(":")[2])
    with pytest.raises(zmq.ZMQBindError) as caught:
        sockets.open(zmq.PULL).bind_to_random_port("tcp://127.0.0.1", port, port + 1, max_tries=3)
    said = str(caught.value)
    assert said.startswith("Could not bind socket to random port.")
    assert "'tcp://127.0.0.1'" in said
    assert f"from {port} to {port}" in said
    assert ": 3," in said


def test_coming_from_a_certain_address(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    there = pull.last_endpoint.decode().removeprefix("tcp://")
    sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.3:0;{there}").send(b"x")
    assert pull.recv(copy=False).get("Peer-Address") == "127.0.0.3"


@pytest.mark.parametrize(
    ("endpoint", "options", "address"),
    [
        ("tcp://127.0.0.1:*", {}, "127.0.0.1"),
        ("tcp://[::1]:*", {"ipv6": 1}, "::1"),
        ("tcp://127.0.0.1:*", {"ipv6": 1}, "::ffff:127.0.0.1"),
    ],
)
def test_who_the_peer_is(
    sockets: SocketFactory, endpoint: str, options: dict[str, int], address: str
) -> None:
    rep = sockets.open(zmq.REP, bind=endpoint, **options)
    req = sockets.open(zmq.REQ, connect=rep.last_endpoint.decode(), **options)
    for asks, answers, kind in ((req, rep, "REQ"), (rep, req, "REP")):
        asks.send(b"x")
        frame = answers.recv(copy=False)
        assert frame.get("Peer-Address") == address
        assert frame.get("Socket-Type") == kind


def test_both_families_come_to_a_wildcard(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, ipv6=1, bind="tcp://*:*")
    port = pull.last_endpoint.rpartition(b":")[2].decode()
    sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.1:{port}").send(b"four")
    assert pull.recv() == b"four"
    sockets.open(zmq.PUSH, ipv6=1, connect=f"tcp://[::1]:{port}").send(b"six")
    assert pull.recv() == b"six"


def test_ipv6_is_off_by_default(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="tcp://*:*")
    port = int(pull.last_endpoint.rpartition(b":")[2])
    with socket.socket(socket.AF_INET6) as stream:
        assert stream.connect_ex(("::1", port)) == errno.ECONNREFUSED


@pytest.mark.parametrize("immediate", [0, 1])
def test_immediate(sockets: SocketFactory, immediate: int) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    options: dict[str, Any] = {"reconnect_ivl": 5, "immediate": immediate}
    push = sockets.open(zmq.PUSH, connect=endpoint, **options)
    if immediate:
        with pytest.raises(zmq.Again):
            push.send(b"early", zmq.NOBLOCK)
    else:
        push.send(b"early", zmq.NOBLOCK)
    pull = sockets.open(zmq.PULL, bind=endpoint)
    push.send(b"late")
    assert [pull.recv() for _ in range(2 - immediate)] == [b"early", b"late"][immediate:]


def test_immediate_while_somebody_listens_and_says_nothing(sockets: SocketFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        push = sockets.open(zmq.PUSH, connect=endpoint, immediate=1)
        silent.settimeout(20)
        with silent.accept()[0] as stream:
            assert stream.recv(1) == b"\xff"  # connected, but no hands have been shaken
            with pytest.raises(zmq.Again):
                push.send(b"x", zmq.NOBLOCK)


def test_accept_filters(sockets: SocketFactory) -> None:
    filters = [b"127.0.0.2", b"10.0.0.0/8"]
    pull = sockets.open(zmq.PULL, tcp_accept_filter=filters, bind="tcp://127.0.0.1:*")
    there = pull.last_endpoint.decode().removeprefix("tcp://")
    kept_out = sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.3:0;{there}", reconnect_ivl=5)
    kept_out.send(b"kept out")
    let_in = sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.2:0;{there}")
    for _ in range(10):
        let_in.send(b"let in")
        assert pull.recv() == b"let in"


def test_ten_peers_at_one_port(sockets: SocketFactory) -> None:
    router = sockets.open(zmq.ROUTER, bind="tcp://127.0.0.1:*")
    endpoint = router.last_endpoint.decode()
    dealers = {
        b"%d" % number: sockets.open(zmq.DEALER, identity=b"%d" % number, connect=endpoint)
        for number in range(10)
    }
    for name, dealer in dealers.items():
        dealer.send(b"I am " + name)
    for _ in dealers:
        name, text = router.recv_multipart()
        assert text == b"I am " + name
        router.send_multipart([name, b"you are " + name])
    for name, dealer in dealers.items():
        assert dealer.recv() == b"you are " + name
