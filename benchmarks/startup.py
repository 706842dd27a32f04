"""How long it takes to get going: the import, the first message, and contexts in a loop."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from time import monotonic_ns, perf_counter

from benchmarks.cases import Role
from benchmarks.children import SPAWN, ChildFailed, Task, run_together
from benchmarks.gates import Gates
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.turn_about import Figures, Question

METRIC = "ms"

# Timed inside the fresh interpreter, so that the start of Python itself does not count.
BEGINNING = """
import importlib, sys, time
started = time.perf_counter()
library = importlib.import_module(sys.argv[1])
{then}
print((time.perf_counter() - started) * 1000)
"""
FIRST_SOCKET = "context = library.Context(); socket = context.socket(library.PUSH)"
IN_ORDER = "socket.close(); context.term()"


def time_beginning(peer: ZeromqPeer, time_limit_s: float, *, then: str = "") -> Figures:
    """Return the time in ms of the import in a fresh interpreter and of what is done *then*.

    Raises ChildFailed.
    """
    program = BEGINNING.format(then=then) + (IN_ORDER if then else "")
    command = [sys.executable, "-c", program, peer.module]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=time_limit_s, check=True
        )
    except subprocess.CalledProcessError as error:
        raise ChildFailed(f"the import of {peer.module} failed", error.stderr) from None
    except subprocess.TimeoutExpired as error:
        raise ChildFailed(f"the import of {peer.module} failed: {error}") from None
    return {METRIC: float(done.stdout)}


def bind_first(peer: ZeromqPeer, endpoint: str, gates: Gates) -> int:
    """Return the time from making the context to having the first message, in ns."""
    library = peer.library()
    gates.meet(Role.FAR)
    began = monotonic_ns()
    with library.Context() as context, context.socket(library.PULL) as socket:
        socket.bind(endpoint)
        gates.meet(Role.FAR)
        socket.recv()
        received = monotonic_ns()
        gates.meet(Role.FAR)
    return received - began


def connect_first(peer: ZeromqPeer, endpoint: str, gates: Gates) -> None:
    """Make a context and connect, once the other process has bound, and send the first message."""
    library = peer.library()
    gates.meet(Role.NEAR)
    gates.meet(Role.NEAR)
    with library.Context() as context, context.socket(library.PUSH) as socket:
        socket.connect(endpoint)
        socket.send(b"first")
        gates.meet(Role.NEAR)


def time_first_message(peer: ZeromqPeer, time_limit_s: float) -> Figures:
    """Return the time from the first context to the first message over ipc, in ms.

    Two fresh processes that have imported the library: one makes its context and binds, then the
    other makes its context, connects and sends. So both starts count, one after the other.
    """
    gates = Gates(SPAWN)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        endpoint = f"ipc://{directory}/first"
        tasks = [
            Task("binding process", partial(bind_first, peer, endpoint, gates)),
            Task("connecting process", partial(connect_first, peer, endpoint, gates)),
        ]
        elapsed_ns, _ = run_together(tasks, time_limit_s)
    return {METRIC: elapsed_ns / 1e6}


def loop(peer: ZeromqPeer, directory: str, contexts: int) -> float:
    """Make and end contexts, with a message through an ipc pair in each; return seconds."""
    library = peer.library()
    started = perf_counter()
    for number in range(contexts):
        with library.Context() as context:
            endpoint = f"ipc://{directory}/{number}"
            with context.socket(library.PULL) as pull, context.socket(library.PUSH) as push:
                pull.bind(endpoint)
                push.connect(endpoint)
                push.send(b"message")
                if pull.recv() != b"message":
                    raise ValueError(f"context {number} received something else than was sent")
    return perf_counter() - started


def time_loop(contexts: int, peer: ZeromqPeer, time_limit_s: float) -> Figures:
    """Return the time of `contexts` contexts in one fresh process, in ms."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        task = Task("process", partial(loop, peer, directory, contexts))
        [seconds] = run_together([task], time_limit_s)
    return {METRIC: seconds * 1000}


def questions(contexts: int, settings: Settings) -> list[Question]:
    """Return the questions about starting."""
    steps: list[tuple[str, Callable[[ZeromqPeer, float], Figures]]] = [
        ("import in a fresh interpreter", time_beginning),
        ("import, context and socket", partial(time_beginning, then=FIRST_SOCKET)),
        ("first message over ipc", time_first_message),
        (f"{contexts} contexts, one ipc pair each", partial(time_loop, contexts)),
    ]
    peers = settings.roster.zeromq()
    reference = settings.reference_among([peer.name for peer in peers])
    return [
        Question(
            "startup",
            {"step": step},
            {peer.name: partial(measure, peer, settings.time_limit_s) for peer in peers},
            METRIC,
            higher_is_better=False,
            reference=reference,
        )
        for step, measure in steps
    ]
