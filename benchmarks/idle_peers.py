"""What idle connections cost a busy one: the rate through one of many pipes of a PULL socket."""

import tempfile
from functools import partial
from typing import Any

from benchmarks import throughput
from benchmarks.cases import Case, Pattern, Transport
from benchmarks.children import SPAWN, Task, run_together
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.throughput import Plan
from benchmarks.turn_about import Figures, Question

ALONE = "alone"
# Enough below the usual limit of 1,024 open files for libraries that need several for each socket.
SOCKETS_PER_PROCESS = 200


class Phases:
    """The three moments that all processes of this benchmark agree on."""

    def __init__(self, others: int) -> None:
        """Make the semaphores for the receiver and `others`."""
        self._bound, self._go, self._over = (SPAWN.Semaphore(0) for _ in range(3))
        self._others = others

    def receiver_is_bound(self) -> None:
        """Let everyone connect."""
        for _ in range(self._others):
            self._bound.release()

    def await_bound(self) -> None:
        """Wait, before connecting, for the receiver."""
        self._bound.acquire()

    def all_are_connected(self) -> None:
        """Let the busy sender begin."""
        self._go.release()

    def await_go(self) -> None:
        """Wait, as the busy sender, until all idle sockets are connected."""
        self._go.acquire()

    def is_over(self) -> None:
        """Let everyone close."""
        for _ in range(self._others):
            self._over.release()

    def await_over(self) -> None:
        """Wait for the end, with sockets open."""
        self._over.acquire()


def channel_of(socket: Any) -> Channel:
    """Return the channel that the throughput loops want."""
    return Channel(socket.send, socket.recv, echo_plainly(socket.send, socket.recv))


def receive(
    peer: ZeromqPeer, endpoint: str, idle: int, case: Case, plan: Plan, gates: Gates, phases: Phases
) -> float:
    """Take one message from each idle socket, then the busy sender's; return its messages/s."""
    library = peer.library()
    with library.Context() as context, context.socket(library.PULL) as socket:
        socket.linger = 0
        socket.bind(endpoint)
        phases.receiver_is_bound()
        for _ in range(idle):
            socket.recv()
        phases.all_are_connected()
        rate = throughput.receive_batches(case, plan, channel_of(socket), gates)
        phases.is_over()
    return rate


def send(
    peer: ZeromqPeer, endpoint: str, case: Case, plan: Plan, gates: Gates, phases: Phases
) -> None:
    """Be the busy sender."""
    library = peer.library()
    phases.await_bound()
    with library.Context() as context, context.socket(library.PUSH) as socket:
        socket.linger = 0
        socket.connect(endpoint)
        phases.await_go()
        throughput.send_batches(case, plan, channel_of(socket), gates)
        phases.await_over()


def idle_away(peer: ZeromqPeer, endpoint: str, count: int, phases: Phases) -> None:
    """Hold `count` connected sockets that send one message each and nothing more."""
    library = peer.library()
    phases.await_bound()
    with library.Context() as context:
        sockets = [context.socket(library.PUSH) for _ in range(count)]
        for socket in sockets:
            socket.linger = 0
            socket.connect(endpoint)
            socket.send(b"here")
        phases.await_over()
        for socket in sockets:
            socket.close()


class IdlePeers:
    """A taker: the rate of one library with some number of idle sockets beside the busy one."""

    def __init__(self, peer: ZeromqPeer, size: int, idle: int, settings: Settings) -> None:
        """Measure with messages of `size` bytes and `idle` idle sockets."""
        self._peer, self._idle, self._settings = peer, idle, settings
        self._case = Case(Pattern.PUSH_PULL, Transport.IPC, size)
        self._plan: Plan | None = None

    def __call__(self) -> Figures:
        """Measure once. Raises ChildFailed."""
        if self._plan is None:
            rate = self._measure(Plan.of(throughput.PROBING_MESSAGES, self._case))
            self._plan = Plan.of(int(rate * self._settings.seconds), self._case)
        return {throughput.METRIC: self._measure(self._plan)}

    def _measure(self, plan: Plan) -> float:
        whole, rest = divmod(self._idle, SOCKETS_PER_PROCESS)
        shares = [SOCKETS_PER_PROCESS] * whole + [rest] * bool(rest)
        peer, case, gates, phases = self._peer, self._case, Gates(SPAWN), Phases(1 + len(shares))
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            endpoint = f"ipc://{directory}/pull"
            receiver = partial(receive, peer, endpoint, self._idle, case, plan, gates, phases)
            sender = partial(send, peer, endpoint, case, plan, gates, phases)
            tasks = [Task("receiver", receiver), Task("sender", sender)]
            for number, share in enumerate(shares):
                holder = partial(idle_away, peer, endpoint, share, phases)
                tasks.append(Task(f"holder {number} of idle sockets", holder))
            return float(run_together(tasks, self._settings.time_limit_s)[0])


def questions(idle: int, size: int, settings: Settings) -> list[Question]:
    """Return a question for each library with pyzmq's API: alone, and among `idle` sockets."""
    return [
        Question(
            "idle-peers",
            {"library": peer.name, "size": size},
            {
                ALONE: IdlePeers(peer, size, 0, settings),
                f"among {idle:,} idle": IdlePeers(peer, size, idle, settings),
            },
            throughput.METRIC,
            higher_is_better=True,
            reference=ALONE,
            what_differs="busy socket",
        )
        for peer in settings.roster.zeromq()
    ]
