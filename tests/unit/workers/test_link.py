"""The application's stream to a worker when the process behind it goes, or cannot be had."""

import contextlib
import errno
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from support.library import zmq
from support.pipes import no_names_left, own_names
from support.waiting import PATIENCE_MS, PATIENCE_S, Background, wait_for

from shmzmq.errors import ZMQError
from shmzmq.pipe_segment import create_pipe_segment
from shmzmq.placement import Placement
from shmzmq.shm.liveness import this_process
from shmzmq.workers import commands, link, pool
from shmzmq.workers.commands import Arrived, Bind, Bound, Idle, PeerEnd, Refused, Release


class NoProcess:
    """In place of a worker's Popen."""

    pid = os.getpid()
    returncode: int | None = None

    def wait(self, timeout: float) -> int:
        """It has ended."""
        return 0


class Stage:
    """A WorkerLink whose worker is the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.far: list[socket.socket] = []
        monkeypatch.setattr(link, "start", self._start)
        self.link = link.WorkerLink()

    def _start(self) -> tuple[NoProcess, socket.socket]:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near.setblocking(False)
        far.settimeout(PATIENCE_S)
        self.far.append(far)
        return NoProcess(), near

    def hear(self) -> commands.Packet:
        """Return the next command."""
        return commands.decode(self.far[-1].recv(commands.MAX_PACKET))

    def say(self, packet: commands.Packet, *fds: int) -> None:
        """Send an event."""
        socket.send_fds(self.far[-1], [commands.encode(packet)], fds)

    def await_question(self, kind: type[commands.Packet]) -> None:
        """Wait until somebody has asked this."""
        while not isinstance(self.hear(), kind):
            pass


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A worker that says what the test wants."""
    monkeypatch.setattr(pool, "_reserve", [])
    with no_names_left():
        made = Stage(monkeypatch)
        yield made
        for far in made.far:
            far.close()
        made.link.end()


def bind(key: int) -> Bind:
    return Bind(key, 1, "tcp", "127.0.0.1:1", {}, "PULL")


def bound(key: int) -> Bound:
    return Bound(key, 0, "", f"number {key}")


def ask(stage: Stage, key: int, kept: list[Any] | None = None) -> Background:
    """Ask for a bind in a thread, which collects events into *kept*."""

    def meanwhile() -> None:
        kept.extend(event for event, _ in stage.link.collect())

    return Background(
        lambda: stage.link.ask(bind(key), Bound, key, (), None if kept is None else meanwhile)
    )


def test_answers_go_to_those_who_asked(stage: Stage) -> None:
    asking = {key: ask(stage, key) for key in (1, 2, 3)}
    for _ in asking:
        stage.await_question(Bind)
    for key in (2, 3, 1):
        stage.say(bound(key))
        assert asking[key].result() == bound(key)


def test_who_collects_leaves_answers_to_those_who_wait_for_them(stage: Stage) -> None:
    kept: list[Any] = []
    asking = ask(stage, 1, kept)
    stage.await_question(Bind)
    before, behind = Refused(1, 5, "before"), Refused(1, 5, "behind")
    for packet in (before, bound(1), behind):
        stage.say(packet)
    while asking.is_alive():
        kept += [event for event, _ in stage.link.collect()]
    assert asking.result() == bound(1)
    kept += [event for event, _ in stage.link.collect()]
    assert kept == [before, behind]


def test_an_answer_may_come_between_a_look_and_a_read(stage: Stage) -> None:
    asking = ask(stage, 1)
    stage.await_question(Bind)
    near = stage.link.stream

    class Late:
        """The stream, on which the answer comes right after it was found empty."""

        def recv(self, size: int, flags: int) -> bytes:
            try:
                return near.recv(size, flags)
            except BlockingIOError:
                stage.say(bound(1))
                raise

        def __getattr__(self, name: str) -> Any:
            return getattr(near, name)

    with stage.link._lock:
        stage.link.stream = Late()  # type: ignore[assignment]
        assert list(stage.link.collect()) == []
        stage.link.stream = near
    assert asking.result() == bound(1)


