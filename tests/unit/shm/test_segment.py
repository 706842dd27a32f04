"""Segments: their names, their headers, and the sweep of what killed processes left."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.channel import ChildProcess
from support.pipes import own_names

from shmzmq.errors import ZMQError
from shmzmq.shm import segment as segments
from shmzmq.shm.layout import MAGIC, OFFSETS, VERSION, Kind
from shmzmq.shm.liveness import ProcessId, this_process
from shmzmq.shm.segment import Segment, SegmentName

SHM = Path("/dev/shm")


@pytest.fixture
def segment() -> Iterator[Segment]:
    """A published area of a page and a bit; its name goes in the end."""
    made = segments.create(Kind.AREA, 5000, token=b"0123456789abcdef")
    segments.publish(made)
    yield made
    made.unlink()


@pytest.fixture
def orphan() -> Iterator[Segment]:
    """A segment whose owner was killed and that is kept for us; its name goes in the end.

    Other processes of this user may sweep at any time, so it has to have a reader at all times.
    """
    with ChildProcess("unit.shm.owner") as child:
        left = segments.open_segment(child.channel.hear(), Kind.PIPE)
        left.reader = this_process()
        child.kill()
    yield left
    left.unlink()


def is_there(name: str) -> bool:
    """Tell whether a name stands in /dev/shm."""
    return (SHM / name[1:]).exists()


def test_should_tell_in_its_name_whose_it_is(segment: Segment) -> None:
    parsed = SegmentName.parse(segment.name)
    assert parsed is not None
    assert str(parsed) == segment.name
    assert parsed.uid == os.getuid()
    assert parsed.owner == this_process()
    assert parsed.namespace == Path("/proc/self/ns/pid").stat().st_ino


def test_should_give_each_segment_a_name_of_its_own() -> None:
    assert len({segments.new_name() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "shmzmq-",
        "/shmzmq-1-1-1-1",
        "/shmzmq-1-1-1-1-1-1",
        "/other-1-1-1-1-1",
        "/shmzmq-x-1-1-1-1",
    ],
)
def test_should_not_take_other_names_for_its_own(name: str) -> None:
    assert SegmentName.parse(name) is None


def test_should_be_readable_by_its_user_only(segment: Segment) -> None:
    assert (SHM / segment.name[1:]).stat().st_mode & 0o777 == 0o600


def test_should_have_its_space_reserved(segment: Segment) -> None:
    assert (SHM / segment.name[1:]).stat().st_blocks * 512 >= 5000


def test_should_say_in_its_header_what_it_is(segment: Segment) -> None:
    field = OFFSETS["segment"]
    words = [segment.word(field[name]) for name in ("magic", "version", "kind", "size")]
    assert words == [MAGIC, VERSION, Kind.AREA, 5000]
    assert segment.owner == this_process()
    assert segment.reader == ProcessId(0, 0)
    assert segment.token == b"0123456789abcdef"


def test_should_be_the_same_memory_for_whoever_opens_it(segment: Segment) -> None:
    other = segments.open_segment(segment.name, Kind.AREA)
    other.set_word(4096, 42)
    assert segment.word(4096) == 42
    segment.reader = ProcessId(7, 8)
    assert other.reader == ProcessId(7, 8)


def test_should_outlive_its_name(segment: Segment) -> None:
    other = segments.open_segment(segment.name, Kind.AREA)
    segment.unlink()
    assert segment.name not in own_names()
    other.set_word(4096, 43)
    assert segment.word(4096) == 43
    segment.unlink()  # once more does no harm


@pytest.mark.parametrize(
    ("field", "value"),
    [("magic", 1), ("version", 0), ("version", VERSION + 1), ("kind", 1), ("size", 1)],
)
def test_should_not_open_what_is_not_such_a_segment(
    segment: Segment, field: str, value: int
) -> None:
    segment.set_word(OFFSETS["segment"][field], value)
    with pytest.raises(ZMQError, match=f"{field} ") as failure:
        segments.open_segment(segment.name, Kind.AREA)
    assert failure.value.errno == errno.EPROTO


def test_should_not_open_a_segment_before_it_is_published() -> None:
    segment = segments.create(Kind.AREA, 4096)
    try:
        with pytest.raises(ZMQError, match="version 0"):
            segments.open_segment(segment.name, Kind.AREA)
    finally:
        segment.unlink()


def test_should_not_open_a_segment_smaller_than_a_header(segment: Segment) -> None:
    name = segments.new_name()
    (SHM / name[1:]).write_bytes(b"short")
    try:
        with pytest.raises(ZMQError, match="less than a header"):
            segments.open_segment(name, Kind.AREA)
    finally:
        segments.unlink(name)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("/shmzmq-0-0-0-0-0", errno.ENOENT),
        ("/elsewhere", errno.EPROTO),
        ("private:none", errno.ENOENT),
    ],
)
def test_should_say_that_there_is_no_such_segment(name: str, number: int) -> None:
    with pytest.raises(ZMQError, match=r"segment|private") as failure:
        segments.open_segment(name, Kind.AREA)
    assert failure.value.errno == number


def test_should_refuse_more_than_there_is_and_leave_no_name() -> None:
    before = own_names()
    with pytest.raises(ZMQError, match="shared memory") as failure:
        segments.create(Kind.AREA, shutil.disk_usage(SHM).total + (1 << 20))
    assert failure.value.errno == errno.ENOBUFS
    assert own_names() == before


@pytest.mark.parametrize("size", [1 << 62, (1 << 63) - 1])
def test_should_refuse_what_no_file_can_hold_and_leave_no_name(size: int) -> None:
    before = own_names()
    with pytest.raises(ZMQError, match=f"cannot reserve {size} bytes"):
        segments.create(Kind.AREA, size)
    assert own_names() == before


def test_should_give_back_the_memory_of_private_segments() -> None:
    private = segments.create_private(Kind.AREA, 4096)
    segments.publish(private)
    assert segments.open_segment(private.name, Kind.AREA) is private
    private.unlink()
    with pytest.raises(ZMQError, match="no private"):
        segments.open_segment(private.name, Kind.AREA)
    private.set_word(0, 1)


def test_should_sweep_what_a_killed_owner_left(orphan: Segment) -> None:
    orphan.reader = ProcessId(0, 0)
    segments.sweep()
    assert not is_there(orphan.name)


def test_should_leave_alone_what_a_living_process_owns(segment: Segment) -> None:
    with ChildProcess("unit.shm.owner") as child:
        name = child.channel.hear()
        swept = segments.sweep()
        assert is_there(name)
        assert is_there(segment.name)
        assert not {name, segment.name} & set(swept)
        child.channel.send("unlink")
        assert child.channel.hear() == "unlinked"


def test_should_keep_a_segment_for_a_living_reader(orphan: Segment) -> None:
    assert orphan.name not in segments.sweep()
    assert is_there(orphan.name)


def test_should_not_keep_a_segment_for_a_later_process_with_the_reader_s_pid(
    orphan: Segment,
) -> None:
    orphan.reader = ProcessId(os.getpid(), this_process().start + 1)
    segments.sweep()
    assert not is_there(orphan.name)


def test_should_sweep_a_segment_whose_reader_died_too(orphan: Segment) -> None:
    with ChildProcess("unit.shm.owner") as reader:
        parsed = SegmentName.parse(reader.channel.hear())
        assert parsed is not None
        orphan.reader = parsed.owner
        assert orphan.name not in segments.sweep()
        assert is_there(orphan.name)
        reader.kill()
    segments.sweep()
    assert not is_there(orphan.name)
    assert not is_there(str(parsed))


def test_should_not_touch_other_users_or_other_namespaces(orphan: Segment) -> None:
    parsed = SegmentName.parse(orphan.name)
    assert parsed is not None
    foreign = [parsed._replace(uid=parsed.uid + 1), parsed._replace(namespace=parsed.namespace + 1)]
    try:
        for name in foreign:
            (SHM / str(name)[1:]).touch()
        segments.sweep()
        assert all(is_there(str(name)) for name in foreign)
    finally:
        for name in foreign:
            segments.unlink(str(name))


def test_should_sweep_a_header_that_was_never_filled(orphan: Segment) -> None:
    parsed = SegmentName.parse(orphan.name)
    assert parsed is not None
    empty = str(parsed._replace(serial=parsed.serial + 1))
    (SHM / empty[1:]).touch()
    segments.sweep()
    assert not is_there(empty)


def test_should_take_away_what_a_dead_process_made_for_one_pipe(orphan: Segment) -> None:
    others = segments.create(Kind.PIPE, 5000, token=orphan.token)
    try:
        segments.unlink_all_of(orphan.owner, b"another pipe's..")
        assert is_there(orphan.name)
        segments.unlink_all_of(orphan.owner, orphan.token)
        assert not is_there(orphan.name)
        assert is_there(others.name)
    finally:
        others.unlink()


def test_should_keep_what_it_has_no_descriptor_to_look_into(
    orphan: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, *more: Any) -> Any:
        if path.startswith(str(SHM)):
            raise OSError(errno.EMFILE, "no descriptor left")
        return open(path, *more)

    monkeypatch.setattr(segments, "open", refuse, raising=False)
    assert orphan.name not in segments.sweep()
    assert is_there(orphan.name)


def test_should_take_away_the_names_of_pools_that_a_dead_owner_made_for_us(
    orphan: Segment,
) -> None:
    own = SegmentName.parse(orphan.name)
    assert own is not None
    token = b"0123456789abcdef"
    tag = segments.reader_tag(token)
    ours = str(own._replace(reader=this_process(), tag=tag))
    of_another_pipe = str(own._replace(reader=this_process(), tag=tag + 1))
    for name in (ours, of_another_pipe):
        segments.link(orphan.name, name)
    segments.unlink_all_of(own.owner, token)
    assert [is_there(name) for name in (ours, of_another_pipe)] == [False, True]
    segments.unlink(of_another_pipe)
