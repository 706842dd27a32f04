"""TOS: "Sets the ToS fields (Differentiated services (DS) and Explicit Congestion Notification
(ECN) field of the IP header."

PRIORITY, BUSY_POLL and BINDTODEVICE, which libzmq has since 4.3, are asked of the kernel likewise.
"""

import socket
from typing import Any

import pytest
from support.asked import IP, IP6, SOL, Asked, both_ways, workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.plain import Plain
from support.worker_sockets import worker_socket

pytestmark = workers_only

SO_BUSY_POLL = 46


@both_ways
@pytest.mark.parametrize(
    "asked",
    [
        Asked({}, IP, socket.IP_TOS, 0),
        Asked({"tos": 0xB8}, IP, socket.IP_TOS, 0xB8),
        Asked({"tos": 0x28}, IP, socket.IP_TOS, 0x28),
        Asked({"priority": 5}, SOL, socket.SO_PRIORITY, 5),
        Asked({"busy_poll": 50}, SOL, SO_BUSY_POLL, 50),
    ],
)
def test_what_the_kernel_is_asked_for(
    plain: Plain, sockets: SocketFactory, meet: Any, asked: Asked
) -> None:
    asked.check(meet, plain, sockets)


def test_over_ipv6(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, ipv6=1, tos=0xB8, bind="tcp://[::1]:*")
    client = plain.connect(server.last_endpoint)
    with worker_socket(client.getpeername()[:2], client.getsockname()[:2]) as found:
        assert found.getsockopt(IP6, socket.IPV6_TCLASS) == 0xB8


@both_ways
def test_one_network_interface_only(plain: Plain, sockets: SocketFactory, meet: Any) -> None:
    with meet(plain, sockets, bindtodevice=b"lo") as found:
        device = found.getsockopt(SOL, socket.SO_BINDTODEVICE, 16)
        assert device.rstrip(b"\0") == b"lo"


def test_it_counts_for_what_is_bound_after_it_was_set(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://127.0.0.1:*")
    first = server.last_endpoint
    server.setsockopt(zmq.TOS, 0x28)
    server.bind("tcp://127.0.0.1:*")
    for endpoint, tos in ((first, 0), (server.last_endpoint, 0x28)):
        client = plain.connect(endpoint)
        with worker_socket(client.getpeername(), client.getsockname()) as found:
            assert found.getsockopt(IP, socket.IP_TOS) == tos
