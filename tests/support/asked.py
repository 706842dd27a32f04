"""What a worker has asked of the kernel for a connection, read from the very socket it has."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from support.factory import SocketFactory
from support.library import ours_better, zmq
from support.plain import Plain
from support.worker_sockets import worker_socket

SOL, TCP, IP, IP6 = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6

workers_only = ours_better("libzmq's sockets are in this process, and not those of a worker")


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


both_ways = pytest.mark.parametrize("meet", [bound, connected])


class Asked(NamedTuple):
    """What the kernel is to be asked for by a socket with these options."""

    options: dict[str, int]
    level: int
    option: int
    value: int

    def check(self, meet: Any, plain: Plain, sockets: SocketFactory) -> None:
        """Have a connection, one of `both_ways`, and look at its socket."""
        with meet(plain, sockets, **self.options) as found:
            assert found.getsockopt(self.level, self.option) == self.value
