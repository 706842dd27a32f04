"""The layout table, the dtypes made from it, and the compiled code have the same offsets."""

from itertools import pairwise

import numpy as np
import pytest
from support.pipes import Ring

from shmzmq.pipe_segment import create_pipe_segment
from shmzmq.shm import board, records
from shmzmq.shm.layout import (
    BOARD_SIZE,
    BOARD_WORDS,
    HEADER_SIZE,
    OFFSETS,
    RECORDS_OFFSET,
    RING_CONTROL_OFFSETS,
    RING_CONTROL_SIZE,
    VERSION,
    Kind,
    Record,
    dtype,
)

STRUCTURES = ("segment", "ring", "board", "slot")
WRITERS = {
    "ring": [
        ("tail", "written", "bytes_written"),
        ("head", "read", "bytes_read"),
        ("attentive", "waiting"),
    ],
    "board": [("asleep",), ("news", "control"), ("allocated",)],
}


def test_should_have_the_compiled_ring_where_the_table_says() -> None:
    assert records.compiled_offsets()["ring"] == OFFSETS["ring"]


def test_should_have_the_compiled_segment_header_where_the_table_says() -> None:
    compiled = records.compiled_offsets()["segment"]
    assert compiled == {name: OFFSETS["segment"][name] for name in compiled}
    assert set(OFFSETS["segment"]) - set(compiled) == {"token"}


def test_should_have_the_compiled_rings_of_a_pipe_where_the_table_says() -> None:
    assert records.compiled_offsets()["pipe"]["ring"] == RING_CONTROL_OFFSETS[0]
    assert RING_CONTROL_OFFSETS[1] - RING_CONTROL_OFFSETS[0] == RING_CONTROL_SIZE
    assert RING_CONTROL_OFFSETS[1] + RING_CONTROL_SIZE <= RECORDS_OFFSET


def test_should_have_the_compiled_board_where_the_table_says() -> None:
    assert board.compiled_offsets() == OFFSETS["board"]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_should_make_dtypes_with_the_offsets_of_the_table(structure: str) -> None:
    fields = dtype(structure).fields
    assert fields is not None
    assert {name: offset for name, (_, offset, *_) in fields.items()} == OFFSETS[structure]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_should_not_let_fields_overlap(structure: str) -> None:
    fields = dtype(structure).fields
    assert fields is not None
    places = sorted((offset, offset + kind.itemsize) for kind, offset, *_ in fields.values())
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert places[-1][1] <= dtype(structure).itemsize


@pytest.mark.parametrize("structure", WRITERS)
def test_should_keep_words_of_different_writers_on_different_pairs_of_cache_lines(
    structure: str,
) -> None:
    pairs = [{OFFSETS[structure][name] // 128 for name in names} for names in WRITERS[structure]]
    assert all(len(pair) == 1 for pair in pairs)
    assert len(set.union(*pairs)) == len(pairs)


def test_should_have_structures_of_the_sizes_drawn() -> None:
    assert dtype("segment").itemsize == HEADER_SIZE == 128
    assert dtype("ring").itemsize == RING_CONTROL_SIZE == 384
    assert dtype("board").itemsize == BOARD_SIZE
    assert dtype("slot").itemsize == 256
    assert dtype("board")["ready"].shape == (BOARD_WORDS,)


def test_should_show_a_segment_header_as_a_numpy_view() -> None:
    segment = create_pipe_segment(outbound=4096, inbound=4096, private=True, token=bytes(range(16)))
    segment.unlink()
    header = np.frombuffer(memoryview(segment.memory), dtype("segment"), count=1)[0]
    assert bytes(segment.memory[:6]) == b"SHMZMQ"
    assert header["version"] == VERSION
    assert header["kind"] == Kind.PIPE
    assert header["size"] == segment.size == RECORDS_OFFSET + 8192
    assert bytes(header["token"]) == bytes(range(16))


def test_should_show_a_ring_and_its_data_as_numpy_views(ring: Ring) -> None:
    control = np.frombuffer(
        memoryview(ring.segment.memory), dtype("ring"), count=1, offset=RING_CONTROL_OFFSETS[0]
    )
    data = np.frombuffer(
        memoryview(ring.segment.memory), np.uint8, count=4096, offset=int(control["offset"][0])
    )
    ring.send(b"hello")
    assert control["tail"][0] == 16
    assert control["written"][0] == 1
    assert control["bytes_written"][0] == 5
    assert control["capacity"][0] == 4096
    assert data[:8].view(np.uint64)[0] == 5 << 8
    assert data[8:13].tobytes() == b"hello"
    ring.receive()
    assert control["head"][0] == 16
    assert control["read"][0] == 1
    assert control["bytes_read"][0] == 5


def test_should_show_a_board_as_a_numpy_view() -> None:
    owner = board.create_board(True)
    owner.segment.unlink()
    view = np.frombuffer(memoryview(owner.segment.memory), dtype("board"), count=1)[0]
    for _ in range(67):
        owner.allocate()
    owner.notify(4)
    assert view["allocated"][:3].tolist() == [2**64 - 1, 7, 0]
    assert view["control"] == 4
    assert view["news"] == 1


def test_should_number_record_flags_as_the_compiled_code_does(ring: Ring) -> None:
    ring.producer.push(b"part", Record.MORE)
    ring.producer.push(b"command", Record.COMMAND)
    assert [ring.record_word(0) & 255, ring.record_word(16) & 255] == [Record.MORE, Record.COMMAND]
