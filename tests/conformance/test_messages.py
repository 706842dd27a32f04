"""What a message may be in Python: Frame, text, JSON, pickles, and serializers of one's own."""

import json
import zlib
from collections.abc import Sequence

import pytest
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.links import Link, local_only
from support.waiting import PATIENCE_MS


@pytest.fixture
def pair(sockets: SocketFactory) -> tuple[Socket, Socket]:
    """Two connected PAIR sockets in this process."""
    return (
        sockets.open(zmq.PAIR, bind="inproc://messages"),
        sockets.open(zmq.PAIR, connect="inproc://messages"),
    )


@pytest.mark.parametrize("length", [0, 1, 33, 1000, 100_000, 1 << 20])
@local_only
def test_receiving_a_frame(link: Link, length: int) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    body = bytes(number % 251 for number in range(length))
    far.send(body)
    frame = near.recv(copy=False)
    assert isinstance(frame, zmq.Frame)
    assert len(frame) == length
    assert frame.bytes == body
    assert bytes(frame) == body
    assert bytes(frame.buffer) == body
    assert bytes(memoryview(frame)) == body
    assert frame.more is False


def test_frames_outlive_later_messages_and_the_socket(link: Link) -> None:
    near, far = link.pair(zmq.PULL, zmq.PUSH)
    bodies = [bytes([number]) * size for number, size in enumerate([10, 5000, 300_000] * 10)]
    for body in bodies:
        far.send(body)
    frames = [near.recv(copy=False) for _ in bodies]
    near.close()
    assert [frame.bytes for frame in frames] == bodies


def test_frames_of_one_message(pair: tuple[Socket, Socket]) -> None:
    near, far = pair
    far.send_multipart([b"a", b"", b"c"])
    frames = near.recv_multipart(copy=False)
    assert [frame.bytes for frame in frames] == [b"a", b"", b"c"]
    assert [frame.more for frame in frames] == [True, True, False]


def test_a_received_frame_can_be_sent_on(pair: tuple[Socket, Socket]) -> None:
    near, far = pair
    for body in (b"short", b"long" * 100_000):
        far.send(body)
        frame = near.recv(copy=False)
        near.send(frame, copy=False)
        near.send(frame)
        near.send_multipart([frame, b"and", frame], copy=False)
        assert far.recv() == body
        assert far.recv() == body
        assert far.recv_multipart() == [body, b"and", body]


@pytest.mark.parametrize(
    "data",
    [b"data", bytearray(b"data"), memoryview(b"-data-")[1:5]],
    ids=["bytes", "array", "view"],
)
def test_making_a_frame(data: object) -> None:
    frame = zmq.Frame(data)
    assert len(frame) == 4
    assert frame.bytes == b"data"
    assert bytes(frame.buffer) == b"data"


def test_an_empty_frame() -> None:
    assert len(zmq.Frame()) == 0
    assert zmq.Frame().bytes == b""
    assert zmq.Frame(b"").bytes == b""


@pytest.mark.parametrize("wrong", ["text", 3, object], ids=str)
def test_a_frame_is_made_of_bytes(wrong: object) -> None:
    with pytest.raises(TypeError):
        zmq.Frame(wrong)


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("length", [0, 10, 1000, 100_000])
def test_a_buffer_can_be_sent_without_a_copy(
    pair: tuple[Socket, Socket], length: int, copy: bool
) -> None:
    near, far = pair
    body = bytearray(number % 256 for number in range(length))
    far.send(body, copy=copy)
    assert near.recv() == body


@pytest.mark.parametrize("text", ["", "plain", "größer als", "日本語 🙂", "nul\0inside"])
def test_text(pair: tuple[Socket, Socket], text: str) -> None:
    near, far = pair
    far.send_string(text)
    assert near.recv() == text.encode()
    far.send_string(text)
    assert near.recv_string() == text
    far.send_string(text, encoding="utf-16")
    assert near.recv_string(encoding="utf-16") == text
    far.send_string(text, zmq.SNDMORE)
    far.send_string("end")
    assert near.recv_multipart() == [text.encode(), b"end"]


def test_text_must_be_text(pair: tuple[Socket, Socket]) -> None:
    near, far = pair
    with pytest.raises(TypeError):
        far.send_string(b"bytes")
    far.send(b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        near.recv_string()
    # The message was received all the same.
    assert not near.poll(0)


@pytest.mark.parametrize(
    "value", [None, 1, 2.5, "ö", "half \udc80", [1, [2]], {"a": {"b": [None, True]}}]
)
def test_json(pair: tuple[Socket, Socket], value: object) -> None:
    near, far = pair
    far.send_json(value)
    assert near.recv_json() == value
    far.send_json(value)
    assert near.recv() == json.dumps(value).encode()


def test_json_takes_the_arguments_of_its_functions(pair: tuple[Socket, Socket]) -> None:
    near, far = pair
    far.send_json({"b": 1, "a": 2}, sort_keys=True)
    assert near.recv_json(object_pairs_hook=list) == [("a", 2), ("b", 1)]
    with pytest.raises(TypeError):
        far.send_json(object())
    far.send(b"{broken")
    with pytest.raises(json.JSONDecodeError):
        near.recv_json()


@pytest.mark.parametrize("value", [None, {1, 2}, ("a", b"b"), range(3), ValueError])
def test_objects(pair: tuple[Socket, Socket], value: object) -> None:
    near, far = pair
    far.send_pyobj(value)
    assert near.recv_pyobj() == value
    far.send_pyobj(value, protocol=2)
    assert near.recv_pyobj() == value


def test_serializers_of_ones_own(pair: tuple[Socket, Socket]) -> None:
    near, far = pair

    def pack(text: str) -> list[bytes]:
        return [b"zlib", zlib.compress(text.encode())]

    def unpack(frames: Sequence[bytes]) -> str:
        assert frames[0] == b"zlib"
        return zlib.decompress(frames[1]).decode()

    far.send_serialized("text" * 1000, pack)
    assert near.recv_serialized(unpack) == "text" * 1000


def test_several_kinds_on_one_socket(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    far.send_json({"n": 1})
    far.send_string("two")
    far.send_pyobj({3})
    far.send(b"4")
    assert near.recv_json() == {"n": 1}
    assert near.recv_string() == "two"
    assert near.recv_pyobj() == {3}
    assert near.recv() == b"4"


def test_flags_and_timeouts_hold_for_all(pair: tuple[Socket, Socket]) -> None:
    near, _ = pair
    for call in ("recv_string", "recv_json", "recv_pyobj"):
        with pytest.raises(zmq.Again):
            getattr(near, call)(zmq.NOBLOCK)
    with pytest.raises(zmq.Again):
        near.recv_serialized(bytes, zmq.NOBLOCK)
    assert near.poll(1) == 0
    assert near.rcvtimeo == PATIENCE_MS
