"""Calls that wait in an event loop: how often they have the loop look at the socket."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import shmzmq as zmq
import shmzmq.asyncio as zaio
from shmzmq.pending import PendingCalls

LIMIT_S = 30
Opener = Callable[..., zaio.Socket]


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, LIMIT_S))


@pytest.fixture
def open_socket() -> Iterator[Opener]:
    context = zaio.Context()
    opened: list[zaio.Socket] = []

    def open_one(socket_type: int, **options: Any) -> zaio.Socket:
        opened.append(context.socket(socket_type))
        for name, value in options.items():
            setattr(opened[-1], name, value)
        return opened[-1]

    yield open_one
    context.destroy(linger=0)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[PendingCalls]:
    """Whose turn it was, each time that one was taken."""
    taken: list[PendingCalls] = []
    take_turn = PendingCalls._look

    def look(pending: PendingCalls) -> None:
        taken.append(pending)
        take_turn(pending)

    monkeypatch.setattr(PendingCalls, "_look", look)
    return taken


async def rounds(count: int) -> None:
    """Let the loop go round so often."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "wait",
    [
        lambda socket: [socket.recv(), socket.recv()],
        lambda socket: [socket.recv(), socket.poll(LIMIT_S * 1000)],
        lambda socket: [socket.send(b"nobody is there"), socket.recv()],
    ],
    ids=["recv twice", "recv and poll", "send and recv"],
)
def test_calls_that_wait_leave_the_loop_alone(
    open_socket: Opener,
    looks: list[PendingCalls],
    wait: Callable[[zaio.Socket], list[asyncio.Future[Any]]],
) -> None:
    async def main() -> None:
        socket = open_socket(zmq.DEALER)
        socket.bind("inproc://quiet")
        waiting = wait(socket)
        await rounds(10)
        looks.clear()
        await rounds(100)
        assert looks == []
        assert not any(call.done() for call in waiting)

    run(main())


async def meet(
    open_socket: Opener, endpoint: str, *names: bytes
) -> tuple[zaio.Socket, list[zaio.Socket]]:
    """Return a ROUTER with ROUTER_MANDATORY, and a DEALER of each name that it knows."""
    router = open_socket(zmq.ROUTER, router_mandatory=1, sndhwm=1)
    router.bind(endpoint)
    dealers = [open_socket(zmq.DEALER, routing_id=name, rcvhwm=1) for name in names]
    for dealer in dealers:
        dealer.connect(endpoint)
        await dealer.send(b"here I am")
        await router.recv_multipart()
    return router, dealers


def test_news_start_no_further_timers_while_a_send_waits_for_one_peer(
    open_socket: Opener, tmp_path: Path
) -> None:
    started: list[asyncio.TimerHandle] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        router, (full, other) = await meet(
            open_socket, f"ipc://{tmp_path}/router", b"full", b"other"
        )
        waiting = [router.send_multipart([b"full", bytes(100_000)]) for _ in range(20)]
        assert not waiting[-1].done()
        start = loop.call_later

        def call_later(*args: Any, **kwargs: Any) -> asyncio.TimerHandle:
            started.append(start(*args, **kwargs))
            return started[-1]

        loop.call_later = call_later  # type: ignore[method-assign]
        for number in range(50):
            received = router.recv_multipart()
            await other.send(b"%d" % number)
            assert await received == [b"other", b"%d" % number]
            now = loop.time()
            assert sum(timer.when() > now and not timer.cancelled() for timer in started) <= 1
        assert not waiting[-1].done()
        for _ in waiting:
            await full.recv()
        await asyncio.gather(*waiting)

    run(main())
    assert started, "the send that waits is tried again after a while"


def test_a_look_that_its_loop_did_not_come_to_is_taken_in_the_next(
    open_socket: Opener,
) -> None:
    pull, push = open_socket(zmq.PULL), open_socket(zmq.PUSH)
    pull.bind("inproc://next")
    push.connect("inproc://next")

    def leave() -> None:
        first.stop()
        pull.recv()
        pull.recv()  # has the socket looked at in the loop's next round, and there is none

    first = asyncio.new_event_loop()
    first.call_soon(leave)
    first.run_forever()
    first.close()

    async def main() -> None:
        received = pull.recv()
        await push.send(b"hello")
        pull.get(zmq.EVENTS)  # takes the news, so the call that waits has to be looked after
        assert await received == b"hello"

    run(main())
