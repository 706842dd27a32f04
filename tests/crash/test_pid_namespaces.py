"""Peers that share the Unix socket and /dev/shm, but whose pids mean nothing to each other."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.waiting import wait_for

from shmzmq.keepers.bind import WorkerBind
from shmzmq.pipe import Pipe
from shmzmq.shm import segment as segments
from shmzmq.workers import handover

UNSHARE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]

FAR = """
import os, sys
import shmzmq as zmq

print(os.stat("/proc/self/ns/pid").st_ino, flush=True)
how, endpoint = sys.argv[1:]
with zmq.Context() as context, context.socket(zmq.PAIR) as pair:
    pair.linger, pair.rcvtimeo = -1, 20_000
    getattr(pair, how)(endpoint)
    for number in range(100):
        pair.send(b"%d" % number)
    assert pair.recv() == b"answer"
    pair.send(b"x" * 100_000)
    sys.stdin.read()
"""


def can_unshare() -> bool:
    """Whether we may make a pid namespace here."""
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


@contextmanager
def far_pair(how: str, endpoint: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run FAR in a pid namespace of its own, whose names nobody else can tell from living ones."""
    command = [*UNSHARE, sys.executable, "-c", FAR, how, endpoint]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        namespace = int(process.stdout.readline())
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for name in segments.names():
                if name.namespace == namespace:
                    segments.unlink(str(name))


@pytest.mark.skipif(not can_unshare(), reason="needs the right to make a pid namespace")
@pytest.mark.parametrize("how", ["bind", "connect"])
def test_they_are_relayed_to(sockets: SocketFactory, tmp_path: Path, how: str) -> None:
    endpoint = f"ipc://{tmp_path}/s"
    near = sockets.open(zmq.PAIR)
    getattr(near, "connect" if how == "bind" else "bind")(endpoint)
    with far_pair(how, endpoint) as far:
        assert [near.recv() for _ in range(100)] == [b"%d" % number for number in range(100)]
        near.send(b"answer")
        assert near.recv() == b"x" * 100_000
        assert [pipe.relayed for pipe in pipes_of(near)] == [True]
        far.kill()
        if how == "connect":
            wait_for(lambda: not pipes_of(near), "the end of the far one is noticed")


def pipes_of(socket: Socket) -> list[Pipe]:
    """Return the pipes of a socket's one endpoint."""
    [keeper] = socket.context.keepers.values()
    return list(keeper._lines) if isinstance(keeper, WorkerBind) else [keeper.pipe]


@pytest.mark.parametrize("what", ["getuid", "pid_namespace"])
def test_an_offer_of_somewhere_else_is_refused(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    ours = handover.offer()
    assert handover.is_accepted(ours)
    module = handover if what == "pid_namespace" else handover.os
    monkeypatch.setattr(module, what, lambda: 1)
    theirs = handover.offer()
    monkeypatch.undo()
    assert json.loads(theirs) != json.loads(ours)
    assert not handover.is_accepted(theirs)
    assert not handover.is_accepted(None)
