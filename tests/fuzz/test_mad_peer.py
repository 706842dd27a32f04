"""Nonsense in a ring between full sockets: the connection ends, is reported, and comes back."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.waiting import wait_for

import shmzmq as zmq
from shmzmq.shm.layout import OFFSETS, RING_CONTROL_OFFSETS

PATIENCE_MS = 20_000


def pipe_of(socket: zmq.Socket) -> Any:
    """Return the pipe of a socket's one connection."""
    (keeper,) = socket._keepers
    return keeper.pipe


def poke(pipe: Any, ring: int, name: str, value: int) -> None:
    """Overwrite a word of one of a pipe's control blocks."""
    pipe.segment.set_word(RING_CONTROL_OFFSETS[ring] + OFFSETS["ring"][name], value)


def all_met(hub: zmq.Socket, *others: zmq.Socket) -> bool:
    """Have the sockets look at their events; tell whether every pipe has both ends."""
    for socket in (hub, *others):
        socket.poll(0, zmq.POLLIN | zmq.POLLOUT)
    (bound,) = hub._keepers
    return len(bound._lines) == len(others) and all(pipe_of(peer).is_attached for peer in others)


def post(pipe: Any) -> None:
    """Post a pipe on its far end's board, as its flush would."""
    word, bit = divmod(pipe.peer_bit, 64)
    place = OFFSETS["board"]["ready"] + 8 * word
    board = pipe.peer.segment
    board.set_word(place, board.word(place) | 1 << bit)
    pipe.peer.notify(0)


@pytest.fixture
def hub(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[zmq.Socket]]:
    """A bound socket of the type asked for, with two that connect to it: itself, mad, healthy."""
    near, far = request.param
    with zmq.Context() as context:
        sockets = [context.socket(kind) for kind in (near, far, far)]
        for socket in sockets:
            socket.linger = 0
            socket.rcvtimeo = socket.sndtimeo = PATIENCE_MS
        sockets[0].bind(f"ipc://{tmp_path}/hub")
        for socket in sockets[1:]:
            socket.connect(f"ipc://{tmp_path}/hub")
        wait_for(lambda: all_met(*sockets), "both peers are connected")
        yield sockets
        for socket in sockets:
            socket.close()


@pytest.mark.parametrize("hub", [(zmq.PULL, zmq.PUSH)], indirect=True, ids=["pull"])
def test_should_report_a_writer_of_nonsense_and_take_it_back_sane(
    hub: list[zmq.Socket], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="shmzmq")
    pull, mad, healthy = hub
    for socket in (mad, healthy):
        socket.send(b"before")
    assert [pull.recv(), pull.recv()] == [b"before"] * 2
    old = pipe_of(mad).segment.name
    poke(pipe_of(mad), 0, "tail", 12)
    post(pipe_of(mad))
    for number in range(40):
        healthy.send(b"%d" % number)
        assert pull.recv() == b"%d" % number
    assert any("wrote nonsense" in record.message for record in caplog.records)

    def comes_back() -> bool:
        mad.poll(0, zmq.POLLOUT)
        return bool(pipe_of(mad).segment.name != old and pipe_of(mad).is_attached)

    wait_for(comes_back, "the mad peer is connected anew")
    mad.send(b"sane")
    assert pull.recv() == b"sane"


@pytest.mark.parametrize("hub", [(zmq.PUSH, zmq.PULL)], indirect=True, ids=["push"])
def test_should_report_a_reader_of_nonsense_and_send_to_the_other(
    hub: list[zmq.Socket], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="shmzmq")
    push, mad, healthy = hub
    for _ in "12":
        push.send(b"before")
    assert [mad.recv(), healthy.recv()] == [b"before"] * 2
    poke(pipe_of(mad), 1, "read", 1 << 40)
    poke(pipe_of(mad), 1, "head", 1 << 40)
    sent = 0
    while not any("wrote nonsense" in record.message for record in caplog.records):
        push.send(b"%d" % sent)
        sent += 1
        assert sent < 100_000
        if healthy.poll(0):
            healthy.recv()
    while healthy.poll(0):
        healthy.recv()
    push.send(b"last")
    assert b"last" in (healthy.recv(), mad.recv(zmq.DONTWAIT) if mad.poll(0) else b"")
