"""Contexts and sockets that nobody holds any more, in cycles that the collector finds."""

import gc
import threading
from pathlib import Path

import pytest
from support.waiting import wait_for

import shmzmq as zmq
from shmzmq.shm import segment as segments
from shmzmq.shm.liveness import this_process

PATIENCE_S = 20


class Owner:
    """An object that holds itself, and with it whatever it is given."""

    def __init__(self, *things: object) -> None:
        self.everything = (self, *things)


def collect() -> None:
    """Have the collector find what is forgotten, and wait until that has come to its end."""
    gc.collect()
    for thread in threading.enumerate():
        if thread.name == "shmzmq-forgotten-context":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def own_names() -> int:
    """Count this process's names in /dev/shm."""
    return sum(name.owner == this_process() for name in segments.names())


def test_a_context_and_an_open_socket(tmp_path: Path) -> None:
    before = own_names()
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    socket.bind(f"ipc://{tmp_path}/forgotten")
    Owner(context, socket)
    del context, socket
    with pytest.warns(ResourceWarning):
        collect()
    wait_for(lambda: own_names() == before, "no name is left")


def test_a_context_with_a_message_that_waits(tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/late"
    context = zmq.Context()
    socket = context.socket(zmq.PUSH)
    socket.connect(endpoint)
    socket.send(b"for whoever comes")
    socket.close(linger=PATIENCE_S * 1000)
    Owner(context)
    del context, socket
    with pytest.warns(ResourceWarning):
        gc.collect()
    with zmq.Context() as living, living.socket(zmq.PULL) as pull:
        pull.rcvtimeo = PATIENCE_S * 1000
        pull.bind(endpoint)
        assert pull.recv() == b"for whoever comes"
    collect()


@pytest.mark.parametrize("disconnects", [False, True])
def test_a_message_for_a_name_that_is_bound_later(disconnects: bool) -> None:
    with zmq.Context() as context:
        socket = context.socket(zmq.PUSH)
        socket.connect("inproc://later")
        socket.send(b"waits")
        if disconnects:
            socket.disconnect("inproc://later")
        socket.close()
        del socket
        gc.collect()
        with context.socket(zmq.PULL) as pull:
            pull.rcvtimeo = PATIENCE_S * 1000
            pull.bind("inproc://later")
            assert pull.recv() == b"waits"
