"""A socket outlives its loop, and may be used without one: other loops, FD, shadows."""

import asyncio
import gc
from typing import Any

import pytest
from support.library import ours_better, zmq
from support.links import LOCAL_KINDS, Link
from support.loops import Pair, run, zaio
from support.waiting import PATIENCE_MS

pytestmark = pytest.mark.parametrize("link", [*LOCAL_KINDS, "tcp"], indirect=True)


def test_the_descriptor_is_ready_for_a_loop_of_the_users(link: Link) -> None:
    """FD is edge-triggered: EVENTS is looked at before and after."""
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    plain = zmq.Socket.shadow(pull.underlying)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        news = asyncio.Event()
        loop.add_reader(plain.get(zmq.FD), news.set)
        try:
            for number in range(20):
                push.send(b"%d" % number)
                while not plain.get(zmq.EVENTS) & zmq.POLLIN:
                    news.clear()
                    if not plain.get(zmq.EVENTS) & zmq.POLLIN:
                        await news.wait()
                assert plain.recv(zmq.DONTWAIT) == b"%d" % number
        finally:
            loop.remove_reader(plain.get(zmq.FD))

    run(main())


def test_one_loop_after_another(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main(number: int) -> None:
        received = pull.recv()
        await push.send(b"%d" % number)
        assert await received == b"%d" % number

    for number in range(3):
        run(main(number))


@ours_better("pyzmq goes on with the calls of a loop that was closed")
def test_a_loop_that_ended_in_the_middle_of_a_call(push_pull: Pair) -> None:
    push, pull = push_pull

    async def leave() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pull.recv(), 0.01)
        pull.recv()  # and nobody waits for it

    async def main() -> None:
        received = pull.recv()
        await push.send(b"hello")
        assert await received == b"hello"

    run(leave())
    gc.collect()
    run(main())


def test_shadows(link: Link) -> None:
    """A blocking socket is used in a loop, and the other way round."""
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    blocking = zmq.Socket.shadow(pull.underlying)
    asynchronous = zaio.Socket.from_socket(blocking)
    assert asynchronous.underlying == pull.underlying

    async def main() -> None:
        await push.send(b"first")
        assert await asynchronous.recv() == b"first"
        received = asynchronous.recv()
        await push.send(b"second")
        assert await received == b"second"
        await push.send(b"third")
        await asynchronous.poll(PATIENCE_MS)
        assert blocking.recv() == b"third"

    run(main())


def test_context_shadows(context: Any, link: Link) -> None:
    plain = zmq.Context()
    shadow = zaio.Context.shadow(plain.underlying)
    with shadow.socket(zmq.PAIR) as near, plain.socket(zmq.PAIR) as far:
        assert isinstance(near, zaio.Socket)
        assert not isinstance(far, zaio.Socket)
        near.bind("inproc://shadow")
        far.connect("inproc://shadow")
        far.send(b"hello")

        async def main() -> bytes:
            message: bytes = await near.recv()
            return message

        assert run(main()) == b"hello"
    plain.term()
