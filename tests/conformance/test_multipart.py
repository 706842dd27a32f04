"""Messages of several frames: all or nothing, every boundary kept; and every size (RFC 23)."""

import hashlib

import pytest
from support.exchange import drain
from support.library import ours_better, zmq
from support.links import Link, local_only

# The lengths at which a frame's header, a page, a ring or a block may change its shape.
LENGTHS = [0, 1, 2, 7, 8, 9, 63, 64, 65, 254, 255, 256, 257, 4096, 8191, 8192, 8193, 65535, 65536]
LENGTHS += [131_071, 1 << 20, (1 << 20) + 1, 16 << 20]


def _pattern(length: int) -> bytes:
    """Return so many bytes, in a pattern that shows when a stretch is lost or doubled."""
    numbers = b"".join(number.to_bytes(8, "little") for number in range(1 + min(length, 1 << 16)))
    seed = hashlib.sha256(length.to_bytes(8, "little")).digest()
    block = seed + numbers
    return (block * (length // len(block) + 1))[:length]


@pytest.mark.parametrize("length", LENGTHS)
def test_every_byte_arrives(link: Link, length: int) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    body = _pattern(length)
    far.send(body)
    assert near.recv() == body
    near.send(body)
    assert far.recv() == body


def test_sizes_in_a_row(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    bodies = [_pattern(length) for length in LENGTHS if length <= 131_071]
    for body in bodies * 3:
        push.send(body)
    for body in bodies * 3:
        assert pull.recv() == body


@pytest.mark.parametrize(
    "message",
    [
        [b""],
        [b"", b""],
        [b"a", b"", b"b"],
        [b"", b"", b"", b"x"],
        [b"x" * 8192, b"", b"y" * 65536, b"z"],
        [b"%d" % number for number in range(1000)],
        [b"part"] * 255 + [b"x" * 300],
    ],
    ids=lambda message: f"{len(message)}x{sum(map(len, message))}",
)
def test_frames_keep_their_boundaries(link: Link, message: list[bytes]) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    for _ in range(3):
        far.send_multipart(message)
        near.send_multipart(message)
    for _ in range(3):
        assert near.recv_multipart() == message
        assert far.recv_multipart() == message


def test_a_large_message_of_several_large_frames(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    message = [_pattern(length) for length in (3 << 20, 0, 1 << 20, 5, 2 << 20)]
    push.send_multipart(message)
    push.send(b"after")
    assert pull.recv_multipart() == message
    assert pull.recv() == b"after"


def test_frame_by_frame(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    push.send(b"a", zmq.SNDMORE)
    push.send(b"b", zmq.SNDMORE)
    push.send(b"c")
    push.send(b"single")
    more = []
    for _ in range(4):
        pull.recv()
        more.append(pull.get(zmq.RCVMORE))
    assert more == [1, 1, 0, 0]


def test_nothing_arrives_before_the_last_frame(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    push.send(b"whole")
    assert pull.recv() == b"whole"
    push.send(b"half", zmq.SNDMORE)
    push.send(b"half", zmq.SNDMORE)
    assert not pull.poll(0)
    with pytest.raises(zmq.Again):
        pull.recv(zmq.NOBLOCK)
    push.send(b"end")
    assert pull.recv_multipart() == [b"half", b"half", b"end"]


@local_only  # there is no sending such a part to another process
@ours_better("pyzmq sends the parts before it, and the next message behind them")
@pytest.mark.parametrize(
    ("part", "error"), [(None, TypeError), (memoryview(b"gaps")[::2], BufferError)]
)
def test_a_part_that_cannot_be_sent_keeps_all_from_being_sent(
    link: Link, part: object, error: type[Exception]
) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    with pytest.raises(error, match="part 1 of 2"):
        push.send_multipart([b"before", part])
    push.send(b"next")
    assert pull.recv_multipart() == [b"next"]


def test_an_unfinished_message_is_never_delivered(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    push = link.far(zmq.PUSH, connect=endpoint, linger=-1)
    push.send(b"whole")
    push.send(b"half", zmq.SNDMORE)
    push.close()
    assert pull.recv() == b"whole"
    other = link.far(zmq.PUSH, connect=endpoint)
    other.send(b"next")
    assert pull.recv() == b"next"
    assert drain(pull) == []


def test_recv_multipart_returns_the_rest_of_a_message(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    push.send_multipart([b"a", b"b", b"c"])
    push.send(b"next")
    assert pull.recv() == b"a"
    assert pull.recv_multipart() == [b"b", b"c"]
    assert pull.recv_multipart() == [b"next"]


def test_an_endless_sequence_of_frames(link: Link) -> None:
    # More frames in one message than the high water mark allows messages.
    pull, push = link.pair(zmq.PULL, zmq.PUSH, near={"rcvhwm": 5}, far={"sndhwm": 5})
    for number in range(3000):
        push.send(b"%d" % number, zmq.SNDMORE)
    push.send(b"end")
    assert pull.recv_multipart() == [*(b"%d" % number for number in range(3000)), b"end"]


def _buffers() -> list[object]:
    """Return every kind of object that holds the bytes b"payload"."""
    return [
        b"payload",
        bytearray(b"payload"),
        memoryview(b"payload"),
        memoryview(b"--payload--")[2:-2],
        zmq.Frame(b"payload"),
    ]


@pytest.mark.parametrize("kind", range(5), ids=["bytes", "bytearray", "view", "slice", "Frame"])
@pytest.mark.parametrize("copy", [True, False])
def test_anything_with_a_buffer_can_be_sent(link: Link, kind: int, copy: bool) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    push.send(_buffers()[kind], copy=copy)
    push.send_multipart([_buffers()[kind], b"end"], copy=copy)
    assert pull.recv() == b"payload"
    assert pull.recv_multipart() == [b"payload", b"end"]


def test_a_sent_buffer_may_be_reused(link: Link) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    buffer = bytearray(100_000)
    for number in range(10):
        buffer[:] = bytes([number]) * len(buffer)
        push.send(buffer)
    buffer[:] = b"\xff" * len(buffer)
    assert [pull.recv() for _ in range(10)] == [bytes([number]) * 100_000 for number in range(10)]


@pytest.mark.parametrize("wrong", ["text", 3, None, object, ["x"]], ids=str)
def test_only_buffers_can_be_sent(link: Link, wrong: object) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    push.send(b"before")
    with pytest.raises(TypeError):
        push.send(wrong)
    # The good parts before the wrong one are not sent either.
    with pytest.raises(TypeError):
        push.send_multipart([b"good", wrong])
    push.send(b"after")
    assert pull.recv_multipart() == [b"before"]
    assert pull.recv_multipart() == [b"after"]
