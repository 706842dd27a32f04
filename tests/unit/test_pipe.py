"""A pipe's two ends: noticing, room, goodbye, and what nonsense does to them."""

import errno

import pytest
from support.pipe_ends import (
    DONTWAIT,
    SNDMORE,
    Held,
    board_word,
    far_end_of,
    receive_all,
    send_until_full,
    sender_and_receiver,
    set_word,
    unattached,
    word,
)

from shmzmq.errors import Again, ZMQError
from shmzmq.pipe import Pipe
from shmzmq.pipe_segment import check_pipe_segment, create_pipe_segment
from shmzmq.shm import segment as segments
from shmzmq.shm.board import create_board
from shmzmq.shm.layout import Kind
from shmzmq.shm.liveness import ProcessId, this_process
from shmzmq.shm.segment import Segment
from shmzmq.socket_base import SocketBase

READER = ProcessId(4711, 8)


# -- noticing --------------------------------------------------------------------------------------


def test_should_not_post_to_a_reader_that_attends(held: Held) -> None:
    near, far, pipe, _ = sender_and_receiver(held)
    assert word(pipe, 0, "attentive") == 1
    near.send(b"message")
    assert [board_word(far, name) for name in ("news", "ready")] == [0, 0]
    assert far.recv(DONTWAIT) == b"message"


def test_should_post_to_a_reader_that_rests(held: Held) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    far.arm(1)
    assert word(pipe, 0, "attentive") == 0
    near.send(b"message")
    assert [board_word(far, name) for name in ("news", "ready")] == [1, 1 << there.bit]
    assert far.poll_events(1) == 1
    assert word(pipe, 0, "attentive") == 1
    assert far.recv(DONTWAIT) == b"message"


def test_should_tell_a_far_end_of_what_was_sent_before_it_came(
    held: Held,
) -> None:
    socket, pipe = unattached(held)
    socket.send(b"early")
    assert board_word(socket, "control") == 0
    far = far_end_of(held, socket, pipe)
    assert board_word(far, "ready") == 1
    assert far.recv(DONTWAIT) == b"early"


def test_should_look_for_the_word_of_a_far_end_that_has_looked_already(
    held: Held,
) -> None:
    """The far end may sleep; that it came is told in our own stream of events."""
    socket, pipe = unattached(held)
    set_word(pipe, 0, "attached", 1)
    asked: list[int] = []

    class Told(SocketBase):
        def on_control(self, flags: int) -> None:
            asked.append(flags)

    told = Told()
    told.set_up(socket.board, socket.pattern)
    told.send(b"message")
    assert asked == [1]


@pytest.mark.parametrize("bit", [-1, 16384, (1 << 31) - 1])
def test_should_refuse_a_bit_that_no_board_has(held: Held, bit: int) -> None:
    socket, pipe = unattached(held)
    with pytest.raises(ZMQError, match=f"bit {bit} ") as failure:
        pipe.attach(socket.board, bit)
    assert failure.value.errno == errno.EPROTO
    assert not pipe.is_attached


def test_should_refuse_the_segment_of_another_pipe(held: Held) -> None:
    _, pipe = unattached(held)
    check_pipe_segment(pipe.segment.name, b"0123456789abcdef", READER)
    assert pipe.segment.reader == READER
    with pytest.raises(ZMQError, match="another pipe"):
        check_pipe_segment(pipe.segment.name, bytes(16), READER)


# -- room ------------------------------------------------------------------------------------------


def test_should_hear_of_room_after_a_quarter_of_the_limit(held: Held) -> None:
    near, far, pipe, _ = sender_and_receiver(held, limit=8)
    for number in range(8):
        near.send(b"%d" % number, DONTWAIT)
    with pytest.raises(Again):
        near.send(b"more", DONTWAIT)
    assert word(pipe, 0, "waiting") == 1
    far.recv(DONTWAIT)
    assert board_word(near, "room") == 0
    far.recv(DONTWAIT)
    assert board_word(near, "room") == 1
    assert word(pipe, 0, "waiting") == 0
    near.send(b"more", DONTWAIT)


def test_should_hear_of_room_when_all_is_read(held: Held) -> None:
    near, far, *_ = sender_and_receiver(held, limit=1000)
    for _ in range(1000):
        near.send(b"", DONTWAIT)
    with pytest.raises(Again):
        near.send(b"", DONTWAIT)
    assert len(receive_all(far)) == 1000
    near.send(b"", DONTWAIT)


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no segment can be made."""

    def refuse(kind: Kind, size: int, *, token: bytes = b"") -> Segment:
        raise ZMQError(errno.ENOBUFS, f"no {size} bytes for a test")

    for make in ("create", "create_private"):
        monkeypatch.setattr(segments, make, refuse)


def test_should_count_want_of_memory_as_want_of_room(
    held: Held, request: pytest.FixtureRequest
) -> None:
    near, far, pipe, _ = sender_and_receiver(held, private=False)
    request.getfixturevalue("no_memory")
    assert send_until_full(near, [b"x" * 6000] * 9) == 2
    assert word(pipe, 0, "waiting") == 1
    assert near.poll_events(2) == 0  # nor does a poller believe that there is room
    far.recv(DONTWAIT)
    assert board_word(near, "room") == 1
    assert near.poll_events(2) == 0  # there is some, but not in one piece
    assert word(pipe, 0, "waiting") == 1
    far.recv(DONTWAIT)
    assert near.poll_events(2) == 2
    near.send(b"x" * 6000, DONTWAIT)
    assert receive_all(far) == [[b"x" * 6000]]


def test_should_notice_room_that_came_while_it_found_no_memory(
    held: Held, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pair "room": the reader took everything before `waiting` was set, so it tells of nothing."""
    near, far, pipe, _ = sender_and_receiver(held, private=False)
    near.send(b"x" * 8000)
    near.send(b"x" * 4000)

    def refuse(kind: Kind, size: int, *, token: bytes = b"") -> Segment:
        receive_all(far)
        raise ZMQError(errno.ENOBUFS)

    monkeypatch.setattr(segments, "create", refuse)
    near.send(b"x" * 8000, DONTWAIT)
    assert word(pipe, 0, "waiting") == 0
    assert receive_all(far) == [[b"x" * 8000]]


