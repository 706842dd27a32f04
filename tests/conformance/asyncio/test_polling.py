"""poll and Poller in a loop, of sockets of both kinds and of descriptors."""

import asyncio
import os

import pytest
from support.library import zmq
from support.links import LOCAL_KINDS, Link
from support.loops import Pair, run, zaio
from support.waiting import PATIENCE_MS

pytestmark = pytest.mark.parametrize("link", [*LOCAL_KINDS, "tcp"], indirect=True)


def test_poll(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        assert await pull.poll(0) == 0
        assert await pull.poll(1) == 0
        assert await push.poll(PATIENCE_MS, zmq.POLLOUT) == zmq.POLLOUT
        waiting = pull.poll(PATIENCE_MS)
        assert not waiting.done()
        await push.send(b"hello")
        assert await waiting == zmq.POLLIN
        assert await pull.poll() == zmq.POLLIN
        assert await pull.recv() == b"hello"

    run(main())


def test_poller_of_sockets_of_both_kinds_and_descriptors(link: Link) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    plain_context = zmq.Context()
    plain = plain_context.socket(zmq.PAIR)
    other = plain_context.socket(zmq.PAIR)
    plain.bind("inproc://plain")
    other.connect("inproc://plain")
    readable, writable = os.pipe()

    async def main() -> None:
        poller = zaio.Poller()
        for item in (pull, plain, readable):
            poller.register(item, zmq.POLLIN)
        assert await poller.poll(1) == []
        for act, item in (
            (lambda: push.send(b"x"), pull),
            (lambda: other.send(b"x"), plain),
            (lambda: os.write(writable, b"x"), readable),
        ):
            waiting = poller.poll(PATIENCE_MS)
            await asyncio.sleep(0)
            act()
            assert await waiting == [(item, zmq.POLLIN)]
            if item is readable:
                os.read(readable, 1)
            elif item is plain:
                plain.recv()
            else:
                await pull.recv()
        assert await poller.poll(0) == []
        cancelled = poller.poll(PATIENCE_MS)
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled

    try:
        run(main())
    finally:
        os.close(readable)
        os.close(writable)
        plain_context.destroy(linger=0)


def test_a_poll_does_not_take_the_news_of_a_call_that_waits(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        for number in range(200):
            received = pull.recv()
            polled = pull.poll(PATIENCE_MS)
            await push.send(b"%d" % number)
            pull.get(zmq.EVENTS)
            assert await received == b"%d" % number
            polled.cancel()

    run(main())
