"""Large messages in blocks, their readers and senders killed: nothing torn, lost, or never back."""

from random import Random

from crash.cast import Cast
from crash.payload import header, large_message
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.waiting import wait_for

SENDER = 1


def _send(push: Socket, first: int, count: int) -> int:
    for number in range(first, first + count):
        push.send_multipart(large_message(SENDER, number))
    return first + count


def test_what_a_killed_reader_held_comes_back(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, bind=endpoint)
    pool = sockets.context.pool
    for _ in range(3):
        victim = cast.start("keep", type="PULL", how="connect", endpoint=endpoint)
        count = random.randrange(30, 90)
        _send(push, 0, count)
        victim.await_progress(random.randrange(21, 30))
        assert pool.describe()["used"]
        victim.kill()

        def all_back() -> bool:
            push.poll(0)
            pool.collect_from_dead()
            return pool.describe()["used"] == {}

        wait_for(all_back, "every block is back")


def test_what_a_killed_reader_had_not_read_goes_to_the_next(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    push = sockets.open(zmq.PUSH, connect=endpoint, reconnect_ivl=5)
    sent = following = 0
    for _ in range(3):
        victim = cast.start("keep", type="PULL", how="bind", endpoint=endpoint)
        sent = _send(push, sent, 60)
        victim.await_progress(following + random.randrange(1, 40))
        victim.kill()
        assert victim.record.first - following in (0, 1)
        following = victim.record.following
    heir = cast.start("keep", type="PULL", how="bind", endpoint=endpoint)
    sent = _send(push, sent, 5)
    heir.await_progress(sent)
    assert heir.record.first - following in (0, 1)


def test_what_a_killed_sender_had_sent_is_still_read(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    pull = sockets.open(zmq.PULL, bind=endpoint)
    for sender in range(100, 103):
        victim = cast.start(
            "send_large", type="PUSH", how="connect", endpoint=endpoint, sender=sender
        )
        victim.await_progress(random.randrange(1, 60))
        kept = [pull.recv_multipart(copy=False) for _ in range(random.randrange(1, 4))]
        victim.kill()
        while len(kept) < victim.record.following:
            kept.append(pull.recv_multipart(copy=False))
        while pull.poll(100):  # sent, and not noted any more
            kept.append(pull.recv_multipart(copy=False))
        for number, frames in enumerate(kept):
            assert header(frames[0].bytes) == (sender, number)
            assert [frame.bytes for frame in frames] == large_message(sender, number)