def test_should_raise_when_no_memory_will_ever_do(
    held: Held, request: pytest.FixtureRequest
) -> None:
    near, far, *_ = sender_and_receiver(held, private=False)
    request.getfixturevalue("no_memory")
    with pytest.raises(ZMQError, match="20000 bytes") as failure:
        near.send(b"x" * 20_000)
    assert failure.value.errno == errno.ENOBUFS
    near.send(b"first", SNDMORE)
    with pytest.raises(ZMQError, match="not even in part"):
        near.send(b"x" * 20_000)
    near.send(b"whole")
    assert receive_all(far) == [[b"whole"]]


# -- goodbye ---------------------------------------------------------------------------------------


def test_should_have_ended_once_what_came_before_the_goodbye_is_read(
    held: Held,
) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    near.send(b"last words")
    pipe.say_goodbye()
    assert word(pipe, 0, "written") == 1
    assert not there.ended
    assert receive_all(far) == [[b"last words"]]
    assert there.ended
    assert not there.is_broken


def test_should_not_send_half_a_message_before_the_goodbye(held: Held) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    near.send(b"half", SNDMORE)
    pipe.say_goodbye()
    assert receive_all(far) == []
    assert there.ended


def test_should_have_place_for_a_goodbye_in_a_ring_that_is_full_to_the_brim(
    held: Held, request: pytest.FixtureRequest
) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    request.getfixturevalue("no_memory")
    sent = send_until_full(near, [b"%05d" % number for number in range(9999)])
    assert 0 < sent < 9999
    pipe.say_goodbye()
    assert receive_all(far) == [[b"%05d" % number] for number in range(sent)]
    assert there.ended
    assert not there.is_broken


def test_should_have_ended_when_the_far_end_was_lost_and_all_is_read(
    held: Held,
) -> None:
    near, far, _, there = sender_and_receiver(held)
    near.send(b"published")
    there.lost = True
    assert not there.ended
    assert receive_all(far) == [[b"published"]]
    assert there.ended


# -- broken ----------------------------------------------------------------------------------------


def test_should_come_to_its_end_when_the_writer_wrote_nonsense(
    held: Held,
) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    near.send(b"fine")
    assert far.recv(DONTWAIT) == b"fine"
    set_word(pipe, 0, "tail", 20)
    with pytest.raises(Again):
        far.recv(DONTWAIT)
    assert there.is_broken
    assert there.ended
    there.say_goodbye()
    assert there.backlog == 0


def test_should_come_to_its_end_when_the_reader_wrote_nonsense(
    held: Held,
) -> None:
    near, _, pipe, _ = sender_and_receiver(held, limit=1)
    near.send(b"fine")
    set_word(pipe, 0, "head", 8000)
    with pytest.raises(Again):
        near.send(b"more", DONTWAIT)
    assert pipe.is_broken
    assert pipe.ended
    before = word(pipe, 0, "tail")
    pipe.say_goodbye()
    assert word(pipe, 0, "tail") == before


def test_should_say_for_whom_an_area_outlives_its_maker(held: Held) -> None:
    """The reader of what the accepting end writes is the process that made the pipe."""
    near, far, pipe, there = sender_and_receiver(held, private=False)
    near.send(b"x" * 20_000)
    far.send(b"x" * 20_000)
    pipe.set_reader(READER)
    assert pipe.outbound.all_areas()[0].reader == READER
    assert there.outbound.all_areas()[0].reader == this_process()
    near.send(b"x" * 200_000)
    assert pipe.outbound.all_areas()[1].reader == READER


def test_should_describe_itself(held: Held) -> None:
    near, _, pipe, _ = sender_and_receiver(held)
    near.send(b"message")
    told = pipe.describe()
    assert told["segment"] == pipe.segment.name
    assert told["outbound"]["written"] == 1
    assert told["inbound"]["broken"] is False


def test_should_need_no_board_of_a_process_that_has_gone() -> None:
    board = create_board(True)
    board.segment.unlink()
    segment = create_pipe_segment(outbound=1, inbound=1, private=True)
    segment.unlink()
    pipe = Pipe(segment, 0, board, board.allocate(), 0)
    assert not pipe.is_attached
    pipe.say_goodbye()
    assert pipe.outbound.describe()["tail"] == 16
