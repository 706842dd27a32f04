"""Programs that do nothing, and say what that cost. ``python -m crash.idlers HOW FD``."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import psutil  # type: ignore[import-untyped]
from support.channel import Channel
from support.library import Context, Socket, zmq

_BLOCKED_MS = 1000
_PEERS = 20


def _cpu_ns(pid: int) -> int:
    """Return the CPU time that a process has used, in ns (first field of schedstat)."""
    with open(f"/proc/{pid}/schedstat") as file:
        return int(file.read().split()[0])


class Scene:
    """One socket with many connected peers, all of them in use before."""

    def __init__(self, sockets: ExitStack) -> None:
        self._sockets = sockets
        self._context: Context = sockets.enter_context(zmq.Context())
        self.pull = self.open(zmq.PULL)
        self.pull.bind("ipc://*")
        self.pushes = [self.open(zmq.PUSH) for _ in range(_PEERS)]
        for push in self.pushes:
            push.connect(self.pull.last_endpoint.decode())
            push.send(b"hello")
            assert self.pull.recv() == b"hello"

    def open(self, socket_type: int) -> Socket:
        """Open a socket whose calls block for a second."""
        socket = self._sockets.enter_context(self._context.socket(socket_type))
        socket.linger = 0
        socket.sndtimeo = socket.rcvtimeo = _BLOCKED_MS
        return socket


def recv(scene: Scene) -> Callable[[], object]:
    """Wait for a message."""
    call: Callable[[], object] = scene.pull.recv
    return call


def poll(scene: Scene) -> Callable[[], object]:
    """Wait for several sockets at a time."""
    poller = zmq.Poller()
    for socket in (scene.pull, *(scene.open(kind) for kind in (zmq.PULL, zmq.SUB, zmq.REP))):
        poller.register(socket, zmq.POLLIN)
    return lambda: poller.poll(_BLOCKED_MS)


def send(scene: Scene) -> Callable[[], object]:
    """Wait for room."""
    push = scene.pushes[0]
    while push.poll(0, zmq.POLLOUT):
        push.send(b"x")
    return lambda: push.send(b"x")


def send_to_nobody(scene: Scene) -> Callable[[], object]:
    """Wait for a peer to connect."""
    push = scene.open(zmq.PUSH)
    push.bind("ipc://*")
    return lambda: push.send(b"x")


def recv_while_dialling(scene: Scene) -> Callable[[], object]:
    """Wait for a message while the worker looks for a peer that is not there."""
    scene.pull.connect("ipc://@shmzmq-test-nobody")
    return scene.pull.recv


def main() -> None:
    """Block for a second.

    Tell how long that was, and the CPU time of this process and of its worker.
    """
    channel = Channel.inherited()
    with ExitStack() as sockets:
        call = globals()[sys.argv[1]](Scene(sockets))
        own = psutil.Process()
        processes = [own.pid, *(child.pid for child in own.children())]
        before, since = [_cpu_ns(pid) for pid in processes], time.monotonic_ns()
        with suppress(zmq.Again):
            assert not call()
        lasted = time.monotonic_ns() - since
        spent = [_cpu_ns(pid) - at_first for pid, at_first in zip(processes, before, strict=True)]
        channel.send([lasted, *spent])


if __name__ == "__main__":
    main()
