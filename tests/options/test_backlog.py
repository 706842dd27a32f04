"""BACKLOG: "the maximum length of the queue of outstanding peer connections for the specified
'socket'; this only applies to connection-oriented transports. For details refer to your operating
system documentation for the 'listen' function."
"""

import os
import signal
import socket
import struct
from pathlib import Path

import psutil
import pytest
from support.asked import TCP, workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.plain import Plain
from support.waiting import wait_for
from support.worker_sockets import worker_sockets

pytestmark = workers_only


@pytest.mark.parametrize(("options", "length"), [({"backlog": 13}, 13), ({}, 100)])
def test_the_kernel_is_told(sockets: SocketFactory, options: dict[str, int], length: int) -> None:
    server = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*", **options)
    assert queue_length(server.last_endpoint) == length


def test_it_counts_for_what_is_bound_after_it_was_set(sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PULL, backlog=7, bind="tcp://127.0.0.1:*")
    first = server.last_endpoint
    server.setsockopt(zmq.BACKLOG, 8)
    server.bind("tcp://127.0.0.1:*")
    assert (queue_length(first), queue_length(server.last_endpoint)) == (7, 8)


def queue_length(endpoint: bytes) -> int:
    """Return what a worker's listening socket was told."""
    port = int(endpoint.rpartition(b":")[2])
    with worker_sockets() as found:
        (listener,) = (each for each in found if each.getsockname()[1] == port)
        # Of a listening socket tcpi_sacked, the eighth word, is the length of the queue (tcp.h).
        info = listener.getsockopt(TCP, socket.TCP_INFO, 64)
        length: int = struct.unpack_from("I", info, 28)[0]
        return length


def test_over_ipc_no_more_may_wait(sockets: SocketFactory, plain: Plain, tmp_path: Path) -> None:
    path = f"{tmp_path}/s"
    server = sockets.open(zmq.PULL, backlog=5, bind=f"ipc://{path}")
    [worker] = [child for child in psutil.Process().children() if listens(child, path)]
    worker.suspend()  # it accepts nobody meanwhile
    try:
        wait_for(lambda: worker.status() == psutil.STATUS_STOPPED, "the worker is stopped")
        waiting = 0
        with pytest.raises(BlockingIOError):  # noqa: PT012 - it is the last that is refused
            while True:
                knock = plain.own(socket.socket(socket.AF_UNIX))
                knock.setblocking(False)
                knock.connect(path)
                waiting += 1
        assert waiting == 5 + 1  # Linux lets one more wait than is said
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    sockets.open(zmq.PUSH, connect=f"ipc://{path}").send(b"room again")
    assert server.recv() == b"room again"


def listens(worker: psutil.Process, path: str) -> bool:
    """Whether a process has this Unix socket."""
    return path in {each.laddr for each in worker.net_connections("unix")}
