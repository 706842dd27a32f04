"""Large messages over every kind of link: loans, views, and who shares what."""

import gc

import numpy as np
import pytest
from support.factory import SocketFactory
from support.library import LIBRARY_NAME, zmq
from support.links import Link, inproc_only, ipc_only, local_ipc_only, local_only
from support.waiting import wait_for

pytestmark = pytest.mark.skipif(LIBRARY_NAME == "zmq", reason="pyzmq has no blocks")

MIB = 1 << 20
SIZES = [0, 1, 32_767, 32_768, 100_001, MIB, 5 * MIB]


def pattern(size: int, seed: int = 0) -> bytes:
    return (np.arange(size, dtype=np.uint32) * 2654435761 + seed).astype(np.uint8).tobytes()


@pytest.mark.parametrize("size", SIZES)
def test_a_loan_arrives_as_it_was_filled(link: Link, size: int) -> None:
    near, far = link.pair(zmq.PUSH, zmq.PULL)
    loan = near.loan(size)
    assert loan.nbytes == len(loan) == size
    memoryview(loan)[:] = pattern(size)
    near.send(loan)
    assert far.recv() == pattern(size)


def test_loans_as_parts_of_messages_and_sent_twice(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    loans = [near.loan(size) for size in (100_000, 10, 200_000)]
    for number, loan in enumerate(loans):
        memoryview(loan)[:] = pattern(len(loan), number)
    for _ in range(2):
        near.send_multipart(loans)
    wanted = [pattern(len(loan), number) for number, loan in enumerate(loans)]
    assert [far.recv_multipart(), far.recv_multipart()] == [wanted, wanted]


@local_ipc_only
def test_dropping_a_loan_gives_it_back(link: Link, sockets: SocketFactory) -> None:
    near, _ = link.pair(zmq.PUSH, zmq.PULL)
    pool = sockets.context.pool
    loan = near.loan(MIB)
    assert sum(pool.describe()["used"].values()) == 1
    del loan
    assert pool.describe()["used"] == {}


@local_only
@pytest.mark.parametrize("size", [40_000, MIB])
def test_views_outlive_frames_and_sockets(link: Link, size: int) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    for number in range(8):
        far.send(pattern(size, number))
    frames = [near.recv(copy=False) for _ in range(8)]
    views = [memoryview(frame)[7:] for frame in frames[::2]]
    arrays = [np.frombuffer(frame, np.uint8)[7:] for frame in frames[1::2]]
    frames.clear()
    near.close()
    far.close()
    for number, view in enumerate(views):
        assert view == pattern(size, 2 * number)[7:]
    for number, array in enumerate(arrays):
        assert array.tobytes() == pattern(size, 2 * number + 1)[7:]


@local_only
def test_what_is_received_cannot_be_written_to(link: Link) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    far.send(b"x" * 50_000)
    view = memoryview(near.recv(copy=False))
    with pytest.raises(TypeError, match="read-only"):
        view[0] = 1


@inproc_only
@pytest.mark.parametrize("size", [10_000, MIB])
def test_bytes_go_by_reference_within_a_process(link: Link, size: int) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    body = pattern(size)
    far.send(body)
    assert near.recv() is body
    far.send(body)
    assert near.recv(copy=False).bytes is body
    far.send(zmq.Frame(body))
    assert near.recv() is body


@inproc_only
def test_what_may_change_is_copied_within_a_process(link: Link) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    body = bytearray(pattern(50_000))
    far.send(body)
    body[:] = bytes(50_000)
    assert near.recv() == pattern(50_000)


@inproc_only
def test_nothing_is_kept_of_what_was_received_or_rolled_back(link: Link) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    body = np.ones(50_000, np.uint8)
    for _ in range(3):
        far.send(body, zmq.SNDMORE)
    far.send(b"end")
    assert len(near.recv_multipart()) == 4
    far.send(pattern(50_000), zmq.SNDMORE)  # its end never comes
    far.close()
    near.close()
    gc.collect()


@ipc_only
def test_a_block_returns_when_its_reader_is_done(link: Link, sockets: SocketFactory) -> None:
    near, far = link.pair(zmq.PUSH, zmq.PULL)
    pool = sockets.context.pool
    near.send(b"first")
    assert far.recv() == b"first"
    for number in range(20):
        near.send(pattern(MIB, number))
        assert far.recv() == pattern(MIB, number)

    def all_back() -> bool:
        pool.collect_from_dead()
        return pool.describe()["used"] == {}

    wait_for(all_back, "every block is back")
    assert 0 < pool.reserved < 20 * MIB


@local_ipc_only
def test_one_block_serves_all_subscribers(link: Link, sockets: SocketFactory) -> None:
    endpoint = link.endpoint()
    publisher = sockets.open(zmq.XPUB, bind=endpoint)
    subscribers = [sockets.open(zmq.SUB, connect=endpoint, subscribe=b"") for _ in range(4)]
    assert publisher.recv() == b"\x01"
    pool = sockets.context.pool

    def sends_blocks_to_all() -> bool:
        publisher.send(pattern(MIB))
        frames = [subscriber.recv(copy=False) for subscriber in subscribers if subscriber.poll(100)]
        assert all(frame.bytes == pattern(MIB) for frame in frames)
        pool.collect_from_dead()
        used = sum(pool.describe()["used"].values())
        return len(frames) == 4 and used == 1

    wait_for(sends_blocks_to_all, "one block is shared by four subscribers")


def test_large_parts_through_every_pattern(link: Link) -> None:
    body = pattern(3 * MIB)
    near, far = link.pair(zmq.REQ, zmq.REP)
    near.send(body)
    assert far.recv() == body
    far.send_multipart([b"small", body])
    assert near.recv_multipart() == [b"small", body]
    near, far = link.pair(zmq.ROUTER, zmq.DEALER)
    far.send(body)
    name, got = near.recv_multipart()
    assert got == body
    near.send_multipart([name, body, body])
    assert far.recv_multipart() == [body, body]


@local_ipc_only
def test_the_bound_of_the_pool(link: Link, sockets: SocketFactory) -> None:
    context = sockets.context
    assert context.get(zmq.BLOCK_POOL_SIZE) == 256 * MIB
    context.set(zmq.BLOCK_POOL_SIZE, 3 * MIB)
    assert context.block_pool_size == 3 * MIB
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    for number in range(12):
        far.send(pattern(MIB, number))
        if number % 3 == 2:
            frames = [near.recv(copy=False) for _ in range(3)]
            for left, frame in enumerate(frames):
                assert frame.bytes == pattern(MIB, number - 2 + left)
    assert context.pool.reserved <= 3 * MIB
    with pytest.raises(zmq.ZMQError, match="BLOCK_POOL_SIZE"):
        context.set(zmq.BLOCK_POOL_SIZE, -1)


@local_ipc_only
def test_everything_goes_without_blocks(link: Link, sockets: SocketFactory) -> None:
    sockets.context.set(zmq.BLOCK_POOL_SIZE, 0)
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    far.send(pattern(MIB))
    loan = far.loan(MIB)
    memoryview(loan)[:] = pattern(MIB, 1)
    far.send(loan)
    assert [near.recv(), near.recv(copy=False).bytes] == [pattern(MIB), pattern(MIB, 1)]
    assert sockets.context.pool.reserved == 0
