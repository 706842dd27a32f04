"""The pool: size classes, last in first out, its bound, and what it does without memory."""

import errno
import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lent import MIB
from support.pipes import own_names

from shmzmq.errors import ZMQError
from shmzmq.shm import segment as segments
from shmzmq.shm.blocks import Pool, capacity_for
from shmzmq.shm.layout import Kind
from shmzmq.shm.lender import Lender, Loan
from shmzmq.shm.segment import Segment

LIMIT = 8 * MIB


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool of 8 MiB."""
    pool = Pool(LIMIT)
    yield pool
    pool.close()


@given(st.integers(1, 1 << 40))
def test_should_waste_a_quarter_of_a_block_at_most(size: int) -> None:
    capacity = capacity_for(size)
    assert size <= capacity
    assert capacity % 4096 == 0
    assert capacity - size <= max(size // 4, 4095)


def address(loan: Loan) -> int:
    import numpy as np

    return int(np.frombuffer(loan, np.uint8).ctypes.data)


def test_should_use_the_block_that_came_back_last_first(pool: Pool) -> None:
    loans = [Loan(pool, 100_000) for _ in range(3)]
    places = [address(loan) for loan in loans]
    assert len(set(places)) == 3
    del loans[0]
    assert address(Loan(pool, 100_000)) == places[0]
    loans.pop()
    assert address(Loan(pool, 100_000)) == places[2]


def test_should_take_a_larger_block_rather_than_more_memory(pool: Pool) -> None:
    Loan(pool, 100_000)
    reserved = pool.reserved
    loan = Loan(pool, 60_000)
    assert loan.is_shared
    assert pool.reserved == reserved
    assert Loan(pool, 40_000).is_shared  # less than half: that would be a waste
    assert pool.reserved > reserved


def test_should_never_hold_more_than_its_limit(pool: Pool) -> None:
    loans = [Loan(pool, MIB) for _ in range(20)]
    assert 0 < sum(loan.is_shared for loan in loans) < 20
    assert pool.reserved <= LIMIT
    assert all(len(memoryview(loan)) == MIB for loan in loans)
    loans.clear()
    assert sum(Loan(pool, MIB).is_shared for _ in range(20)) == 20


def test_should_give_blocks_of_other_sizes_back_when_it_is_at_its_limit(pool: Pool) -> None:
    small = [Loan(pool, 40_000) for _ in range(150)]
    kept = small[:1]
    small.clear()
    before = own_names()
    assert Loan(pool, 4 * MIB).is_shared
    assert pool.reserved <= LIMIT
    assert not before <= own_names()  # the names of what it gave back are gone
    assert kept[0].is_shared


def test_should_have_no_blocks_with_a_limit_of_nothing() -> None:
    pool = Pool(0)
    loan = Loan(pool, 100_000)
    assert not loan.is_shared
    memoryview(loan)[:] = b"x" * 100_000
    assert bytes(loan) == b"x" * 100_000
    assert pool.describe()["reserved"] == 0


def test_should_lend_plain_memory_where_shared_memory_is_full(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(kind: Kind, size: int, *, token: bytes = b"") -> Segment:
        raise ZMQError(errno.ENOBUFS, f"no {size} bytes for a test")

    monkeypatch.setattr(segments, "create", refuse)
    loan = Loan(pool, MIB)
    assert not loan.is_shared
    assert loan.nbytes == len(loan) == len(loan.buffer) == MIB


@pytest.fixture
def full_at(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that makes /dev/shm as large as it says, for this pool."""
    create = segments.create

    def make_full(room: int) -> None:
        def refuse(kind: Kind, size: int, *, token: bytes = b"") -> Segment:
            if pool.reserved + size > room:
                raise ZMQError(errno.ENOBUFS, f"no {size} bytes for a test")
            return create(kind, size, token=token or bytes(16))

        monkeypatch.setattr(segments, "create", refuse)

    return make_full


def test_should_make_one_block_where_there_is_no_place_for_many(
    pool: Pool, full_at: Callable[[int], None]
) -> None:
    full_at(200_000)
    assert Loan(pool, 100_000).is_shared
    assert 100_000 < pool.reserved <= 200_000


def test_should_give_unused_blocks_back_where_shared_memory_is_full(
    pool: Pool, full_at: Callable[[int], None]
) -> None:
    full_at(2 * MIB)
    kept = Loan(pool, 600_000)
    Loan(pool, 40_000)  # makes many, and none of them is in use afterwards
    assert pool.reserved > MIB
    assert Loan(pool, 900_000).is_shared
    assert kept.is_shared
    assert pool.describe()["used"] == {capacity_for(600_000): 1}
    assert not Loan(pool, 2 * MIB).is_shared


def test_should_free_the_memory_of_what_it_gives_back_though_readers_have_it_mapped(
    pool: Pool,
) -> None:
    before = own_names()
    Loan(pool, MIB)
    [name] = own_names() - before
    reader = segments.open_segment(name, Kind.POOL, writable=False)
    file = os.open(f"/dev/shm{name}", os.O_RDONLY)
    try:
        assert os.fstat(file).st_blocks * 512 > MIB
        Loan(pool, 7 * MIB)  # for which it has to give the other back
        assert name not in own_names()
        assert os.fstat(file).st_blocks * 512 < 16_384
    finally:
        os.close(file)
    del reader


def test_should_keep_a_block_while_a_view_of_its_loan_is_left(pool: Pool) -> None:
    loan = Loan(pool, 50_000)
    view = memoryview(loan)[10:20]
    place = address(loan)
    del loan
    assert address(Loan(pool, 50_000)) != place
    view[:] = b"0123456789"
    assert bytes(view) == b"0123456789"
    del view
    assert pool.describe()["used"] == {}


def test_should_take_its_names_away_when_it_is_closed(pool: Pool) -> None:
    before = own_names()
    loan = Loan(pool, MIB)
    assert own_names() > before
    pool.close()
    assert own_names() == before
    memoryview(loan)[:5] = b"still"  # the memory is there as long as the loan
    assert bytes(memoryview(loan)[:5]) == b"still"
    assert not Loan(pool, MIB).is_shared


def test_should_refuse_a_loan_of_less_than_nothing() -> None:
    with pytest.raises(OverflowError):
        Lender(None).loan(-1)
    assert bytes(Lender(None).loan(0)) == b""
