"""What the options of tcp do, seen on the worker's own socket and from the peer's side."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.factory import SocketFactory
from support.library import zmq
from support.waiting import wait_for
from support.worker_sockets import worker_socket, worker_sockets

from .conftest import Plain

SOL, TCP, IP, IP6 = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6
SO_BUSY_POLL = 46
IDLE_BY_DEFAULT_S = 7200  # tcp(7)

# What is set, and which option of the worker's socket then has which value. The kernel doubles the
# sizes of buffers (socket(7)).
EFFECTS: list[tuple[dict[str, Any], int, int, int]] = [
    ({}, TCP, socket.TCP_NODELAY, 1),
    ({}, SOL, socket.SO_KEEPALIVE, 0),
    ({"sndbuf": 30_000}, SOL, socket.SO_SNDBUF, 60_000),
    ({"rcvbuf": 30_000}, SOL, socket.SO_RCVBUF, 60_000),
    ({"tcp_keepalive": 1}, SOL, socket.SO_KEEPALIVE, 1),
    ({"tcp_keepalive": 0}, SOL, socket.SO_KEEPALIVE, 0),
    ({"tcp_keepalive": 1, "tcp_keepalive_cnt": 3}, TCP, socket.TCP_KEEPCNT, 3),
    ({"tcp_keepalive": 1, "tcp_keepalive_idle": 77}, TCP, socket.TCP_KEEPIDLE, 77),
    ({"tcp_keepalive": 1, "tcp_keepalive_intvl": 5}, TCP, socket.TCP_KEEPINTVL, 5),
    ({"tcp_keepalive_idle": 77}, TCP, socket.TCP_KEEPIDLE, IDLE_BY_DEFAULT_S),
    ({"tcp_maxrt": 7000}, TCP, socket.TCP_USER_TIMEOUT, 7000),
    ({"tos": 0xB8}, IP, socket.IP_TOS, 0xB8),
    ({"priority": 5}, SOL, socket.SO_PRIORITY, 5),
    ({"busy_poll": 50}, SOL, SO_BUSY_POLL, 50),
]


@contextmanager
def bound(plain: Plain, sockets: SocketFactory, **options: Any) -> Iterator[socket.socket]:
    """Give the worker's socket of a connection to a bound socket with these options."""
    server = sockets.open(zmq.PUSH, bind="tcp://127.0.0.1:*", **options)
    client = plain.connect(server.last_endpoint)
    with worker_socket(client.getpeername(), client.getsockname()) as found:
        yield found


@contextmanager
def connected(plain: Plain, sockets: SocketFactory, **options: Any) -> Iterator[socket.socket]:
    """Give the worker's socket of a connection that a socket with these options has made."""
    listener = plain.listener()
    sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.1:{listener.getsockname()[1]}", **options)
    server = plain.accept(listener)
    with worker_socket(server.getpeername(), server.getsockname()) as found:
        yield found


@pytest.mark.parametrize("meet", [bound, connected])
@pytest.mark.parametrize(("options", "level", "option", "value"), EFFECTS)
def test_what_the_kernel_is_asked_for(
    plain: Plain,
    sockets: SocketFactory,
    meet: Any,
    options: dict[str, Any],
    level: int,
    option: int,
    value: int,
) -> None:
    with meet(plain, sockets, **options) as found:
        assert found.getsockopt(level, option) == value


@pytest.mark.parametrize("meet", [bound, connected])
def test_one_network_interface_only(plain: Plain, sockets: SocketFactory, meet: Any) -> None:
    with meet(plain, sockets, bindtodevice=b"lo") as found:
        device = found.getsockopt(SOL, socket.SO_BINDTODEVICE, 16)
        assert device.rstrip(b"\0") == b"lo"


def test_tos_over_ipv6(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, ipv6=1, tos=0xB8, bind="tcp://[::1]:*")
    client = plain.connect(server.last_endpoint)
    with worker_socket(client.getpeername()[:2], client.getsockname()[:2]) as found:
        assert found.getsockopt(IP6, socket.IPV6_TCLASS) == 0xB8


def test_backlog(sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PULL, backlog=13, bind="tcp://127.0.0.1:*")
    port = int(server.last_endpoint.rpartition(b":")[2])
    with worker_sockets() as found:
        (listener,) = (each for each in found if each.getsockname()[1] == port)
        # Of a listening socket tcpi_sacked, the eighth word, is the length of the queue (tcp.h).
        info = listener.getsockopt(TCP, socket.TCP_INFO, 64)
        assert struct.unpack_from("I", info, 28) == (13,)


def test_accept_filters(plain: Plain, sockets: SocketFactory) -> None:
    filters = [b"127.0.0.2", b"127.1.0.0/16"]
    server = sockets.open(zmq.PUSH, tcp_accept_filter=filters, bind="tcp://127.0.0.1:*")
    plain.connect(server.last_endpoint, source="127.0.0.2")
    assert plain.dial(server.last_endpoint, source="127.0.0.3").recv(1) == b""
    plain.connect(server.last_endpoint, source="127.1.2.3")
    server.setsockopt(zmq.TCP_ACCEPT_FILTER, None)
    server.bind("tcp://127.0.0.1:*")
    plain.connect(server.last_endpoint, source="127.0.0.3")


def test_connect_timeout(plain: Plain, sockets: SocketFactory) -> None:
    deaf = plain.listener(backlog=0)
    for _ in range(4):  # the queue is full then, and the system answers nobody
        knock = socket.socket()
        plain.own(knock)
        knock.setblocking(False)
        knock.connect_ex(deaf.getsockname())
    port = deaf.getsockname()[1]
    options = {"connect_timeout": 20, "reconnect_ivl": 1}
    sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.1:{port}", **options)
    seen = set()

    def has_tried_often() -> bool:
        with worker_sockets() as found:
            seen.update(stream.getsockname()[1] for stream in found)
        return len(seen) >= 4  # a fresh socket each time, where TCP itself would go on with one

    wait_for(has_tried_often, "it tries again and again")


