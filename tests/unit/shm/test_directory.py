"""The directory: slots with labels and counters, which anyone can read by its name."""

from collections.abc import Iterator

import numpy as np
import pytest
from support.pipes import own_names

from shmzmq.errors import ZMQError
from shmzmq.shm import segment as segments
from shmzmq.shm.directory import Directory, find_slot, read_directory, scratch, slots
from shmzmq.shm.layout import COUNTERS, LABEL_SIZE, OFFSETS, Kind, Slot


@pytest.fixture
def directory() -> Iterator[Directory]:
    """A directory of its own, as a context has one."""
    made = Directory()
    yield made
    made.unlink()


def test_should_show_what_is_in_use(directory: Directory) -> None:
    socket = directory.add(Slot.SOCKET, "PULL")
    endpoint = directory.add(Slot.ENDPOINT, "ipc://@là", parent=socket.key)
    socket.set_counter(0, 7)
    socket.set_counter(2, 1 << 63)
    endpoint.set_counter(1, 3)
    first, second = read_directory(directory.name)
    assert (first.kind, first.key, first.parent, first.label) == (
        Slot.SOCKET,
        socket.key,
        0,
        "PULL",
    )
    assert first.counters == dict.fromkeys(COUNTERS[Slot.SOCKET], 0) | {
        "messages_in": 7,
        "dropped": 1 << 63,
    }
    assert (second.kind, second.parent, second.label) == (Slot.ENDPOINT, socket.key, "ipc://@là")
    assert second.counters == {"connects": 0, "losses": 3}


def test_should_use_a_freed_slot_again_with_clean_counters(directory: Directory) -> None:
    old = directory.add(Slot.PIPE, "old")
    old.set_counter(3, 9)
    old.free()
    assert list(read_directory(directory.name)) == []
    new = directory.add(Slot.PIPE, "new")
    assert new.address == old.address
    assert new.key != old.key
    (entry,) = read_directory(directory.name)
    assert entry.label == "new"
    assert set(entry.counters.values()) == {0}
    old.free()  # once more does no harm
    assert len(list(read_directory(directory.name))) == 1


def test_should_cut_a_label_to_its_place(directory: Directory) -> None:
    slot = directory.add(Slot.ENDPOINT, "x" * 1000)
    other = directory.add(Slot.ENDPOINT, "other")
    (first, second) = read_directory(directory.name)
    assert first.label == "x" * (LABEL_SIZE - 1)
    assert second.label == "other"
    slot.set_label("y")
    assert next(read_directory(directory.name)).label == "y"
    assert other.key == second.key


def test_should_go_on_in_further_segments(directory: Directory) -> None:
    before = own_names()
    added = [directory.add(Slot.PIPE, f"pipe {number}") for number in range(300)]
    assert len(own_names() - before) == 2
    entries = list(read_directory(directory.name))
    assert sorted(entry.key for entry in entries) == sorted(slot.key for slot in added)
    assert {entry.label for entry in entries} == {f"pipe {number}" for number in range(300)}
    directory.unlink()
    assert not own_names() - before


def test_should_find_a_slot_by_its_key(directory: Directory) -> None:
    added = [directory.add(Slot.WORKER, "worker") for _ in range(100)]
    for slot in (added[0], added[63], added[99]):
        find_slot(directory.name, slot.key).set_counter(1, slot.key)
    beats = {entry.key: entry.counters["heartbeat_ns"] for entry in read_directory(directory.name)}
    assert {key for key, beat in beats.items() if beat == key} == {
        added[n].key for n in (0, 63, 99)
    }
    with pytest.raises(ZMQError, match="no slot"):
        find_slot(directory.name, 1 << 40)


def test_should_show_slots_as_a_numpy_table(directory: Directory) -> None:
    directory.add(Slot.SOCKET, "one").set_counter(1, 5)
    directory.add(Slot.SOCKET, "two")
    table = slots(segments.open_segment(directory.name, Kind.DIRECTORY))
    assert isinstance(table, np.ndarray)
    assert table["label"].tolist() == [b"one", b"two"]
    assert table["counters"][:, 1].tolist() == [5, 0]


def test_should_count_where_the_address_says(directory: Directory) -> None:
    slot = directory.add(Slot.PIPE, "pipe")
    view = np.frombuffer(memoryview(slot.segment.memory), np.uint64)
    slot.set_counter(2, 11)
    index = int(np.flatnonzero(view == 11)[0])
    assert index * 8 == 256 + OFFSETS["slot"]["counters"] + 16


def test_should_say_that_there_is_no_directory() -> None:
    with pytest.raises(ZMQError, match="segment"):
        list(read_directory("/shmzmq-0-0-0-0-0"))


def test_should_have_a_place_for_counters_that_nobody_reads() -> None:
    assert scratch() is scratch()
    scratch().set_counter(0, 1)
