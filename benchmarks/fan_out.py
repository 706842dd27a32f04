"""One publisher, several subscribers: messages a second that all of them receive."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Barrier, Semaphore
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from benchmarks.cases import WINDOW, WINDOW_BYTES, payload
from benchmarks.children import SPAWN, Task, run_together
from benchmarks.peers.zeromq import PROBE_INTERVAL_S, ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.turn_about import Figures, Question, Taker

METRIC = "messages/s"
SIZES = (64, 1 << 20)
SUBSCRIBERS = 8
START = b"start"
PROBING_BATCHES = 10
AHEAD = 2  # batches that the publisher may be ahead of its subscribers


@dataclass(frozen=True)
class Cast:
    """What a measurement is about, and where its processes meet."""

    peer: ZeromqPeer
    size: int
    subscribers: int
    views: bool  # recv(copy=False), and send(copy=False) where that means something
    endpoint: str
    ready: Barrier
    credit: Semaphore  # released once by each subscriber for each batch

    @property
    def batch(self) -> int:
        """Return the messages in a batch."""
        return max(8, min(WINDOW, WINDOW_BYTES // self.size))


def publish(cast: Cast, batches: int) -> float:
    """Send so many batches and return messages/s, from the first to the last one received."""
    library: Any = cast.peer.library()
    context = library.Context()
    pub = context.socket(library.PUB)
    pub.sndhwm = 0
    pub.bind(cast.endpoint)
    cast.ready.wait()
    body = payload(cast.size)
    send = partial(pub.send, copy=False) if cast.views and cast.peer.wraps_libzmq else pub.send
    while cast.ready.n_waiting < cast.subscribers:
        pub.send(START)  # until all subscriptions have come
        sleep(PROBE_INTERVAL_S)
    cast.ready.wait()
    started = perf_counter()
    for number in range(batches):
        if number >= AHEAD:
            await_credit(cast)
        for _ in range(cast.batch):
            send(body)
    for _ in range(AHEAD):
        await_credit(cast)
    elapsed = perf_counter() - started
    pub.close(0)
    context.term()
    return batches * cast.batch / elapsed


def await_credit(cast: Cast) -> None:
    """Wait until every subscriber has had one more batch, more or less."""
    for _ in range(cast.subscribers):
        cast.credit.acquire()


def subscribe(cast: Cast, batches: int) -> None:
    """Receive so many batches."""
    library: Any = cast.peer.library()
    context = library.Context()
    sub = context.socket(library.SUB)
    sub.rcvhwm = 0
    sub.subscribe(b"")
    cast.ready.wait()
    sub.connect(cast.endpoint)
    recv = partial(sub.recv, copy=False) if cast.views else sub.recv
    sub.recv()
    cast.ready.wait()
    body: Any = START
    while len(body) == len(START):
        body = recv()
    for number in range(batches):
        for _ in range(cast.batch - (number == 0)):
            body = recv()
        cast.credit.release()
    if bytes(memoryview(body)) != payload(cast.size):
        raise ValueError(f"the last message of {len(body)} bytes is not what was sent")
    del body
    sub.close(0)
    context.term()


class FanOut:
    """A taker: one library, and one size. The first call finds out how many batches to send."""

    def __init__(self, peer: ZeromqPeer, size: int, views: bool, settings: Settings) -> None:
        """Measure for about as long as the settings say, each time."""
        self._peer, self._size, self._views = peer, size, views
        self._settings = settings
        self._batches = 0

    def __call__(self) -> Figures:
        """Measure once. Raises ChildFailed."""
        if not self._batches:
            rate = self._measure(PROBING_BATCHES)
            batch = max(8, min(WINDOW, WINDOW_BYTES // self._size))
            self._batches = max(PROBING_BATCHES, int(rate * self._settings.seconds) // batch)
        rate = self._measure(self._batches)
        return {METRIC: rate, "MB/s received": rate * self._size * SUBSCRIBERS / 1e6}

    def _measure(self, batches: int) -> float:
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            cast = Cast(
                self._peer,
                self._size,
                SUBSCRIBERS,
                self._views,
                f"ipc://{Path(directory)}/publisher",
                SPAWN.Barrier(SUBSCRIBERS + 1),
                SPAWN.Semaphore(0),
            )
            tasks = [Task("publisher", partial(publish, cast, batches))]
            tasks += [
                Task(f"subscriber {number}", partial(subscribe, cast, batches))
                for number in range(SUBSCRIBERS)
            ]
            return float(run_together(tasks, self._settings.time_limit_s)[0])


def questions(sizes: Iterable[int], settings: Settings) -> list[Question]:
    """Return one question for each size."""
    found = []
    for size in sizes:
        takers: dict[str, Taker] = {}
        for peer in settings.roster.zeromq():
            takers[peer.name] = FanOut(peer, size, False, settings)
            takers[f"{peer.name}, views"] = FanOut(peer, size, True, settings)
        reference = settings.reference_among(list(takers))
        labels = {"subscribers": SUBSCRIBERS, "size": size}
        found.append(Question("fan-out", labels, takers, METRIC, True, reference))
    return found
