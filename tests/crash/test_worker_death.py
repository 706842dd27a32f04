"""An I/O worker is killed under traffic: another takes its place, and nothing is lost or twice."""

import contextlib
import errno
import os
import signal
from random import Random
from typing import Any

import psutil
import pytest
from crash.cast import Actor, Cast
from crash.payload import whose
from crash.traffic import Stream
from support.factory import SocketFactory
from support.library import Context, Socket, zmq
from support.links import free_port
from support.waiting import Background, wait_for, wait_until_blocked

from shmzmq.errors import ZMQError
from shmzmq.utils.monitor import recv_monitor_message
from shmzmq.workers import launch

SENDER = 3
LATER = 300


def workers_of(pid: int) -> list[int]:
    """Return the I/O workers of a process."""
    found = []
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "shmzmq.workers" in child.cmdline():
                found.append(child.pid)
    return found


def kill_worker(actor: Actor) -> None:
    """Kill the one worker of an actor."""
    [worker] = wait_for(lambda: workers_of(actor.pid), "the actor has a worker")
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: worker not in workers_of(actor.pid), "the worker is dead")


def own_worker(context: Context) -> int:
    """Return the worker of a context of this process."""
    [link] = context._pool.links()
    return int(link.process.pid)


@pytest.mark.parametrize("binder", ["send", "receive"])
@pytest.mark.parametrize("victims", [["send"], ["receive"], ["send", "receive"]])
def test_messages_go_on(cast: Cast, binder: str, victims: list[str]) -> None:
    part: dict[str, Any] = {"endpoint": cast.endpoint()}
    how = {name: "bind" if name == binder else "connect" for name in ("send", "receive")}
    actors = {
        "receive": cast.start("receive", type="PULL", how=how["receive"], **part),
        "send": cast.start("send", type="PUSH", how=how["send"], sender=SENDER, **part),
    }
    receiver = actors["receive"]
    for _ in range(3):
        receiver.await_progress(receiver.record.following + LATER)
        for name in victims:
            kill_worker(actors[name])
    receiver.await_progress(receiver.record.following + LATER)


@pytest.mark.parametrize("victims", [["send"], ["receive"], ["send", "receive"]])
def test_a_death_is_noticed_afterwards(cast: Cast, victims: list[str]) -> None:
    """Whoever took the dead worker's place sees the far end die, and finds the next one."""
    part: dict[str, Any] = {"endpoint": cast.endpoint()}
    receiver = cast.start("receive", type="PULL", how="bind", **part)
    sender = cast.start(
        "send", type="PUSH", how="connect", sender=SENDER, options={"reconnect_ivl": 5}, **part
    )
    actors = {"send": sender, "receive": receiver}
    receiver.await_progress(LATER)
    for name in victims:
        kill_worker(actors[name])
        wait_for(lambda name=name: workers_of(actors[name].pid), "there is another worker")
    receiver.await_progress(receiver.record.following + LATER)
    receiver.kill()
    heir = cast.start("receive", type="PULL", how="bind", **part)
    heir.await_progress(receiver.record.following + LATER)
    assert heir.record.first - receiver.record.following in (0, 1)


def test_new_peers_are_let_in_by_its_successor(cast: Cast, sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind=cast.endpoint())
    os.kill(own_worker(pull.context), signal.SIGKILL)
    for sender in range(3):
        cast.start(
            "send",
            type="PUSH",
            how="connect",
            sender=sender,
            endpoint=pull.last_endpoint.decode(),
        )
    senders = set()
    while len(senders) < 3:
        senders.add(whose(pull.recv_multipart())[0])


def test_what_lingers_is_handed_over(cast: Cast) -> None:
    endpoint = cast.endpoint()
    context = zmq.Context()
    push = SocketFactory(context).open(zmq.PUSH, connect=endpoint, linger=-1)
    stream = Stream(push, SENDER)
    stream.fill(100)
    push.close()
    ending = Background(context.term)
    wait_until_blocked(ending)
    os.kill(own_worker(context), signal.SIGKILL)
    receiver = cast.start("receive", type="PULL", how="bind", endpoint=endpoint)
    stream.await_arrival(receiver.record)
    ending.result()


def test_what_was_disconnected_is_written_and_gets_no_more(
    sockets: SocketFactory, libzmq_pull: Socket
) -> None:
    endpoint = libzmq_pull.last_endpoint.decode()
    push = sockets.open(zmq.PUSH, connect=endpoint, linger=-1, sndhwm=0)
    for _ in range(300):
        push.send(bytes(1 << 20))
    assert len(libzmq_pull.recv()) == 1 << 20
    push.disconnect(endpoint)
    os.kill(own_worker(push.context), signal.SIGKILL)
    pull = sockets.open(zmq.PULL, bind="ipc://*")
    push.connect(pull.last_endpoint.decode())
    for number in range(100):
        push.send(b"%d" % number)
        assert pull.recv() == b"%d" % number
    push.close()
    pull.close()
    ending = Background(sockets.context.term)
    received = 1
    while ending.is_alive() or libzmq_pull.poll(0):
        if libzmq_pull.poll(20):
            assert len(libzmq_pull.recv()) == 1 << 20
            received += 1
    ending.result()
    # One that had been written and not ticked off may come twice.
    assert received >= 300


