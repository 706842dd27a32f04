"""TCP_MAXRT (4.2-dev: TCP_RETRANSMIT_TIMEOUT): "sets how long before an unacknowledged TCP
retransmit times out. The system normally attempts many TCP retransmits following an exponential
backoff strategy. [...] Setting this option allows the timeout to happen at a shorter interval."
"""

import socket
from typing import Any

import pytest
from support.asked import TCP, both_ways, workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.links import free_port
from support.plain import Plain
from support.raw_peer import RawPeer

NAMES = pytest.mark.parametrize("name", ["tcp_maxrt", "tcp_retransmit_timeout"])


@workers_only
@both_ways
@NAMES
@pytest.mark.parametrize("timeout_ms", [7000, 0])
def test_the_kernel_is_told(
    plain: Plain, sockets: SocketFactory, meet: Any, name: str, timeout_ms: int
) -> None:
    with meet(plain, sockets, **{name: timeout_ms}) as found:
        assert found.getsockopt(TCP, socket.TCP_USER_TIMEOUT) == timeout_ms


@workers_only
@both_ways
def test_by_default_it_is_the_kernels_affair(
    plain: Plain, sockets: SocketFactory, meet: Any
) -> None:
    with meet(plain, sockets) as found:
        assert found.getsockopt(TCP, socket.TCP_USER_TIMEOUT) == 0


def test_a_peer_that_takes_nothing_is_given_up(plain: Plain, sockets: SocketFactory) -> None:
    """What cannot be sent for want of room in the peer's buffer counts as not acknowledged."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()
        listener.settimeout(20)
        push = sockets.open(
            zmq.PUSH,
            tcp_maxrt=100,
            reconnect_ivl=10,
            sndbuf=4096,
            connect=f"tcp://127.0.0.1:{listener.getsockname()[1]}",
        )
        deaf = RawPeer(plain.own(listener.accept()[0]))
        deaf.shake_hands(b"PULL")
        push.send(bytes(10_000_000))
        RawPeer(plain.own(listener.accept()[0])).shake_hands(b"PULL")  # it has connected again
