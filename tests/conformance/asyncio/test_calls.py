"""Calls return futures: begun at once, finished in order, whatever they carry."""

import asyncio
import pickle

import pytest
from support.exchange import bind_when_free
from support.factory import SocketFactory
from support.library import Socket, ours_better, zmq
from support.links import LOCAL_KINDS, Link
from support.loops import Pair, run
from support.waiting import PATIENCE_MS

pytestmark = pytest.mark.parametrize("link", [*LOCAL_KINDS, "tcp"], indirect=True)


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
