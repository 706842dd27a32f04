"""Contexts and sockets that nobody holds any more, in cycles that the collector finds."""

import gc
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import wait_for

import shmzmq as zmq
from shmzmq.shm import segment as segments
from shmzmq.shm.liveness import this_process

PATIENCE_S = 20


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is warned of, as text: a record of pytest.warns would hold on to the socket itself."""
    said: list[str] = []

    def note(message: Warning | str, category: type[Warning], *_: object) -> None:
        assert category is ResourceWarning
        said.append(str(message))

    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", note)
        yield said


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


def test_a_context_and_an_open_socket(tmp_path: Path, warned: list[str]) -> None:
    before = own_names()
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    socket.bind(f"ipc://{tmp_path}/forgotten")
    Owner(context, socket)
    del context, socket
    collect()
    # The attendant may hold the context for a moment yet.
    wait_for(lambda: own_names() <= before, "no name is left")
    assert sorted(text.split(" <")[0] for text in warned) == ["unclosed context", "unclosed socket"]


def test_sockets_and_contexts_end_where_warnings_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: said.append(type(what.exc_value)))
    before = own_names()
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    socket.bind(f"ipc://{tmp_path}/forgotten")
    del socket, context
    wait_for(lambda: said == [ResourceWarning, ResourceWarning], "both have warned")
    assert own_names() <= before


def test_a_context_with_a_message_that_waits(tmp_path: Path, warned: list[str]) -> None:
    endpoint = f"ipc://{tmp_path}/late"
    context = zmq.Context()
    socket = context.socket(zmq.PUSH)
    socket.connect(endpoint)
    socket.send(b"for whoever comes")
    socket.close(linger=PATIENCE_S * 1000)
    Owner(context)
    del context, socket
    gc.collect()
    with zmq.Context() as living, living.socket(zmq.PULL) as pull:
        pull.rcvtimeo = PATIENCE_S * 1000
        pull.bind(endpoint)
        assert pull.recv() == b"for whoever comes"
    collect()
    wait_for(lambda: len(warned) == 1, "the context has warned")
    assert warned[0].startswith("unclosed context")


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