def test_handshake_interval(plain: Plain, sockets: SocketFactory) -> None:
    listener = plain.listener()
    endpoint = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    began = time.monotonic()  # the worker's timer may run when `open` returns
    sockets.open(zmq.PUSH, handshake_ivl=50, connect=endpoint)
    silent = plain.accept(listener)
    while silent.recv(4096):
        pass
    assert time.monotonic() - began >= 0.05


def pauses(plain: Plain, sockets: SocketFactory, count: int, **options: int) -> list[float]:
    """Return how long after its end each connection was followed by another, in seconds.

    From just before the end to just after the next beginning, so that nothing that keeps us waiting
    makes it look shorter than the worker's pause.
    """
    listener = plain.listener()
    sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.1:{listener.getsockname()[1]}", **options)
    found = []
    stream = plain.accept(listener)
    for _ in range(count):
        began = time.monotonic()
        stream.close()
        stream = plain.accept(listener)
        found.append(time.monotonic() - began)
    return found


def test_reconnect_interval(plain: Plain, sockets: SocketFactory) -> None:
    assert min(pauses(plain, sockets, 3, reconnect_ivl=60)) >= 0.06


def test_reconnect_interval_grows(plain: Plain, sockets: SocketFactory) -> None:
    found = pauses(plain, sockets, 4, reconnect_ivl=20, reconnect_ivl_max=80)
    least = [0.02, 0.04, 0.08, 0.08]
    assert all(pause >= due for pause, due in zip(found, least, strict=True)), found


def test_not_connecting_again(plain: Plain, sockets: SocketFactory) -> None:
    once = plain.listener()
    sockets.open(zmq.PUSH, reconnect_ivl=-1, connect=f"tcp://127.0.0.1:{once.getsockname()[1]}")
    plain.accept(once).close()
    pauses(plain, sockets, 5, reconnect_ivl=10)  # meanwhile another socket does, again and again
    once.setblocking(False)
    with pytest.raises(BlockingIOError):
        once.accept()


@pytest.mark.parametrize(
    ("address", "source"), [("127.0.0.2:0", "127.0.0.2"), ("lo:*", "127.0.0.1")]
)
def test_source_addresses(plain: Plain, sockets: SocketFactory, address: str, source: str) -> None:
    listener = plain.listener()
    endpoint = f"tcp://{address};127.0.0.1:{listener.getsockname()[1]}"
    push = sockets.open(zmq.PUSH, connect=endpoint)
    assert plain.accept(listener).getpeername()[0] == source
    assert push.last_endpoint == endpoint.encode()


def test_host_names(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://localhost:*")
    assert server.last_endpoint.startswith(b"tcp://127.0.0.1:")
    plain.connect(server.last_endpoint)
    listener = plain.listener()
    sockets.open(zmq.PUSH, connect=f"tcp://localhost:{listener.getsockname()[1]}")
    plain.accept(listener)


# -- descriptors that the application made ---------------------------------------------------------


@pytest.mark.parametrize("number", [zmq.USE_FD, zmq.PRE_ALLOCATED_FD])
def test_a_listening_descriptor(plain: Plain, sockets: SocketFactory, number: int) -> None:
    made = socket.create_server(("127.0.0.1", 0))
    port = made.getsockname()[1]
    server = sockets.open(zmq.PUSH)
    server.setsockopt(number, made.detach())
    server.bind("tcp://127.0.0.1:1")  # the address counts for nothing then
    assert server.last_endpoint == f"tcp://127.0.0.1:{port}".encode()
    plain.connect(server.last_endpoint)
    server.unbind(server.last_endpoint)
    with pytest.raises(ConnectionRefusedError):
        plain.dial(f"tcp://127.0.0.1:{port}")


def test_a_listening_unix_descriptor(sockets: SocketFactory, tmp_path: Any) -> None:
    made = socket.socket(socket.AF_UNIX)
    made.bind(f"{tmp_path}/s")
    made.listen()
    pull = sockets.open(zmq.PULL, use_fd=made.detach(), bind="ipc://ignored")
    assert pull.last_endpoint == f"ipc://{tmp_path}/s".encode()
    sockets.open(zmq.PUSH, connect=f"ipc://{tmp_path}/s").send(b"hello")
    assert pull.recv() == b"hello"
    pull.close()
    assert (tmp_path / "s").is_socket()  # whoever made it takes it away


def test_descriptors_that_are_none(sockets: SocketFactory, tmp_path: Any) -> None:
    with (tmp_path / "file").open("wb") as file, socket.socket() as silent:
        for number, words in (
            (file.fileno(), "socket"),
            (silent.fileno(), "does not listen"),
            (999_999, "USE_FD = 999999"),
        ):
            with pytest.raises(zmq.ZMQError, match=words):
                sockets.open(zmq.PUSH, use_fd=number, bind="tcp://127.0.0.1:*")


def test_a_descriptor_that_is_somebody_elses_by_now(sockets: SocketFactory) -> None:
    made = socket.create_server(("127.0.0.1", 0))
    server = sockets.open(zmq.PUSH, use_fd=made.fileno(), bind="tcp://127.0.0.1:*")
    number = made.fileno()
    made.close()  # it was the socket's to close
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert other.fileno() == number
        server.close()
        assert other.getsockopt(SOL, socket.SO_ACCEPTCONN)
