"""A connecting endpoint whose link is lost, and one that lingers meanwhile."""

import os
import socket
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from crash.cast import Cast
from crash.payload import large_message
from support.factory import SocketFactory
from support.library import zmq
from support.waiting import PATIENCE_MS, PATIENCE_S, Background
from support.worker_threads import SOCKET, BareApplication

from shmzmq.shm.liveness import ProcessId, process_start, this_process
from shmzmq.workers import handed_over, handover, kept
from shmzmq.workers.commands import (
    Connect,
    Hangup,
    Keep,
    Lost,
    Monitor,
    MonitorEvent,
    PeerEnd,
)
from shmzmq.workers.handed_over import HandedOver

ENDPOINT = 7
SENDER = 1
TOKEN = bytes(range(16))


def keep_a_pipe(application: BareApplication, path: Path, far: ProcessId) -> None:
    """Have the worker look for the link of a pipe to the process *far*, at a Unix socket's path."""
    peer = PeerEnd("/none", 0, 0, 0, *far)
    application.say(Keep(ENDPOINT, TOKEN, "/none", 0, peer))
    application.say(
        Connect(ENDPOINT, SOCKET, "ipc", str(path), {}, "PUSH", TOKEN, "", 0, resumes=True)
    )


def test_a_link_that_our_side_ends(application: BareApplication, tmp_path: Path) -> None:
    keep_a_pipe(application, tmp_path / "nobody", this_process())
    application.say(Hangup(TOKEN))
    assert application.hear(Lost) == Lost(SOCKET, ENDPOINT, TOKEN, "our side hung up")


def test_a_far_end_that_dies_while_its_link_is_taken_up(
    application: BareApplication, tmp_path: Path
) -> None:
    application.say(Monitor(SOCKET, int(zmq.EVENT_ALL)))
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent"))
        listener.listen()
        far = ProcessId(child, process_start(child) or 0)
        keep_a_pipe(application, tmp_path / "silent", far)
        while (event := application.hear(MonitorEvent)).event != zmq.EVENT_CONNECTED:
            pass
        os.close(write)
        assert application.hear(MonitorEvent) == event._replace(event=int(zmq.EVENT_DISCONNECTED))
        assert application.hear(Lost) == Lost(SOCKET, ENDPOINT, TOKEN, "the peer has died")
    os.waitpid(child, 0)


# What the dialling side finds when the link ends before the far application was told of the pipe.
CASES: dict[str, list[tuple[Any, str, Any]]] = {
    "the far end lives and knows nothing of it": [],
    "the far end is dead": [(HandedOver, "cut", None)],
    "the far end is found dead afterwards": [(kept, "is_alive", lambda process: False)],
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("linger_ms", [-1, PATIENCE_MS])
def test_what_lingers_goes_to_the_next_far_end(
    sockets: SocketFactory,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    case: str,
    linger_ms: int,
) -> None:
    endpoint = f"ipc://{tmp_path}/s"
    for where, name, what in CASES[case]:
        monkeypatch.setattr(where, name, what)
    cut = []

    def fall_silent(session: HandedOver, body: bytes) -> None:
        cut.append(session)
        monkeypatch.setitem(handed_over._ACCEPTING, step, proceed)
        raise ValueError("cut off by a test")

    step = ("waiting for the other side", handover.GO)
    proceed = handed_over._ACCEPTING[step]
    monkeypatch.setitem(handed_over._ACCEPTING, step, fall_silent)
    context = zmq.Context()
    push = context.socket(zmq.PUSH)
    push.reconnect_ivl = 1
    push.linger = linger_ms
    push.connect(endpoint)
    messages = [b"%d" % number for number in range(100)]
    for message in messages:
        push.send(message)
    push.close()
    ending = Background(context.term)
    pull = sockets.open(zmq.PULL, bind=endpoint)
    assert [pull.recv() for _ in messages] == messages
    ending.result()
    assert len(cut) == 1
    assert not pull.poll(0)


def test_a_sender_killed_before_its_worker_heard_that_the_pipe_was_taken(
    sockets: SocketFactory, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def take_silently(link: HandedOver, _: bytes) -> None:
        link._let_go()  # and say nothing: as if the sender's worker had not come to read it

    step = (handed_over._OFFERED, handover.GO)
    monkeypatch.setitem(handed_over._ACCEPTING, step, take_silently)
    cast = Cast(tmp_path)
    endpoint = cast.endpoint()
    pull = sockets.open(zmq.PULL, bind=endpoint)
    victim = cast.start("send_large", type="PUSH", how="connect", endpoint=endpoint, sender=SENDER)
    victim.await_progress(30)  # more than the ring's first area holds
    assert pull.recv_multipart() == large_message(SENDER, 0)
    workers = psutil.Process(victim.pid).children()
    victim.kill()
    _, running = psutil.wait_procs(workers, timeout=PATIENCE_S)
    assert not running
    for number in range(1, victim.record.following):
        assert pull.recv_multipart() == large_message(SENDER, number)
    pull.close()
    cast.finish()
