"""A pipe's two ends: noticing, room, goodbye, and what a renewed pipe carries over."""

import errno
from collections.abc import Iterator

import pytest
from support.pipes import MORE, bare_socket, connect, discard, no_names_left

from shmzmq.errors import Again, ZMQError
from shmzmq.patterns.dealer import Dealer
from shmzmq.patterns.pull import Pull
from shmzmq.patterns.push import Push
from shmzmq.pipe import Pipe, check_pipe_segment, create_pipe_segment
from shmzmq.shm import segment as segments
from shmzmq.shm.board import create_board
from shmzmq.shm.layout import OFFSETS, RING_CONTROL_OFFSETS, Kind
from shmzmq.shm.liveness import ProcessId, this_process
from shmzmq.shm.segment import Segment
from shmzmq.socket_base import SocketBase

DONTWAIT, SNDMORE = 1, 2
READER = ProcessId(4711, 8)


@pytest.fixture(autouse=True)
def _no_names_left() -> Iterator[None]:
    with no_names_left():
        yield


@pytest.fixture
def held(_no_names_left: None) -> Iterator[list[SocketBase | Pipe]]:
    """Whatever a test puts in here has its names taken away in the end."""
    things: list[SocketBase | Pipe] = []
    yield things
    discard(*things)


def word(pipe: Pipe, ring: int, name: str) -> int:
    """Return a word of a ring's control block as it stands in memory."""
    return int(pipe.segment.word(RING_CONTROL_OFFSETS[ring] + OFFSETS["ring"][name]))


def set_word(pipe: Pipe, ring: int, name: str, value: int) -> None:
    """Overwrite a word of a ring's control block."""
    pipe.segment.set_word(RING_CONTROL_OFFSETS[ring] + OFFSETS["ring"][name], value)


def board_word(socket: SocketBase, name: str) -> int:
    """Return a word of a socket's board."""
    return int(socket.board.segment.word(OFFSETS["board"][name]))


def sender_and_receiver(
    held: list[SocketBase | Pipe], limit: int = 0, *, private: bool = True
) -> tuple[SocketBase, SocketBase, Pipe, Pipe]:
    """Return a DEALER that connected to another, and the two ends of the pipe between them."""
    near, far = bare_socket(Dealer(), private=private), bare_socket(Dealer(), private=private)
    ends = connect(near, far, limit=limit, private=private)
    held.extend((near, far, *ends))
    return near, far, *ends


def unattached(held: list[SocketBase | Pipe], limit: int = 0) -> tuple[SocketBase, Pipe]:
    """Return a PUSH whose connecting pipe has no far end yet."""
    socket = bare_socket(Push(), private=False)
    segment = create_pipe_segment(outbound=4096, inbound=4096, token=b"0123456789abcdef")
    pipe = Pipe(segment, 0, socket.board, socket.board.allocate(), limit)
    socket.hold_pipe(pipe)
    socket.pattern.attach(pipe)
    held.extend((socket, pipe))
    return socket, pipe


def far_end_of(
    held: list[SocketBase | Pipe], socket: SocketBase, pipe: Pipe, limit: int = 0
) -> SocketBase:
    """Attach a PULL to *pipe* as another process would: it opens everything by name."""
    far = bare_socket(Pull(), private=False)
    segment = segments.open_segment(pipe.segment.name, Kind.PIPE)
    segment.unlink()
    end = Pipe(segment, 1, far.board, far.board.allocate(), limit)
    far.hold_pipe(end)
    pipe.attach(far.board, end.bit)
    pipe.set_limits(limit, limit)
    end.attach(socket.board, pipe.bit)
    end.set_limits(limit, limit)
    far.pattern.attach(end)
    held.extend((far, end))
    return far


def receive_all(socket: SocketBase) -> list[list[bytes]]:
    """Receive whole messages until there is none."""
    messages: list[list[bytes]] = []
    while True:
        try:
            parts = [socket.recv(DONTWAIT)]
        except Again:
            return messages
        while socket.more:
            parts.append(socket.recv(DONTWAIT))
        messages.append(parts)


def send_until_full(socket: SocketBase, messages: list[bytes]) -> int:
    """Send until there is no room, and return how many messages went."""
    for number, message in enumerate(messages):
        try:
            socket.send(message, DONTWAIT)
        except Again:
            return number
    return len(messages)


# -- noticing --------------------------------------------------------------------------------------


def test_should_not_post_to_a_reader_that_attends(held: list[SocketBase | Pipe]) -> None:
    near, far, pipe, _ = sender_and_receiver(held)
    assert word(pipe, 0, "attentive") == 1
    near.send(b"message")
    assert [board_word(far, name) for name in ("news", "ready")] == [0, 0]
    assert far.recv(DONTWAIT) == b"message"


