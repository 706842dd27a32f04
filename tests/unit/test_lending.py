"""Large payloads over a pipe: what is lent, when it comes back, and what a mad peer can do."""

import gc
import threading

import numpy as np
import pytest
from support.lent import LARGE, MIB, Lent, lent
from support.pipe_ends import DONTWAIT, SNDMORE, Held, receive_all
from support.pipes import own_names

from shmzmq.errors import Again, ZMQError
from shmzmq.renewal import renew
from shmzmq.shm import segment as segments
from shmzmq.shm.layout import OFFSETS
from shmzmq.shm.liveness import ProcessId, this_process

GONE = ProcessId(this_process().pid, this_process().start + 1)
"""A process that had our pid and has died."""


def body(number: int, size: int = LARGE) -> bytes:
    return bytes([number]) * size


def test_should_lend_what_is_large_and_copy_what_is_not(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(1, 32_767))
    assert pair.pipe.lent == 0
    pair.near.send(body(2, 32_768))
    assert pair.pipe.lent == 1
    assert receive_all(pair.far) == [[body(1, 32_767)], [body(2, 32_768)]]
    assert pair.used() == 0


def test_should_count_the_bytes_of_the_payload(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(1))
    assert pair.pipe.segment.word(128 + OFFSETS["ring"]["bytes_written"]) == LARGE
    receive_all(pair.far)
    assert pair.pipe.segment.word(128 + OFFSETS["ring"]["bytes_read"]) == LARGE


def test_should_show_the_block_itself_to_who_wants_no_copy(held: Held) -> None:
    pair = lent(held)
    loan = pair.near.loan(LARGE)
    array = np.frombuffer(loan, np.uint8)
    array[:] = 7
    pair.near.send(loan)
    view = np.frombuffer(pair.far.recv(DONTWAIT, copy=False), np.uint8)
    assert view.tobytes() == body(7)
    array[0] = 8  # which nobody should do; it shows that nothing was copied
    assert view[0] == 8
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 9


