"""Calls that are given up: cancelled, out of time, their socket closed. No message is lost."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from support.library import zmq
from support.links import LOCAL_KINDS, Link
from support.loops import Pair, run
from support.waiting import PATIENCE_MS

pytestmark = pytest.mark.parametrize("link", [*LOCAL_KINDS, "tcp"], indirect=True)


@pytest.mark.parametrize("name", ["recv", "recv_multipart", "recv_string", "recv_json"])
def test_cancelling_takes_no_message(push_pull: Pair, name: str) -> None:
    push, pull = push_pull

    async def main() -> None:
        futures = [getattr(pull, name)() for _ in range(3)]
        tasks = [asyncio.create_task(_awaiting(getattr(pull, name)())) for _ in range(3)]
        await asyncio.sleep(0)
        for waiting in (*futures, *tasks):
            assert waiting.cancel()
        for waiting in (*futures, *tasks):
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await push.send(b"1")
        assert await pull.recv() == b"1"

    run(main())


async def _awaiting(future: Awaitable[Any]) -> Any:
    return await future


def test_giving_up_again_and_again_loses_nothing(push_pull: Pair) -> None:
    push, pull = push_pull
    count = 300
    received: list[int] = []

    async def receive_within(rounds: int) -> None:
        """Receive a message if it comes before the loop has gone round so often."""
        waiting = pull.recv()
        for _ in range(rounds):
            await asyncio.sleep(0)
        if not waiting.cancel():
            received.append(int(waiting.result()))

    async def main() -> None:
        for number in range(count):
            await receive_within(number % 3)
            await push.send(b"%d" % number)
            await receive_within(number % 5)
        given_up = count - len(received)
        received.extend([int(await pull.recv()) for _ in range(given_up)])
        assert received == list(range(count))

    run(main())


def test_a_cancelled_call_lets_the_next_one_have_its_turn(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        first, second = pull.recv(), pull.recv_multipart()
        first.cancel()
        await push.send(b"hello")
        assert await second == [b"hello"]

    run(main())


def test_time_limits(link: Link) -> None:
    push = link.near(zmq.PUSH, bind=link.endpoint(), sndtimeo=20)
    pull = link.near(zmq.PULL, bind=link.endpoint(), rcvtimeo=20)

    async def main() -> None:
        late = [pull.recv(), pull.recv_multipart(), push.send(b""), push.send_multipart([b""])]
        assert not any(future.done() for future in late)
        for future in late:
            with pytest.raises(zmq.Again):
                await future

    run(main())


def test_a_time_limit_is_that_of_when_the_call_was_made(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        pull.rcvtimeo = 20
        early = pull.recv()
        pull.rcvtimeo = PATIENCE_MS
        late = pull.recv()
        with pytest.raises(zmq.Again):
            await early
        await push.send(b"hello")
        assert await late == b"hello"

    run(main())


def test_closing_cancels_what_waits(link: Link) -> None:
    pull = link.near(zmq.PULL, bind=link.endpoint())
    push = link.near(zmq.PUSH, bind=link.endpoint())

    async def main() -> None:
        waiting = [pull.recv(), pull.recv_multipart(), pull.recv_string(), pull.poll(PATIENCE_MS)]
        waiting.append(push.send(b"nobody"))
        await asyncio.sleep(0)
        pull.close()
        push.close()
        for future in waiting:
            with pytest.raises(asyncio.CancelledError):
                await future
        for call in (pull.recv, pull.poll):
            with pytest.raises(zmq.ZMQError):
                await call()

    run(main())
