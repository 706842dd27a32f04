"""Bring two ends of a channel up, run one function at each, and bring them down."""

import tempfile
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor
from concurrent.futures import wait as wait_for_threads
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Role, Transport
from benchmarks.children import SPAWN, Task, run_together
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, Peer

Body = Callable[[Channel, Gates], Any]


@dataclass(frozen=True)
class Pair:
    """Two ends in two fresh processes, or in two threads of one where the transport is inproc."""

    peer: Peer
    case: Case
    near: Body
    far: Body
    duplex: bool

    def run(self, time_limit_s: float) -> tuple[Any, Any]:
        """Return what `near` and `far` returned. Raises ChildFailed."""
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            with self.peer.wire(self.case, SPAWN, Path(directory)) as wiring:
                near, far = self._run_wired(wiring, time_limit_s)
            return near, far

    def _run_wired(self, wiring: Any, time_limit_s: float) -> list[Any]:
        gates = Gates(SPAWN)
        near = partial(self._end, Role.NEAR, wiring, gates)
        far = partial(self._end, Role.FAR, wiring, gates)
        if self.case.transport is Transport.INPROC:
            tasks = [Task("process", partial(self._in_threads, near, far))]
            [results] = run_together(tasks, time_limit_s)
            return list(results)
        tasks = [
            Task("sender", partial(self._in_process, near)),
            Task("receiver", partial(self._in_process, far)),
        ]
        return run_together(tasks, time_limit_s)

    def _end(self, role: Role, wiring: Any, gates: Gates) -> Any:
        """Run one end; neither closes before the other is done."""
        body = self.near if role is Role.NEAR else self.far
        with self.peer.open(self.case, role, wiring, gates, duplex=self.duplex) as channel:
            result = body(channel, gates)
            gates.meet(role)
        return result

    def _in_process(self, end: Callable[[], Any]) -> Any:
        result = end()
        self.peer.shut()
        return result

    def _in_threads(self, near: Callable[[], Any], far: Callable[[], Any]) -> list[Any]:
        """Run both ends in one process.

        The failure of one is raised at once, though the other may still wait for it.
        """
        threads = ThreadPoolExecutor(2)
        ends = [threads.submit(near), threads.submit(far)]
        done, _ = wait_for_threads(ends, return_when=FIRST_EXCEPTION)
        for end in done:
            end.result()
        results = [end.result() for end in ends]
        threads.shutdown()
        self.peer.shut()
        return results