def test_should_keep_a_block_until_the_last_view_is_dropped(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(3))
    frame = pair.far.recv(DONTWAIT, copy=False)
    views = [memoryview(frame), frame.buffer[5:], np.frombuffer(frame, np.uint8)[::2]]
    del frame
    for left in range(3, 0, -1):
        assert pair.used() == 1
        assert len(views) == left
        views.pop(left // 2)
    assert pair.used() == 0


def test_should_take_blocks_back_in_any_order(held: Held) -> None:
    pair = lent(held)
    for number in range(70):
        pair.near.send(body(number, 40_000))
    frames = {number: pair.far.recv(DONTWAIT, copy=False) for number in range(70)}
    assert pair.pipe.lent == 70
    for number in (*range(0, 70, 3), *range(69, 0, -1)):
        frame = frames.pop(number, None)
        assert frame is None or frame.bytes == body(number, 40_000)
    del frame
    assert pair.used() == 0


def test_should_take_a_block_back_from_any_thread(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(1))
    frames = [pair.far.recv(DONTWAIT, copy=False)]
    thread = threading.Thread(target=frames.clear)
    thread.start()
    thread.join()
    assert pair.used() == 0


def test_should_return_a_block_only_when_its_whole_message_is_read(held: Held) -> None:
    """A reader that dies in the middle leaves the message, and all of its blocks, to the next."""
    pair = lent(held)
    pair.near.send(body(1), SNDMORE)
    pair.near.send(body(2))
    assert pair.far.recv(DONTWAIT) == body(1)
    gc.collect()
    assert pair.returned() == 0
    assert pair.far.recv(DONTWAIT) == body(2)
    assert pair.returned() == 3
    assert pair.used() == 0


def test_should_not_believe_a_return_before_the_message_is_read(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(1))
    pair.set_returned(2**64 - 1)
    assert pair.used() == 1
    assert receive_all(pair.far) == [[body(1)]]
    assert pair.used() == 0


def test_should_clear_what_a_mad_reader_returned_before_it_was_lent(held: Held) -> None:
    pair = lent(held)
    pair.set_returned(2**64 - 1)
    pair.near.send(body(1))
    assert pair.returned() & 1 == 0
    frame = pair.far.recv(DONTWAIT, copy=False)
    assert pair.used() == 1
    assert frame.bytes == body(1)


def test_should_take_back_what_was_rolled_back(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(1), SNDMORE)
    assert pair.used() == 1
    pair.near.pattern.rollback()
    assert pair.used() == 0
    pair.near.send(body(2))
    assert receive_all(pair.far) == [[body(2)]]


def test_should_share_one_block_between_all_who_get_it(held: Held) -> None:
    pair = lent(held)
    loan = pair.near.loan(LARGE)
    memoryview(loan)[:] = body(4)
    for _ in range(3):
        pair.near.send(loan)
    assert pair.pipe.lent == 3
    assert pair.used() == 1
    frames = [pair.far.recv(DONTWAIT, copy=False) for _ in range(3)]
    del loan
    assert [frame.bytes for frame in frames] == [body(4)] * 3
    assert pair.used() == 1
    frames.clear()
    assert pair.used() == 0


@pytest.mark.parametrize("keeps", [False, True])
def test_should_copy_what_finds_no_block(held: Held, keeps: bool) -> None:
    """High water marks say how much may be under way, not the bound of the pool."""
    pair = lent(held, pool=4 * MIB)
    frames = []
    for number in range(8):
        pair.near.send(body(number, MIB), DONTWAIT)
        if keeps:
            frames.append(pair.far.recv(DONTWAIT, copy=False))
    assert 0 < pair.pipe.lent < 8
    assert pair.pool.reserved <= 4 * MIB
    frames += [pair.far.recv(DONTWAIT, copy=False) for _ in range(8 - len(frames))]
    assert [frame.bytes for frame in frames] == [body(number, MIB) for number in range(8)]


def test_should_copy_the_later_parts_of_a_message_when_all_blocks_are_out(held: Held) -> None:
    pair = lent(held, pool=3 * MIB)
    parts = [body(number, MIB) for number in range(6)]
    for part in parts[:-1]:
        pair.near.send(part, SNDMORE | DONTWAIT)
    pair.near.send(parts[-1], DONTWAIT)
    assert receive_all(pair.far) == [parts]


def test_should_copy_while_there_is_no_far_end(held: Held) -> None:
    pair = lent(held)
    pair.pipe.detach()
    pair.near.send(body(1))
    assert pair.pipe.lent == 0
    assert receive_all(pair.far) == [[body(1)]]


# -- ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [0, 1, 2])
def test_should_give_what_a_dead_reader_had_not_read_to_the_next(held: Held, read: int) -> None:
    pair = lent(held, reader=GONE)
    messages = [[body(10 * number), b"small", body(10 * number + 1)] for number in range(3)]
    for parts in messages:
        for part in parts[:-1]:
            pair.near.send(part, SNDMORE)
        pair.near.send(parts[-1])
    for _ in range(3 * read + (read < 2)):  # in the middle of a message, but for the last
        pair.far.recv(DONTWAIT, copy=False)
    pair.pipe.lost = True
    pair.pipe.detach()
    renew(pair.pipe, keep_outbound=True)
    assert pair.used() == 0
    assert receive_all(pair.far_end()) == messages[read:]


def test_should_carry_a_part_that_was_not_published(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(1), SNDMORE)
    pair.pipe.detach()
    renew(pair.pipe, keep_outbound=True)
    assert pair.used() == 0
    far = pair.far_end()
    pair.near.send(body(2))
    assert receive_all(far) == [[body(1), body(2)]]


def test_should_leave_a_lost_reader_that_lives_what_it_has(held: Held) -> None:
    pair = lent(held)
    for number in range(2):
        pair.near.send(body(number))
    frame = pair.far.recv(DONTWAIT, copy=False)
    pair.pipe.lost = True
    pair.pipe.detach()
    renew(pair.pipe, keep_outbound=True)
    assert pair.used() == 2
    for number in range(20):
        memoryview(pair.near.loan(LARGE))[:] = body(100 + number)
    assert frame.bytes == body(0)
    assert pair.far.recv(DONTWAIT) == body(1)  # it reads on in the old ring
    assert pair.used() == 1
    del frame
    assert pair.used() == 0


def test_should_have_everything_back_when_the_reader_lets_the_pipe_go(held: Held) -> None:
    pair = lent(held)
    for number in range(3):
        pair.near.send(body(number))
    frame = pair.far.recv(DONTWAIT, copy=False)
    pair.there.let_go()
    assert pair.used() == 3  # unread, they are for the next reader
    pair.pipe.let_go()
    assert pair.used() == 1
    assert frame.bytes == body(0)
    del frame
    assert pair.used() == 0


def test_should_be_readable_after_the_owner_has_taken_its_names_away(held: Held) -> None:
    before = own_names()
    pair = lent(held)
    pair.near.send(body(5))
    pair.pool.close()
    assert receive_all(pair.far) == [[body(5)]]
    assert not {name for name in own_names() - before if "_" in name}


def test_should_take_the_names_for_a_reader_away_that_never_opens_them(held: Held) -> None:
    pair = lent(held)
    before = own_names()
    pair.near.send(body(1))
    made = {name for name in own_names() - before if "_" in name}
    assert len(made) == 1
    parsed = segments.SegmentName.parse(made.pop())
    assert parsed is not None
    assert parsed.reader == this_process()
    pair.there.let_go()
    assert not {name for name in own_names() - before if "_" in name}


# -- a peer gone mad -------------------------------------------------------------------------------


def descriptor(pair: Lent, field: str) -> int:
    """Return where in the pipe segment a field of the first descriptor lies."""
    return pair.record() + 8 + OFFSETS["descriptor"][field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serial", 0),
        ("serial", 1 << 63),
        ("offset", 0),
        ("offset", 4095),
        ("offset", 1 << 63),
        ("offset", 2**64 - 1),
        ("size", 1 << 40),
        ("size", 2**64 - 1),
        ("loan", 8192),
        ("loan", 2**64 - 1),
    ],
)
def test_should_end_at_a_descriptor_that_does_not_fit(held: Held, field: str, value: int) -> None:
    pair = lent(held)
    pair.near.send(body(1))
    pair.there.segment.set_word(descriptor(pair, field), value)
    with pytest.raises(Again):
        pair.far.recv(DONTWAIT)
    assert pair.there.is_broken


@pytest.mark.parametrize("size", [0, 8, 24, 31, 33, 40])
def test_should_end_at_a_descriptor_of_another_size(held: Held, size: int) -> None:
    pair = lent(held)
    pair.near.send(body(1))
    pair.there.segment.set_word(pair.record(), size << 8 | 4)
    with pytest.raises(Again):
        pair.far.recv(DONTWAIT)
    assert pair.there.is_broken


def test_should_refuse_to_carry_a_loan_that_is_not_out(held: Held) -> None:
    pair = lent(held)
    pair.near.send(body(1))
    pair.pipe.segment.set_word(descriptor(pair, "loan"), 5)
    with pytest.raises(ZMQError, match="loan 5"):
        renew(pair.pipe, keep_outbound=True)