@pytest.mark.parametrize("scheme", ["ipc", "tcp"])
@pytest.mark.parametrize("binder", ["send", "receive"])
def test_libzmq_gets_what_was_not_written_yet(
    cast: Cast, libzmq: Any, scheme: str, binder: str, seed: int
) -> None:
    """What had been written and not ticked off may come twice, and nothing is missing."""
    random = Random(seed)
    endpoint = cast.endpoint() if scheme == "ipc" else f"tcp://127.0.0.1:{free_port()}"
    libzmq_pull = libzmq(bind=endpoint) if binder == "receive" else libzmq(connect=endpoint)
    sender = cast.start(
        "send",
        wait=False,
        type="PUSH",
        how="bind" if binder == "send" else "connect",
        sender=SENDER,
        options={"reconnect_ivl": 5},
        endpoint=endpoint,
    )
    received: set[int] = set()

    def receive() -> None:
        received.add(whose(libzmq_pull.recv_multipart())[1])

    for _ in range(3):
        until = len(received) + random.randrange(100, 1000)
        while len(received) < until:
            receive()
        kill_worker(sender)
    # Those of connections that follow each other may mix.
    missing = set(range(max(received) + 500))
    while missing := missing - received:
        receive()


@pytest.fixture
def libzmq(cast: Cast) -> Any:
    """Opens sockets of libzmq's.

    They read on whatever comes: one that has reached its high water mark drops what a stream that
    ends still holds.
    """
    import zmq as pyzmq

    with pyzmq.Context() as context, contextlib.ExitStack() as stack:

        def open_socket(kind: int = zmq.PULL, *, bind: str = "", connect: str = "") -> Any:
            socket = stack.enter_context(context.socket(kind))
            socket.rcvtimeo = socket.sndtimeo = 20_000
            socket.rcvhwm = socket.linger = 0
            socket.reconnect_ivl = 5
            if bind:
                socket.bind(bind)
            if connect:
                socket.connect(connect)
            return socket

        yield open_socket


@pytest.fixture
def libzmq_pull(cast: Cast, libzmq: Any) -> Any:
    """A PULL socket of libzmq's, bound."""
    return libzmq(bind=cast.endpoint())


def test_a_clear_error_when_none_can_be_started(
    sockets: SocketFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = sockets.open(zmq.PULL, bind="ipc://*")

    def refuse() -> None:
        raise OSError(errno.EAGAIN, "no process for a test")

    monkeypatch.setattr(launch, "_start_process", refuse)
    os.kill(own_worker(pull.context), signal.SIGKILL)
    with pytest.raises(ZMQError, match="no process for a test"):
        pull.recv()


def test_a_worker_that_keeps_ending_is_given_up(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="ipc://*", rcvtimeo=20_000)
    receiving = Background(pull.recv)
    link = pull.context._pool.links()[0]
    while receiving.is_alive():
        worker = link.process.pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        wait_for(
            lambda worker=worker: link.process.pid != worker or not receiving.is_alive(),
            "the worker has a successor, or nobody waits for one",
        )
    with pytest.raises(ZMQError, match=r"ended 5 times within 10 s"):
        receiving.result()


def test_a_monitor_tells_what_went_with_a_worker(sockets: SocketFactory, context: Context) -> None:
    pull, push = sockets.open(zmq.PULL), sockets.open(zmq.PUSH)
    bound = zmq.EVENT_LISTENING | zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED
    there, here = (
        sockets.adopt(socket.get_monitor_socket(events))
        for socket, events in [(pull, bound), (push, zmq.EVENT_CONNECTED | zmq.EVENT_DISCONNECTED)]
    )
    pull.bind("tcp://127.0.0.1:*")
    endpoint = pull.last_endpoint
    push.connect(endpoint.decode())
    before = [recv_monitor_message(there) for _ in range(2)]
    assert [each["event"] for each in before] == [zmq.EVENT_LISTENING, zmq.EVENT_ACCEPTED]
    listening, accepted = (each["value"] for each in before)
    connected = recv_monitor_message(here)
    os.kill(own_worker(context), signal.SIGKILL)
    heard = [recv_monitor_message(there) for _ in range(4)]
    gone = {each["event"]: each["value"] for each in heard[:2]}
    assert gone == {zmq.EVENT_CLOSED: listening, zmq.EVENT_DISCONNECTED: accepted}
    assert [each["event"] for each in heard[2:]] == [zmq.EVENT_LISTENING, zmq.EVENT_ACCEPTED]
    assert {each["endpoint"] for each in heard} == {endpoint}
    assert recv_monitor_message(here) == connected | {"event": zmq.EVENT_DISCONNECTED}
    assert recv_monitor_message(here)["event"] == zmq.EVENT_CONNECTED
    push.send(b"hello")
    assert pull.recv() == b"hello"
