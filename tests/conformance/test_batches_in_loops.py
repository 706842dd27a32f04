"""Batches and arrays of asyncio's and gevent's sockets: nothing is sent twice, or in part."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import gevent
import numpy as np
import pytest
from support.library import LIBRARY_NAME

import shmzmq
import shmzmq.asyncio
import shmzmq.green

pytestmark = pytest.mark.skipif(LIBRARY_NAME == "zmq", reason="pyzmq has no batches")

MESSAGES = [b"%d" % number for number in range(1000)]


@pytest.fixture(params=["inproc://here", "ipc://@shmzmq-test-loops"])
def endpoint(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextlib.contextmanager
def pair(context: Any, endpoint: str, mark: int) -> Iterator[tuple[Any, Any]]:
    """Open a PUSH and a PULL with room for 2 * *mark* messages between them."""
    with context.socket(shmzmq.PUSH) as push, context.socket(shmzmq.PULL) as pull:
        for socket in (push, pull):
            socket.linger = 0
            socket.sndhwm = socket.rcvhwm = mark
        pull.bind(endpoint)
        push.connect(endpoint)
        yield push, pull


@pytest.fixture
def in_loop() -> Iterator[Any]:
    with shmzmq.asyncio.Context() as context:
        yield context


@pytest.fixture(scope="module")
def hub() -> Iterator[None]:
    """Make gevent's hub, with its descriptors, before a test's are counted."""
    made = gevent.get_hub()
    yield
    made.destroy(destroy_loop=True)


@pytest.fixture
def in_hub(hub: None) -> Iterator[Any]:
    with shmzmq.green.Context() as context:
        yield context


# -- asyncio ---------------------------------------------------------------------------------------


def test_asyncio_waits_for_room_and_for_messages(in_loop: Any, endpoint: str) -> None:
    async def scenario() -> None:
        with pair(in_loop, endpoint, 5) as (push, pull):
            sending = push.send_many(MESSAGES)
            received: list[bytes] = []
            while len(received) < len(MESSAGES):
                received += await pull.recv_many()
            assert received == MESSAGES
            assert await sending == len(MESSAGES)
            receiving = pull.recv_packed()
            assert await push.send_many(b"abc", offsets=np.array([0, 1, 3])) == 2
            data, offsets = await receiving
            assert (data.tobytes(), offsets.tolist()) in ((b"abc", [0, 1, 3]), (b"a", [0, 1]))

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_asyncio_messages_of_several_parts(in_loop: Any) -> None:
    async def scenario() -> None:
        with pair(in_loop, "inproc://here", 5) as (push, pull):
            assert await push.send_many([[b"a", b"b"], [b"c"]], multipart=True) == 2
            assert await pull.recv_many(multipart=True) == [[b"a", b"b"], [b"c"]]

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_asyncio_says_how_many_were_sent(in_loop: Any) -> None:
    async def scenario() -> None:
        with pair(in_loop, "inproc://here", 10) as (push, pull):
            push.sndtimeo = 20
            assert await push.send_many(MESSAGES) == 20
            with pytest.raises(shmzmq.Again):
                await push.send_many(MESSAGES)
            assert len(await pull.recv_many(15)) == 15
            push.sndtimeo = -1
            assert await push.send_many(MESSAGES, shmzmq.DONTWAIT) == 15
            sending = push.send_many(MESSAGES)
            assert len(await pull.recv_many()) == 20
            while len(await pull.recv_many(timeout=-1)) < 20:
                pass  # until it has filled the pipe and waits
            assert not sending.done()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            while pull.poll(0).result():
                assert await pull.recv_many()
            assert await push.send_many([b"next"]) == 1
            assert await pull.recv_many() == [b"next"]

    asyncio.run(asyncio.wait_for(scenario(), 30))


@pytest.mark.parametrize("keywords", [{"timeout": 10}, {"timeout": 0}, {"flags": shmzmq.DONTWAIT}])
def test_asyncio_how_long_it_waits(in_loop: Any, keywords: dict[str, int]) -> None:
    async def scenario() -> None:
        with pair(in_loop, "inproc://here", 10) as (_, pull):
            with pytest.raises(shmzmq.Again):
                await pull.recv_many(**keywords)
            with pytest.raises(shmzmq.Again):
                await pull.recv_packed(**keywords)

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_asyncio_cancels_an_array_as_a_whole(in_loop: Any, endpoint: str) -> None:
    async def main() -> list[list[bytes]]:
        with pair(in_loop, endpoint, 1) as (push, pull):
            for number in range(2):
                await push.send(b"%d" % number)
            cancelled, last = push.send_array(np.ones(3)), push.send(b"last")
            cancelled.cancel()
            received = [await pull.recv_multipart() for _ in range(3)]
            await last
            return received

    assert asyncio.run(main()) == [[b"0"], [b"1"], [b"last"]]


# -- gevent ----------------------------------------------------------------------------------------


def test_green_waits_for_room_and_for_messages(in_hub: Any, endpoint: str) -> None:
    with pair(in_hub, endpoint, 5) as (push, pull), gevent.Timeout(30):
        sending = gevent.spawn(push.send_many, MESSAGES)
        received: list[bytes] = []
        while len(received) < len(MESSAGES):
            received += pull.recv_many()
        assert received == MESSAGES
        assert sending.get() == len(MESSAGES)
        receiving = gevent.spawn(pull.recv_packed)
        assert push.send_many([[b"abc"]], multipart=True) == 1
        data, offsets = receiving.get()
        assert (data.tobytes(), offsets.tolist()) == (b"abc", [0, 3])


def test_green_how_long_it_waits(in_hub: Any) -> None:
    with pair(in_hub, "inproc://here", 10) as (push, pull):
        for keywords in ({"timeout": 10}, {"timeout": 0}, {"flags": shmzmq.DONTWAIT}):
            with pytest.raises(shmzmq.Again):
                pull.recv_many(**keywords)
        assert push.send_many(MESSAGES, shmzmq.DONTWAIT) == 20
        with pytest.raises(shmzmq.Again):
            push.send_many(MESSAGES, shmzmq.DONTWAIT)
        assert len(pull.recv_many(15)) == 15
        with pytest.raises(gevent.Timeout) as stopped, gevent.Timeout(0.02):
            push.send_many(MESSAGES)
        assert stopped.value.messages_sent == 15
