"""asyncio: calls return futures, which wait in the event loop (pyzmq's zmq.asyncio)."""

import asyncio
import gc
import importlib
import os
import pickle
from collections.abc import Awaitable, Coroutine, Iterator
from typing import Any

import pytest
from support.exchange import bind_when_free
from support.factory import SocketFactory
from support.library import LIBRARY_NAME, Socket, ours_better, zmq
from support.links import LOCAL_KINDS, Link
from support.waiting import PATIENCE_MS

zaio = importlib.import_module(f"{LIBRARY_NAME}.asyncio")

PATIENCE_S = PATIENCE_MS / 1000

pytestmark = pytest.mark.parametrize("link", [*LOCAL_KINDS, "tcp"], indirect=True)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run *main* in a new event loop, for a limited time."""
    return asyncio.run(asyncio.wait_for(main, PATIENCE_S))


@pytest.fixture
def context(nothing_left: None) -> Iterator[Any]:
    context = zaio.Context()
    yield context
    context.destroy(linger=0)


Pair = tuple[Socket, Socket]


@pytest.fixture
def pair(link: Link) -> Pair:
    return link.pair(zmq.PAIR, zmq.PAIR)


@pytest.fixture
def push_pull(link: Link) -> Pair:
    return link.pair(zmq.PUSH, zmq.PULL)


def test_a_call_is_begun_before_it_is_awaited(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        futures = [pull.recv() for _ in range(3)]
        assert all(asyncio.isfuture(future) and not future.done() for future in futures)
        for number in range(3):
            await push.send(b"%d" % number)
        assert await futures[2] == b"2"
        assert [future.result() for future in futures[:2]] == [b"0", b"1"]

    run(main())


def test_what_is_there_is_had_at_once(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        sent = push.send(b"hello")
        await pull.poll(PATIENCE_MS)
        assert sent.done()
        received = pull.recv()
        assert received.done()
        assert received.result() == b"hello"

    run(main())


def test_callbacks_of_futures(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        pull.recv().add_done_callback(lambda future: heard.put_nowait(future.result()))
        await push.send(b"hello")
        assert await heard.get() == b"hello"

    run(main())


def test_every_format(pair: Pair) -> None:
    near, far = pair

    async def main() -> None:
        for send, receive, value in (
            (near.send, far.recv, b"bytes"),
            (near.send_multipart, far.recv_multipart, [b"one", b"", b"three"]),
            (near.send_string, far.recv_string, "tëxt"),
            (near.send_json, far.recv_json, {"a": [1, None]}),
            (near.send_pyobj, far.recv_pyobj, {1: (2, 3)}),
        ):
            early = receive()
            await send(value)
            assert await early == value
            await send(value)
            assert await receive() == value
        early = far.recv_serialized(lambda parts: pickle.loads(parts[0]))
        await near.send_serialized({"x": 1}, lambda value: [pickle.dumps(value)])
        assert await early == {"x": 1}
        buffer = bytearray(5)
        early = far.recv_into(buffer)
        await near.send(b"hello")
        assert (await early, buffer) == (5, b"hello")
        frame = far.recv(copy=False)
        await near.send(b"hello")
        assert bytes(await frame) == b"hello"

    run(main())


@ours_better("pyzmq waits for POLLIN before it finds that it is not its turn to receive")
def test_errors_are_in_the_future(link: Link) -> None:
    req = link.near(zmq.REQ, bind=link.endpoint())

    async def main() -> None:
        for kind in (req.recv, req.recv_multipart):
            with pytest.raises(zmq.ZMQError) as failure:
                await kind()
            assert failure.value.errno == zmq.EFSM

    run(main())


def test_text_that_is_none_is_an_error_of_that_call_only(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        for early in (True, False):
            future = pull.recv_string() if early else None
            await push.send(b"\xff")
            await push.send(b"text")
            with pytest.raises(UnicodeDecodeError):
                await (future or pull.recv_string())
            assert await pull.recv_string() == "text"

    run(main())


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


def test_dontwait(push_pull: Pair) -> None:
    push, pull = push_pull

    async def main() -> None:
        future = pull.recv(zmq.DONTWAIT)
        assert future.done()
        with pytest.raises(zmq.Again):
            await future
        waiting = pull.recv()
        await push.send(b"hello")
        assert await waiting == b"hello"

    run(main())


def test_sending_waits_for_room_in_order(link: Link) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL, {"sndhwm": 1}, {"rcvhwm": 1})
    count, size = 50, 200_000

    async def main() -> None:
        sent = [push.send(number.to_bytes(4, "big") + bytes(size)) for number in range(count)]
        assert not sent[-1].done()
        sent[-1].cancel()
        for number in range(count - 1):
            assert int.from_bytes((await pull.recv())[:4], "big") == number
        await asyncio.gather(*sent[:-1])
        assert await pull.poll(0) == 0

    run(main())


def test_both_directions_at_once(link: Link) -> None:
    near, far = link.pair(
        zmq.DEALER, zmq.DEALER, {"sndhwm": 2, "rcvhwm": 2}, {"sndhwm": 2, "rcvhwm": 2}
    )
    count = 1000

    async def send(socket: Socket) -> None:
        for number in range(count):
            await socket.send(b"%d" % number)

    async def receive(socket: Socket) -> None:
        assert [int(await socket.recv()) for _ in range(count)] == list(range(count))

    async def main() -> None:
        await asyncio.gather(*(task(socket) for task in (send, receive) for socket in (near, far)))

    run(main())


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


def test_request_and_reply(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ)

    async def serve() -> None:
        while (message := await rep.recv()) != b"end":
            await rep.send(message)

    async def main() -> None:
        serving = asyncio.create_task(serve())
        for number in range(200):
            await req.send(b"%d" % number)
            assert await req.recv() == b"%d" % number
        await req.send(b"end")
        await serving

    run(main())


def test_a_receiver_that_comes_later(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, bind=link.endpoint())

    async def main() -> None:
        waiting = push.send(b"hello")
        assert not waiting.done()
        push.connect(endpoint)
        pull = link.near(zmq.PULL)
        bind_when_free(pull, endpoint)
        assert await pull.recv() == b"hello"
        await waiting

    run(main())


@ours_better("libzmq says POLLOUT for the other peer, and pyzmq raises Again")
def test_a_router_that_waits_for_one_peer(link: Link, sockets: SocketFactory) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint, router_mandatory=1, sndhwm=1)
    dealer = link.far(zmq.DEALER, connect=endpoint, routing_id=b"dealer", rcvhwm=1)
    other = link.far(zmq.DEALER, connect=endpoint, routing_id=b"other")

    async def main() -> None:
        for peer in (dealer, other):
            await peer.send(b"here I am")
            await router.recv_multipart()
        count, payload = 200, bytes(200_000)  # more than the kernel holds for tcp
        sending = [router.send_multipart([b"dealer", payload]) for _ in range(count)]
        assert not sending[-1].done()
        for _ in range(count):
            assert await dealer.recv() == payload
        await asyncio.gather(*sending)

    run(main())
