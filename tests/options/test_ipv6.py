"""IPV6: "A value of 1 means IPv6 is enabled on the socket, while 0 means the socket will use only
IPv4. When IPv6 is enabled the socket will connect to, or accept connections from, both IPv4 and
IPv6 hosts." IPV4ONLY: "deprecated. Please use the ZMQ_IPV6 option."
"""

import errno

import pytest
from support.factory import SocketFactory
from support.library import IS_LIBZMQ, zmq
from support.plain import Plain
from support.remote import PeerProcess

ON = pytest.mark.parametrize("on", [{"ipv6": 1}, {"ipv4only": 0}], ids=["IPV6", "IPV4ONLY"])


@ON
def test_both_kinds_of_hosts_are_accepted(
    plain: Plain, sockets: SocketFactory, on: dict[str, int]
) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://*:*", **on)
    port = server.last_endpoint.rstrip(b"\0").rpartition(b":")[2].decode()
    plain.connect(f"tcp://127.0.0.1:{port}")
    plain.connect(f"tcp://[::1]:{port}")


@pytest.mark.parametrize("off", [{}, {"ipv6": [1, 0]}, {"ipv4only": [0, 1]}])
def test_without_it_only_ipv4_is(
    plain: Plain, sockets: SocketFactory, off: dict[str, list[int]]
) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://*:*", **off)
    port = server.last_endpoint.rstrip(b"\0").rpartition(b":")[2].decode()
    plain.connect(f"tcp://127.0.0.1:{port}")
    with pytest.raises(ConnectionRefusedError):
        plain.dial(f"tcp://[::1]:{port}")
    with pytest.raises(zmq.ZMQError) as refused:
        server.bind("tcp://[::1]:*")
    assert refused.value.errno == errno.ENODEV


@ON
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_kinds_of_hosts_are_connected_to(
    plain: Plain, sockets: SocketFactory, on: dict[str, int], host: str
) -> None:
    listener = plain.listener(host)
    written = f"[{host}]" if ":" in host else host
    sockets.open(zmq.PUSH, connect=f"tcp://{written}:{listener.getsockname()[1]}", **on)
    plain.accept(listener)


def test_the_two_are_one_read_backwards(sockets: SocketFactory) -> None:
    socket = sockets.open(zmq.PUSH)
    for on in (1, 0, 1):
        socket.setsockopt(zmq.IPV6, on)
        assert (socket.getsockopt(zmq.IPV6), socket.getsockopt(zmq.IPV4ONLY)) == (on, 1 - on)
        socket.setsockopt(zmq.IPV4ONLY, on)
        assert (socket.getsockopt(zmq.IPV6), socket.getsockopt(zmq.IPV4ONLY)) == (1 - on, on)


@pytest.mark.skipif(IS_LIBZMQ, reason="the far end is libzmq")
def test_libzmq_comes_by_ipv6(sockets: SocketFactory, libzmq: PeerProcess) -> None:
    pull = sockets.open(zmq.PULL, ipv6=1, bind="tcp://*:*")
    port = pull.last_endpoint.rpartition(b":")[2].decode()
    libzmq.open(zmq.PUSH, ipv6=1, connect=f"tcp://[::1]:{port}").send(b"by IPv6")
    assert pull.recv() == b"by IPv6"
    libzmq.open(zmq.PUSH, connect=f"tcp://127.0.0.1:{port}").send(b"by IPv4")
    assert pull.recv() == b"by IPv4"


def test_it_counts_for_what_is_bound_after_it_was_set(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://*:*")
    first = server.last_endpoint.rstrip(b"\0").rpartition(b":")[2].decode()
    server.setsockopt(zmq.IPV6, 1)
    with pytest.raises(ConnectionRefusedError):
        plain.dial(f"tcp://[::1]:{first}")
    server.bind("tcp://*:*")
    plain.connect(
        f"tcp://[::1]:{server.last_endpoint.rstrip(bytes(1)).rpartition(b':')[2].decode()}"
    )