def test_should_post_to_a_reader_that_rests(held: list[SocketBase | Pipe]) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    far.arm(1)
    assert word(pipe, 0, "attentive") == 0
    near.send(b"message")
    assert [board_word(far, name) for name in ("news", "ready")] == [1, 1 << there.bit]
    assert far.poll_events(1) == 1
    assert word(pipe, 0, "attentive") == 1
    assert far.recv(DONTWAIT) == b"message"


def test_should_tell_a_far_end_of_what_was_sent_before_it_came(
    held: list[SocketBase | Pipe],
) -> None:
    socket, pipe = unattached(held)
    socket.send(b"early")
    assert board_word(socket, "control") == 0
    far = far_end_of(held, socket, pipe)
    assert board_word(far, "ready") == 1
    assert far.recv(DONTWAIT) == b"early"


def test_should_look_for_the_word_of_a_far_end_that_has_looked_already(
    held: list[SocketBase | Pipe],
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
def test_should_refuse_a_bit_that_no_board_has(held: list[SocketBase | Pipe], bit: int) -> None:
    socket, pipe = unattached(held)
    with pytest.raises(ZMQError, match=f"bit {bit} ") as failure:
        pipe.attach(socket.board, bit)
    assert failure.value.errno == errno.EPROTO
    assert not pipe.is_attached


def test_should_refuse_the_segment_of_another_pipe(held: list[SocketBase | Pipe]) -> None:
    _, pipe = unattached(held)
    check_pipe_segment(pipe.segment.name, b"0123456789abcdef", READER)
    assert pipe.segment.reader == READER
    with pytest.raises(ZMQError, match="another pipe"):
        check_pipe_segment(pipe.segment.name, bytes(16), READER)


# -- room ------------------------------------------------------------------------------------------


def test_should_hear_of_room_after_a_quarter_of_the_limit(held: list[SocketBase | Pipe]) -> None:
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


def test_should_hear_of_room_when_all_is_read(held: list[SocketBase | Pipe]) -> None:
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

    monkeypatch.setattr(segments, "create_private", refuse)


def test_should_count_want_of_memory_as_want_of_room(
    held: list[SocketBase | Pipe], request: pytest.FixtureRequest
) -> None:
    near, far, pipe, _ = sender_and_receiver(held)
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
    held: list[SocketBase | Pipe], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pair "room": the reader took everything before `waiting` was set, so it tells of nothing."""
    near, far, pipe, _ = sender_and_receiver(held)
    near.send(b"x" * 8000)
    near.send(b"x" * 4000)

    def refuse(kind: Kind, size: int, *, token: bytes = b"") -> Segment:
        receive_all(far)
        raise ZMQError(errno.ENOBUFS)

    monkeypatch.setattr(segments, "create_private", refuse)
    near.send(b"x" * 8000, DONTWAIT)
    assert word(pipe, 0, "waiting") == 0
    assert receive_all(far) == [[b"x" * 8000]]


def test_should_raise_when_no_memory_will_ever_do(
    held: list[SocketBase | Pipe], request: pytest.FixtureRequest
) -> None:
    near, far, *_ = sender_and_receiver(held)
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
    held: list[SocketBase | Pipe],
) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    near.send(b"last words")
    pipe.say_goodbye()
    assert word(pipe, 0, "written") == 1
    assert not there.ended
    assert receive_all(far) == [[b"last words"]]
    assert there.ended
    assert not there.is_broken


def test_should_not_send_half_a_message_before_the_goodbye(held: list[SocketBase | Pipe]) -> None:
    near, far, pipe, there = sender_and_receiver(held)
    near.send(b"half", SNDMORE)
    pipe.say_goodbye()
    assert receive_all(far) == []
    assert there.ended


def test_should_have_place_for_a_goodbye_in_a_ring_that_is_full_to_the_brim(
    held: list[SocketBase | Pipe], request: pytest.FixtureRequest
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
    held: list[SocketBase | Pipe],
) -> None:
    near, far, _, there = sender_and_receiver(held)
    near.send(b"published")
    there.lost = True
    assert not there.ended
    assert receive_all(far) == [[b"published"]]
    assert there.ended


# -- broken ----------------------------------------------------------------------------------------


def test_should_come_to_its_end_when_the_writer_wrote_nonsense(
    held: list[SocketBase | Pipe],
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
    held: list[SocketBase | Pipe],
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


# -- renewal ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 1000, 30_000])
@pytest.mark.parametrize("read_before", [0, 1, 4])
def test_should_carry_what_the_lost_reader_had_not_read(
    held: list[SocketBase | Pipe], size: int, read_before: int
) -> None:
    """Small messages lie in the first area, larger ones in areas chained to it."""
    socket, pipe = unattached(held)
    first = far_end_of(held, socket, pipe)
    messages = [[b"%d" % number * size, b"", b"end"] for number in range(6)]
    for parts in messages:
        for part in parts[:-1]:
            socket.send(part, SNDMORE)
        socket.send(parts[-1])
    for _ in range(3 * read_before):
        first.recv(DONTWAIT)
    old = pipe.segment.name
    pipe.detach()
    fresh = pipe.renew(keep_outbound=True)
    assert fresh.name != old
    assert fresh.token == b"0123456789abcdef"
    assert pipe.backlog == 6 - read_before
    second = far_end_of(held, socket, pipe)
    assert receive_all(second) == messages[read_before:]


def test_should_carry_a_message_that_its_reader_died_over(held: list[SocketBase | Pipe]) -> None:
    socket, pipe = unattached(held)
    first = far_end_of(held, socket, pipe)
    for part in (b"a", b"b"):
        socket.send(part * 10, SNDMORE)
    socket.send(b"c" * 20_000)
    assert first.recv(DONTWAIT) == b"a" * 10
    pipe.renew(keep_outbound=True)
    second = far_end_of(held, socket, pipe)
    assert receive_all(second) == [[b"a" * 10, b"b" * 10, b"c" * 20_000]]


@pytest.mark.parametrize("size", [10, 3000, 50_000])
def test_should_carry_parts_that_are_not_published_yet(
    held: list[SocketBase | Pipe], size: int
) -> None:
    socket, pipe = unattached(held)
    socket.send(b"published")
    socket.send(b"1" * size, SNDMORE)
    socket.send(b"2" * size, SNDMORE)
    pipe.renew(keep_outbound=True)
    far = far_end_of(held, socket, pipe)
    assert receive_all(far) == [[b"published"]]
    socket.send(b"3" * size)
    assert receive_all(far) == [[b"1" * size, b"2" * size, b"3" * size]]


def test_should_carry_nothing_outbound_when_that_is_not_wanted(
    held: list[SocketBase | Pipe],
) -> None:
    socket, pipe = unattached(held)
    socket.send(b"publication")
    pipe.renew(keep_outbound=False)
    assert pipe.backlog == 0
    assert receive_all(far_end_of(held, socket, pipe)) == []


def test_should_keep_what_the_lost_far_end_had_sent(held: list[SocketBase | Pipe]) -> None:
    near, far, pipe, _ = sender_and_receiver(held, private=False)
    far.send(b"one", SNDMORE)
    far.send(b"two" * 10_000)
    far.send(b"three")
    assert near.recv(DONTWAIT) == b"one"
    pipe.lost = True
    pipe.detach()
    pipe.renew(keep_outbound=True)
    assert receive_all(near) == [[b"two" * 10_000], [b"three"]]


def test_should_have_a_waiting_sender_look_again_after_renewal(
    held: list[SocketBase | Pipe],
) -> None:
    """The lost reader may have taken `waiting` back and died before it posted."""
    socket, pipe = unattached(held, limit=2)
    first = far_end_of(held, socket, pipe, limit=2)
    socket.send(b"1")
    socket.send(b"2")
    with pytest.raises(Again):
        socket.send(b"3", DONTWAIT)
    first.recv(DONTWAIT)
    socket.poll_events(0)
    set_word(pipe, 0, "waiting", 0)
    pipe.renew(keep_outbound=True)
    assert board_word(socket, "room") == 1
    socket.send(b"3", DONTWAIT)
    with pytest.raises(Again):
        socket.send(b"4", DONTWAIT)
    assert word(pipe, 0, "waiting") == 1


def test_should_take_the_names_of_the_old_segments_away(held: list[SocketBase | Pipe]) -> None:
    socket, pipe = unattached(held)
    for _ in range(3):
        socket.send(b"x" * 400_000)
    named = [pipe.segment.name, *(area.name for area in pipe.outbound.all_areas())]
    assert len(named) == 3
    pipe.renew(keep_outbound=True)
    for name in named:
        with pytest.raises(ZMQError, match="cannot open"):
            segments.open_segment(name, Kind.AREA)


def test_should_refuse_to_carry_nonsense(held: list[SocketBase | Pipe]) -> None:
    socket, pipe = unattached(held)
    socket.send(b"message")
    pipe.segment.set_word(4096, (1 << 50) | MORE)
    with pytest.raises(ZMQError, match="broken"):
        pipe.renew(keep_outbound=True)
    assert pipe.segment.name in {str(name) for name in segments.names()}


def test_should_say_for_whom_an_area_outlives_its_maker(held: list[SocketBase | Pipe]) -> None:
    """The reader of what the accepting end writes is the process that made the pipe."""
    near, far, pipe, there = sender_and_receiver(held, private=False)
    near.send(b"x" * 20_000)
    far.send(b"x" * 20_000)
    pipe.set_reader(READER)
    assert pipe.outbound.all_areas()[0].reader == READER
    assert there.outbound.all_areas()[0].reader == this_process()
    near.send(b"x" * 200_000)
    assert pipe.outbound.all_areas()[1].reader == READER


def test_should_describe_itself(held: list[SocketBase | Pipe]) -> None:
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
