"""The board: bits, news, and whom a post wakes."""

import errno
import gc
import os
import resource
import select
import subprocess
import sys

import pytest
from support.pipes import own_names

from shmzmq.errors import ZMQError
from shmzmq.shm.board import Board, Control, create_board, open_board
from shmzmq.shm.doorbell import Doorbell
from shmzmq.shm.layout import BOARD_PIPES, OFFSETS


@pytest.fixture
def board() -> Board:
    """A board in private memory."""
    made = create_board(True)
    made.segment.unlink()
    return made


def word(board: Board, name: str, index: int = 0) -> int:
    """Return a word of the board as it stands in memory."""
    value: int = board.segment.word(OFFSETS["board"][name] + 8 * index)
    return value


def set_word(board: Board, name: str, value: int) -> None:
    """Overwrite a word of the board."""
    board.segment.set_word(OFFSETS["board"][name], value)


def is_rung(board: Board) -> bool:
    """Tell whether the doorbell would wake a sleeper."""
    return bool(select.select([board.doorbell], [], [], 0)[0])


def test_should_give_every_pipe_the_lowest_free_bit(board: Board) -> None:
    assert [board.allocate() for _ in range(130)] == list(range(130))
    board.release(3)
    board.release(70)
    assert [board.allocate() for _ in range(3)] == [3, 70, 130]


def test_should_have_so_many_bits_and_say_when_they_are_used_up(board: Board) -> None:
    for _ in range(BOARD_PIPES):
        board.allocate()
    with pytest.raises(ZMQError, match=f"at most {BOARD_PIPES}") as failure:
        board.allocate()
    assert failure.value.errno == errno.ENOBUFS


def test_should_forget_the_mail_of_a_bit_that_is_released(board: Board) -> None:
    for name in ("allocated", "ready", "room"):
        set_word(board, name, 0b111)
    board.release(1)
    assert [word(board, name) for name in ("allocated", "ready", "room")] == [0b101] * 3


def test_should_ring_a_sleeper_once(board: Board) -> None:
    set_word(board, "asleep", 1)
    board.notify(Control.EVENT)
    assert is_rung(board)
    assert not board.asleep
    assert os.eventfd_read(board.doorbell.fileno()) == 1
    board.notify(Control.ATTACH)
    assert not is_rung(board)
    assert word(board, "control") == Control.EVENT | Control.ATTACH
    assert word(board, "news") == 1


def test_should_not_ring_who_is_awake(board: Board) -> None:
    board.notify(Control.EVENT)
    assert not is_rung(board)
    assert word(board, "news") == 1


def test_should_be_the_same_board_for_whoever_opens_it() -> None:
    owner = create_board()
    try:
        peer = open_board(owner.name, _duplicate(owner.doorbell))
        assert peer.allocate() == 0
        assert owner.allocate() == 1
        set_word(owner, "asleep", 1)
        peer.notify(Control.END)
        assert is_rung(owner)
    finally:
        owner.segment.unlink()


def test_should_close_the_doorbell_it_was_given_when_there_is_no_board() -> None:
    bell = Doorbell()
    fd = _duplicate(bell)
    with pytest.raises(ZMQError, match="segment"):
        open_board("/shmzmq-0-0-0-0-0", fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        select.select([fd], [], [], 0)


def _duplicate(bell: Doorbell) -> int:
    return os.dup(bell.fileno())


# Uses up all descriptors, so it must not be the process that runs the tests.
_WITHOUT_DESCRIPTORS = """
import os, resource
from shmzmq.errors import ZMQError
from shmzmq.shm import segment
from shmzmq.shm.board import create_board
from shmzmq.shm.doorbell import Doorbell
resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
bells = []
try:
    while True:
        bells.append(Doorbell())
except OSError as error:
    print(error.errno)
os.fstat(0)
try:
    create_board()
except ZMQError as error:
    print(error.errno)
bells.clear()
print([str(name) for name in segment.names() if name.owner.pid == os.getpid()])
"""


def test_should_leave_nothing_and_close_nothing_when_descriptors_run_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_DESCRIPTORS],
        stdin=subprocess.PIPE,
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert done.stdout.split(b"\n") == [b"%d" % errno.EMFILE] * 2 + [b"[]", b""]


def test_should_hold_one_descriptor_a_board() -> None:
    """Thousands of segments fit a process only because a mapping keeps none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()  # what earlier tests have left in cycles shall not go while we count
    before = _open_descriptors()
    boards = [create_board() for _ in range(min(20, soft // 4))]
    assert _open_descriptors() - before == len(boards)
    for made in boards:
        made.segment.unlink()
    assert not {made.name for made in boards} & own_names()


def _open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
