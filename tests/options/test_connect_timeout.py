"""CONNECT_TIMEOUT: "how long to wait before timing-out a connect() system call. The connect()
system call normally takes a long time before it returns a time out error. Setting this option
allows the library to time out the call at an earlier interval." 0: "disabled".
"""

import socket

import pytest
from support.asked import workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.plain import Plain
from support.waiting import wait_for
from support.worker_sockets import worker_sockets

pytestmark = workers_only


@pytest.fixture
def deaf(plain: Plain) -> tuple[str, int]:
    """An address where the system answers nobody: the queue of who listens there is full."""
    listener = plain.listener(backlog=0)
    for _ in range(4):
        knock = plain.own(socket.socket())
        knock.setblocking(False)
        knock.connect_ex(listener.getsockname())
    address: tuple[str, int] = listener.getsockname()
    return address


def attempts(ports: set[int]) -> set[int]:
    """Return *ports* and those from which workers try to connect at this moment."""
    with worker_sockets() as found:
        ports.update(stream.getsockname()[1] for stream in found)
    return ports


def test_an_attempt_ends_in_time_and_another_follows(
    sockets: SocketFactory, deaf: tuple[str, int]
) -> None:
    options = {"connect_timeout": 20, "reconnect_ivl": 1}
    sockets.open(zmq.PUSH, connect=f"tcp://{deaf[0]}:{deaf[1]}", **options)
    seen: set[int] = set()
    # A fresh socket each time, where TCP itself would go on with one.
    wait_for(lambda: len(attempts(seen)) >= 4, "it tries again and again")


def test_without_it_one_attempt_goes_on(sockets: SocketFactory, deaf: tuple[str, int]) -> None:
    endpoint = f"tcp://{deaf[0]}:{deaf[1]}"
    patient = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=1)
    seen: set[int] = set()
    [port] = wait_for(lambda: attempts(seen), "it tries")
    sockets.open(zmq.PUSH, connect=endpoint, connect_timeout=20, reconnect_ivl=1)
    wait_for(lambda: len(attempts(seen)) >= 5, "another one tries again and again")
    assert port in attempts(set())
    patient.close()


def test_it_counts_for_the_next_connect(sockets: SocketFactory, deaf: tuple[str, int]) -> None:
    endpoint = f"tcp://{deaf[0]}:{deaf[1]}"
    push = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=1)
    seen: set[int] = set()
    [port] = wait_for(lambda: attempts(seen), "it tries")
    push.setsockopt(zmq.CONNECT_TIMEOUT, 20)
    push.connect(endpoint)
    wait_for(lambda: len(attempts(seen)) >= 5, "the second endpoint tries again and again")
    assert port in attempts(set())