def test_events_that_come_while_one_waits_are_not_kept_waiting(stage: Stage) -> None:
    kept: list[Any] = []
    asking = ask(stage, 1, kept)
    stage.await_question(Bind)
    stage.say(Refused(1, 5, "now"))
    wait_for(lambda: kept, "the event is collected")
    assert asking.is_alive()
    stage.say(bound(1))
    asking.result()


def test_an_answer_that_nobody_waits_for_any_more_is_an_event(stage: Stage) -> None:
    def meanwhile() -> None:
        for _ in stage.link.collect():
            raise KeyboardInterrupt

    asking = Background(lambda: stage.link.ask(bind(1), Bound, 1, (), meanwhile))
    stage.await_question(Bind)
    stage.say(Refused(1, 5, "interrupts it"))
    with pytest.raises(KeyboardInterrupt):
        asking.result()
    stage.say(bound(1))
    assert wait_for(lambda: list(stage.link.collect()), "it is collected") == [(bound(1), [])]


def test_all_who_wait_hear_that_the_process_has_gone(stage: Stage) -> None:
    stage.link.serve("/none", 1, 0, Placement(), 0)
    asking = [ask(stage, key) for key in (1, 2)]
    for _ in asking:
        stage.await_question(Bind)
    stage.far[0].close()
    for each in asking:
        with pytest.raises(link.WorkerGone):
            each.result()
    stage.link.restart()
    again = ask(stage, 1)
    stage.await_question(Bind)
    stage.say(bound(1))
    assert again.result() == bound(1)


def test_one_who_waits_while_another_replaces_the_process(stage: Stage) -> None:
    stage.link.serve("/none", 1, 0, Placement(), 0)
    asking = ask(stage, 1)
    stage.await_question(Bind)
    stage.link.restart()
    with pytest.raises(link.WorkerGone):
        asking.result()
    with contextlib.closing(stage.far[0]) as old:
        assert old.recv(1) == b""


@pytest.mark.parametrize("ends", ["gone", "idle"])
def test_what_nobody_collects_is_let_go(stage: Stage, ends: str) -> None:
    names = own_names()
    segment = create_pipe_segment(outbound=4096, inbound=4096)
    held, doorbell = os.pipe()  # in place of an eventfd, which does not tell who has it
    peer = PeerEnd("/none", 0, 0, 0, *this_process())
    arrived = Arrived(1, 2, bytes(16), segment.name, 0, peer, {})
    giving = Background(lambda: pool.give_back(stage.link))
    stage.await_question(Release)
    stage.say(arrived, doorbell)
    os.close(doorbell)
    if ends == "idle":
        stage.say(Idle())
    else:
        stage.far[0].shutdown(socket.SHUT_RDWR)
    giving.result()
    assert own_names() == names
    with open(held, "rb", buffering=0) as end:
        assert end.read(1) == b""


def test_a_process_that_cannot_be_placed_is_not_left_alone(
    context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    start = link.start

    def starting() -> Any:
        started.append(start())
        return started[-1]

    def refuse(self: Placement, pid: int) -> None:
        raise ZMQError(errno.EPERM, "no place for a test")

    with context.socket(zmq.PULL) as pull:
        pull.linger, pull.rcvtimeo = 0, PATIENCE_MS
        pull.bind("ipc://*")
        [worker] = context._pool.links()
        monkeypatch.setattr(link, "start", starting)
        monkeypatch.setattr(Placement, "apply", refuse)
        os.kill(worker.process.pid, signal.SIGKILL)
        with pytest.raises(ZMQError, match="no place for a test"):
            pull.recv()
        assert started
        assert [process.poll() for process, _ in started] == [0] * len(started)
        assert worker.is_gone
        with pytest.raises(link.WorkerGone):
            worker.ask(bind(1), Bound, 1)
