"""A worker that lacks a descriptor, or memory of the kernel's, loses nothing and nobody else."""

import errno
import os
import select
from collections.abc import Callable
from typing import Any

import pytest
from support.factory import SocketFactory
from support.library import zmq
from support.pipes import own_names
from support.raw_peer import RawPeer, frame, listen_at
from support.waiting import PATIENCE_S
from support.worker_threads import WorkerThread

from shmzmq.shm.liveness import process_start, this_process
from shmzmq.workers import kept
from shmzmq.workers.commands import PeerEnd
from shmzmq.workers.exchange import Exchange
from shmzmq.workers.kept import KeptPipe, KeptPipes
from shmzmq.workers.reactor import Reactor


def failing(call: Callable[..., Any], times: int, number: int) -> Callable[..., Any]:
    """Return *call*, which fails so many times before it works."""
    left = [None] * times

    def attempt(*args: Any) -> Any:
        if left:
            left.pop()
            raise OSError(number, os.strerror(number))
        return call(*args)

    return attempt


def test_what_was_sent_waits_for_a_connection_that_can_be_relayed(
    sockets: SocketFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = listen_at("tcp://127.0.0.1:0")
    host, port = listener.getsockname()
    push = sockets.open(zmq.PUSH, connect=f"tcp://{host}:{port}", reconnect_ivl=1)
    push.send(b"not to be lost")
    monkeypatch.setattr(os, "dup", failing(os.dup, 2, errno.EMFILE))
    with listener:
        for _ in range(2):
            with RawPeer(listener.accept()[0]) as peer:
                peer.shake_hands(b"PULL")
                assert peer.is_hung_up()
        with RawPeer(listener.accept()[0]) as peer:
            peer.shake_hands(b"PULL")
            assert peer.hear_frame() == (0, b"not to be lost")


def test_nothing_stays_of_a_connection_that_cannot_be_relayed(
    sockets: SocketFactory, threads: list[WorkerThread], monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    endpoint = pull.last_endpoint.decode()
    with RawPeer(endpoint) as healthy:
        healthy.shake_hands(b"PUSH")
        healthy.say(frame(b"x"))
        assert pull.recv() == b"x"  # from now on the worker has all that it keeps
        names = own_names()
        boards = threads[0].worker._exchange.board, pull.board
        bits = [next_bit(board) for board in boards]
        monkeypatch.setattr(os, "dup", failing(os.dup, 3, errno.EMFILE))
        for _ in range(3):
            with RawPeer(endpoint) as peer:
                peer.shake_hands(b"PUSH")
                assert peer.is_hung_up()
        assert own_names() <= names
        assert [next_bit(board) for board in boards] == bits
        with RawPeer(endpoint) as peer:
            peer.shake_hands(b"PUSH")
            peer.say(frame(b"y"))
            assert pull.recv() == b"y"


def next_bit(board: Any) -> int:
    """Return the bit that the next pipe would get."""
    bit: int = board.allocate()
    board.release(bit)
    return bit


class Grudging:
    """An epoll without room for some descriptors."""

    def __init__(self, epoll: select.epoll, refusals: list[int]) -> None:
        self._epoll = epoll
        self._refusals = refusals

    def register(self, fd: int, events: int) -> None:
        """Register *fd*, unless another refusal is due."""
        if self._refusals:
            number = self._refusals.pop()
            raise OSError(number, os.strerror(number))
        self._epoll.register(fd, events)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._epoll, name)


def test_a_peer_that_cannot_be_watched_costs_that_peer_only(
    sockets: SocketFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[int] = []
    epoll = select.epoll
    monkeypatch.setattr(select, "epoll", lambda: Grudging(epoll(), refusals))
    pull = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    endpoint = pull.last_endpoint.decode()
    with RawPeer(endpoint) as healthy:
        healthy.shake_hands(b"PUSH")
        healthy.say(frame(b"before"))
        assert pull.recv() == b"before"
        refusals.append(errno.ENOSPC)
        with RawPeer(endpoint) as unlucky:
            assert unlucky.is_hung_up()
        with RawPeer(endpoint) as another:
            another.shake_hands(b"PUSH")
            another.say(frame(b"another"))
            assert pull.recv() == b"another"
        healthy.say(frame(b"after"))
        assert pull.recv() == b"after"


class Watch:
    """Kept pipes in a reactor of the test's own."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.lost: list[KeptPipe] = []
        self.pipes = KeptPipes(self.reactor, self._lose)

    def _lose(self, pipe: KeptPipe) -> None:
        self.lost.append(pipe)
        self.reactor.stop()

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Let the reactor run until then, or until a pipe is lost."""
        late = self.reactor.call_later(PATIENCE_S, self.reactor.stop)

        def look() -> None:
            if until():
                self.reactor.stop()

        self.reactor.run(Exchange(self.reactor), look)
        late.cancel()


def pipe_to(pid: int, start: int) -> KeptPipe:
    return KeptPipe(bytes(16), "/none", 0, PeerEnd("/none", 0, 0, 0, pid, start))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_far_end_that_cannot_be_watched_is_not_dead(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(kept, "_LOOK_AGAIN_S", 0.001)
    looks = []
    attempt = failing(os.pidfd_open, 3, number)

    def pidfd_open(pid: int) -> int:
        looks.append(pid)
        fd: int = attempt(pid)
        return fd

    monkeypatch.setattr(os, "pidfd_open", pidfd_open)
    watch = Watch()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    watch.pipes.keep(pipe_to(child, process_start(child) or 0))
    watch.run(lambda: len(looks) == 4)
    assert looks == [child] * 4
    assert watch.lost == []
    os.close(write)  # it ends now, which is seen
    watch.run()
    os.waitpid(child, 0)
    assert len(watch.lost) == 1
    assert len(watch.pipes) == 0


def test_a_later_process_with_the_same_pid_is_another() -> None:
    watch = Watch()
    me = this_process()
    watch.pipes.keep(pipe_to(me.pid, me.start + 1))
    watch.run()
    assert len(watch.lost) == 1


def test_taken_before_it_was_looked_at() -> None:
    watch = Watch()
    pipe = pipe_to(*this_process())
    watch.pipes.keep(pipe)
    assert watch.pipes.take(pipe.token) is pipe
    watch.reactor.call_later(0.01, watch.reactor.stop)
    watch.run()
    assert watch.lost == []
