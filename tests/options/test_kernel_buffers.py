"""RCVBUF and SNDBUF: "shall set the underlying kernel receive [transmit] buffer size for the
'socket' to the specified size in bytes. A value of -1 means leave the OS default unchanged. For
details refer to your operating system documentation for the 'SO_RCVBUF' socket option."

The kernel doubles what it is asked for (socket(7)).
"""

import socket
from typing import Any

import pytest
from support.asked import SOL, both_ways, workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.links import Link
from support.plain import Plain

NAMES = {"sndbuf": socket.SO_SNDBUF, "rcvbuf": socket.SO_RCVBUF}


@workers_only
@both_ways
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [30_000, 5_000])
def test_the_size_is_asked_for(
    plain: Plain, sockets: SocketFactory, meet: Any, name: str, size: int
) -> None:
    with meet(plain, sockets, **{name: size}) as found:
        assert found.getsockopt(SOL, NAMES[name]) == 2 * size


@workers_only
@both_ways
@pytest.mark.parametrize("name", NAMES)
def test_minus_one_leaves_it_alone(
    plain: Plain, sockets: SocketFactory, meet: Any, name: str
) -> None:
    with (
        meet(plain, sockets) as default,
        meet(plain, sockets, **{name: [20_000, -1]}) as back,
    ):
        untouched = default.getsockopt(SOL, NAMES[name])
        assert back.getsockopt(SOL, NAMES[name]) == untouched != 40_000


def test_small_buffers_pass_large_messages(link: Link) -> None:
    small = {"sndbuf": 4_096, "rcvbuf": 4_096}
    pull, push = link.pair(zmq.PULL, zmq.PUSH, small, small)
    push.send(b"x" * 1_000_000)
    assert pull.recv() == b"x" * 1_000_000
