"""What happens to a socket's connections while its program does something else."""

import errno
import threading
from pathlib import Path

import pytest
from crash.cast import Cast
from crash.traffic import Stream
from support.factory import SocketFactory
from support.library import zmq
from support.waiting import Background, wait_for, wait_until_blocked

from shmzmq.errors import ZMQError
from shmzmq.shm import segment as segments
from shmzmq.shm.layout import Kind
from shmzmq.shm.segment import Segment

SENDER = 7


def test_its_messages_go_on_to_one_peer_after_the_other(cast: Cast, sockets: SocketFactory) -> None:
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=5)
    stream = Stream(push, SENDER)
    stream.fill(1000)
    left = stream.number
    for _ in range(2):
        victim = cast.start("receive", type="PULL", how="bind", endpoint=endpoint, most=100)
        victim.await_progress(stream.number - left + 100)
        left -= 100
        victim.kill()
    heir = cast.start("receive", type="PULL", how="bind", endpoint=endpoint)
    stream.await_arrival(heir.record)


def test_a_fresh_pipe_is_made_as_soon_as_there_is_memory(
    cast: Cast, sockets: SocketFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=5)
    stream = Stream(push, SENDER)
    victim = cast.start("receive", type="PULL", how="bind", endpoint=endpoint)
    stream.send_until(victim.record, 1)
    victim.suspend()
    stream.fill(1500)
    make = segments.create
    refusals = []

    def refuse_thrice(kind: Kind, size: int, *, token: bytes = bytes(16)) -> Segment:
        if len(refusals) < 3:
            refusals.append(size)
            raise ZMQError(errno.ENOBUFS, "no memory for a test")
        return make(kind, size, token=token)

    monkeypatch.setattr(segments, "create", refuse_thrice)
    victim.kill()
    heir = cast.start("receive", type="PULL", how="bind", endpoint=endpoint)
    stream.await_arrival(heir.record)
    assert len(refusals) == 3


def test_a_call_waits_until_the_attendant_has_done(sockets: SocketFactory, tmp_path: Path) -> None:
    """Between its calls a socket is the attendant's, and never at the same time."""
    pull = sockets.open(zmq.PULL, bind=f"ipc://{tmp_path}/end")
    push = sockets.open(zmq.PUSH, connect=pull.last_endpoint.decode())
    push.send(b"first")
    taken, done = threading.Event(), threading.Event()

    def attend() -> None:
        assert pull.borrow()
        taken.set()
        done.wait()
        pull.give_back()

    attendant = Background(attend)
    taken.wait()
    receiving = Background(pull.recv)
    wait_until_blocked(receiving)
    assert receiving.is_alive()
    done.set()
    attendant.result()
    assert receiving.result() == b"first"


def test_the_attendant_leaves_a_socket_to_a_call_under_way(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://busy")
    receiving = Background(pull.recv)
    wait_until_blocked(receiving)
    assert not pull.borrow()
    push = sockets.open(zmq.PUSH, connect="inproc://busy")
    push.send(b"end")
    assert receiving.result() == b"end"
    wait_for(pull.borrow, "the socket is free")
    pull.give_back()


def test_what_goes_wrong_meanwhile_is_raised_by_the_next_call(
    cast: Cast, sockets: SocketFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, connect=endpoint)

    def fail(*_: object) -> None:
        raise ZMQError(errno.EMFILE, "none left")

    monkeypatch.setattr("shmzmq.keepers.connect.attach_far_end", fail)
    receiver = cast.start("receive", type="PULL", how="bind", endpoint=endpoint, wait=False)
    wait_for(lambda: push._failures, "the attendant was refused")
    with pytest.raises(ZMQError, match="none left"):
        push.send(b"x")
    receiver.kill()
