"""What an idle connected pipe costs: shared memory, the processes' own memory, and open files."""

import os
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.cases import Role
from benchmarks.children import SPAWN, Task, run_together
from benchmarks.gates import Gates
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.turn_about import Figures, Question

METRIC = "shared KiB/pipe"
SHARED_MEMORY = "/dev/shm"


@dataclass(frozen=True)
class Holdings:
    """What the machine and one process hold at some moment."""

    shared: int  # bytes in use in the file system of shared memory, unlinked segments too
    private: int  # bytes of this process alone
    files: int

    @classmethod
    def now(cls) -> "Holdings":
        """Look them up."""
        shared = os.statvfs(SHARED_MEMORY)
        private_kib = 0
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                private_kib += int(line.split()[1])
        files = len(os.listdir("/proc/self/fd"))
        return cls((shared.f_blocks - shared.f_bfree) * shared.f_frsize, private_kib * 1024, files)

    def minus(self, earlier: "Holdings") -> "Holdings":
        """Return what has been added since `earlier`."""
        return Holdings(
            self.shared - earlier.shared, self.private - earlier.private, self.files - earlier.files
        )


def hold_bound(peer: ZeromqPeer, endpoint: str, pipes: int, gates: Gates) -> list[Holdings]:
    """Bind, and take one message from each of 1 + `pipes` sockets.

    Return the holdings before, with 1, and with all connected.
    """
    library = peer.library()
    holdings = []
    gates.meet(Role.FAR)
    holdings.append(Holdings.now())
    with library.Context() as context, context.socket(library.PULL) as socket:
        socket.bind(endpoint)
        for count in (1, pipes):
            gates.meet(Role.FAR)
            for _ in range(count):
                socket.recv()
            gates.meet(Role.FAR)
            holdings.append(Holdings.now())
        gates.meet(Role.FAR)
    return holdings


def hold_connected(peer: ZeromqPeer, endpoint: str, pipes: int, gates: Gates) -> list[Holdings]:
    """Connect 1, then `pipes` more sockets, and send one message through each.

    Return the holdings before, with 1, and with all connected.
    """
    library = peer.library()
    holdings, sockets = [], []
    gates.meet(Role.NEAR)
    holdings.append(Holdings.now())
    with library.Context() as context:
        for count in (1, pipes):
            gates.meet(Role.NEAR)
            for _ in range(count):
                sockets.append(context.socket(library.PUSH))
                sockets[-1].connect(endpoint)
                sockets[-1].send(b"here")
            gates.meet(Role.NEAR)
            holdings.append(Holdings.now())
        gates.meet(Role.NEAR)
        for socket in sockets:
            socket.close()
    return holdings


def measure(peer: ZeromqPeer, pipes: int, time_limit_s: float) -> Figures:
    """Return what each of `pipes` idle pipes added to a context that had one already.

    Raises: ChildFailed.
    """
    gates = Gates(SPAWN)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        endpoint = f"ipc://{directory}/pull"
        tasks = [
            Task("connecting process", partial(hold_connected, peer, endpoint, pipes, gates)),
            Task("binding process", partial(hold_bound, peer, endpoint, pipes, gates)),
        ]
        connected, bound = run_together(tasks, time_limit_s)
    first = bound[1].minus(bound[0])
    at_bound, at_connected = bound[2].minus(bound[1]), connected[2].minus(connected[1])
    return {
        METRIC: at_bound.shared / pipes / 1024,
        "first pipe, shared KiB": first.shared / 1024,
        "own KiB/pipe, binding": at_bound.private / pipes / 1024,
        "own KiB/pipe, connecting": at_connected.private / pipes / 1024,
        "files/pipe, binding": at_bound.files / pipes,
        "files/pipe, connecting": at_connected.files / pipes,
    }


def questions(pipes: int, settings: Settings) -> list[Question]:
    """Return the one question to all libraries with pyzmq's API."""
    takers = {
        peer.name: partial(measure, peer, pipes, settings.time_limit_s)
        for peer in settings.roster.zeromq()
    }
    labels: dict[str, str | int] = {"pipes": pipes, "transport": "ipc"}
    return [Question("memory", labels, takers, METRIC, higher_is_better=False, reference=None)]
