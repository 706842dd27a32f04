"""Segments: named shared memory whose name tells whose it is, and the sweep of what the dead left.

``/shmzmq-UID-NS-PID-START-SERIAL``: the user, the pid namespace, and the owner's pid and start
tick, so that anyone who can list the names can tell whether the owner still lives. Space is
reserved when a segment is made: a full /dev/shm is an error at that call, never a SIGBUS at a later
store.

Ownership: the maker owns the name until the peer has mapped the segment and unlinks it; from then
on the memory lives as long as its last mapping. Nothing here unmaps by hand: a mapping goes with
the last reference to its Segment, so no other thread can be left with a pointer into nothing.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import posix_ipc

from ..errors import ZMQError
from .layout import HEADER_SIZE, MAGIC, OFFSETS, VERSION, Kind
from .liveness import ProcessId, is_alive, pid_namespace, this_process
from .mapping import Mapping

PREFIX: Final = "shmzmq-"
DIRECTORY: Final = "/dev/shm"
_HEADER: Final = struct.Struct("<8Q16s")
_WORD: Final = struct.Struct("<Q")
_serial = itertools.count(1)


class SegmentName(NamedTuple):
    """A segment's name, taken apart.

    A pool has a further name for each pipe whose reader has not mapped it yet: with that reader,
    and the pipe's *tag*.
    """

    uid: int
    namespace: int
    owner: ProcessId
    serial: int
    reader: ProcessId | None = None
    tag: int = 0

    def __str__(self) -> str:
        last = f"{self.serial:x}"
        if self.reader is not None:
            last += f"_{self.reader.pid}_{self.reader.start}_{self.tag:x}"
        return self.prefix + last

    @property
    def prefix(self) -> str:
        """What the names of all segments with this owner begin with."""
        owner = self.owner
        return f"/{PREFIX}{self.uid}-{self.namespace:x}-{owner.pid}-{owner.start}-"

    @classmethod
    def parse(cls, name: str) -> SegmentName | None:
        """Take *name* apart; None when it is not one of ours."""
        parts = name.removeprefix("/").removeprefix(PREFIX).split("-")
        if not name.removeprefix("/").startswith(PREFIX) or len(parts) != 5:
            return None
        parts += parts.pop().split("_")
        bases = (10, 16, 10, 10, 16) if len(parts) == 5 else (10, 16, 10, 10, 16, 10, 10, 16)
        try:
            uid, namespace, pid, start, serial, *more = (
                int(part, base) for part, base in zip(parts, bases, strict=True)
            )
        except ValueError:
            return None
        own = cls(uid, namespace, ProcessId(pid, start), serial)
        if not more:
            return own
        reader_pid, reader_start, tag = more
        return own._replace(reader=ProcessId(reader_pid, reader_start), tag=tag)


def reader_tag(token: bytes) -> int:
    """Return the number by which a pipe with *token* calls a pool in its reader's name for it."""
    return int.from_bytes(token[:4], "little")


class Segment:
    """A mapped segment. The mapping lives as long as this object; the name has its own life."""

    __slots__ = ("linked", "memory", "name", "parcels", "size")

    def __init__(self, name: str, memory: Mapping, size: int, *, linked: bool) -> None:
        self.name = name
        self.memory = memory
        self.size = size
        self.linked = linked  # this side still has to see to it that the name goes
        # Of a private pipe, for each ring: what is on its way by reference, by the loan's number.
        self.parcels: tuple[dict[int, Any], dict[int, Any]] = ({}, {})

    def unlink(self) -> None:
        """Take the name away, if it is still there; the mapping stays."""
        self.linked = False
        unlink(self.name)

    def word(self, offset: int) -> int:
        """Return the 64-bit word at *offset* bytes; for headers and inspection."""
        return int(_WORD.unpack_from(self.memory, offset)[0])

    def set_word(self, offset: int, value: int) -> None:
        """Store the 64-bit word at *offset* bytes."""
        _WORD.pack_into(self.memory, offset, value)

    @property
    def token(self) -> bytes:
        """The 16 bytes by which both ends know what this segment is for."""
        offset = OFFSETS["segment"]["token"]
        return self.memory[offset : offset + 16]

    @property
    def owner(self) -> ProcessId:
        """The process that made this segment."""
        fields = OFFSETS["segment"]
        return ProcessId(self.word(fields["owner_pid"]), self.word(fields["owner_start"]))

    @property
    def reader(self) -> ProcessId:
        """The process that reads here besides the owner; pid 0 while there is none."""
        fields = OFFSETS["segment"]
        return ProcessId(self.word(fields["reader_pid"]), self.word(fields["reader_start"]))

    @reader.setter
    def reader(self, process: ProcessId) -> None:
        fields = OFFSETS["segment"]
        self.set_word(fields["reader_start"], process.start)
        self.set_word(fields["reader_pid"], process.pid)


def new_name() -> str:
    """Return a name for this process's next segment."""
    return str(SegmentName(os.getuid(), pid_namespace(), this_process(), next(_serial)))


def create(kind: Kind, size: int, *, token: bytes = bytes(16)) -> Segment:
    """Make a segment of *size* bytes, space reserved, header filled but for the version.

    Call ``publish`` when what follows the header is filled too. Does not block.
    Raises ZMQError: ENOBUFS when /dev/shm is full, ENOMEM or EMFILE as the system has it.
    """
    name = new_name()
    try:
        handle = posix_ipc.SharedMemory(name, posix_ipc.O_CREX, mode=0o600, size=size)
    except (OSError, posix_ipc.Error) as error:
        raise _full(error, size) from error
    try:
        os.posix_fallocate(handle.fd, 0, size)
        memory = Mapping(handle.fd, size)
    except OSError as error:
        unlink(name)
        raise _full(error, size) from error
    finally:
        handle.close_fd()
    _fill_header(memory, kind, size, token)
    return Segment(name, memory, size, linked=True)


def create_private(kind: Kind, size: int, *, token: bytes = bytes(16)) -> Segment:
    """Make a segment that only this process sees (for inproc).

    The same header, no name in /dev/shm.
    """
    try:
        memory = Mapping(-1, size)
    except OSError as error:
        raise _full(error, size) from error
    _fill_header(memory, kind, size, token)
    segment = Segment(f"private:{next(_serial):x}", memory, size, linked=True)
    _private[segment.name] = segment
    return segment


_private: dict[str, Segment] = {}


def is_private(name: str) -> bool:
    """Tell whether *name* is one of create_private's, which no other process can open."""
    return name.startswith("private:")


def _full(error: BaseException, size: int) -> ZMQError:
    number = _number(error, errno.ENOMEM)
    if number == errno.ENOSPC:
        number = errno.ENOBUFS
    return ZMQError(number, f"cannot reserve {size} bytes of shared memory: {error}")


def _number(error: BaseException, otherwise: int) -> int:
    """Return the error number of what posix_ipc raised."""
    if isinstance(error, OSError):
        # Of descriptors that have run out it tells in words only.
        return error.errno or errno.EMFILE
    return otherwise


def _fill_header(memory: Mapping, kind: Kind, size: int, token: bytes) -> None:
    me = this_process()
    _HEADER.pack_into(memory, 0, MAGIC, 0, kind, size, me.pid, me.start, 0, 0, token)


def publish(segment: Segment) -> None:
    """Store the layout version: whoever opens the segment may now believe the rest of it."""
    segment.set_word(OFFSETS["segment"]["version"], VERSION)


def link(name: str, further: str) -> None:
    """Give the segment called *name* a *further* name. Raises OSError."""
    with contextlib.suppress(FileExistsError):
        os.link(DIRECTORY + name, DIRECTORY + further)


def open_segment(name: str, kind: Kind, *, writable: bool = True) -> Segment:
    """Map the segment called *name* and check that it is a *kind* of this layout version.

    Does not block. Raises ZMQError: ENOENT when there is none, EPROTO when it is something else.
    """
    if is_private(name):
        segment = _private.get(name)
        if segment is None or segment.word(OFFSETS["segment"]["kind"]) != kind:
            raise ZMQError(errno.ENOENT, f"no private {kind.name.lower()} {name!r}")
        return segment
    if SegmentName.parse(name) is None:
        raise ZMQError(errno.EPROTO, f"{name!r} is not the name of a shmzmq segment")
    try:
        handle = posix_ipc.SharedMemory(name, read_only=not writable)
    except (OSError, posix_ipc.Error) as error:
        number = _number(error, errno.ENOENT)
        raise ZMQError(number, f"cannot open the segment {name!r}: {error}") from error
    try:
        size = os.fstat(handle.fd).st_size
        if size < HEADER_SIZE:
            raise ZMQError(
                errno.EPROTO, f"the segment {name!r} has {size} bytes, less than a header"
            )
        memory = Mapping(handle.fd, size, writable)
    except OSError as error:
        raise ZMQError(error.errno, f"cannot map the segment {name!r}: {error}") from error
    finally:
        handle.close_fd()
    magic, version, found, declared = struct.unpack_from("<4Q", memory, 0)
    if (magic, version, found, declared) != (MAGIC, VERSION, kind, size):
        raise ZMQError(
            errno.EPROTO,
            f"the segment {name!r} is not a {kind.name.lower()} of layout version {VERSION} and "
            f"{size} bytes: magic {magic:#x}, version {version}, kind {found}, size {declared}",
        )
    return Segment(name, memory, size, linked=False)


def unlink(name: str) -> None:
    """Remove *name*, if it is there; whoever has it mapped keeps the memory."""
    if is_private(name):
        _private.pop(name, None)
        return
    with contextlib.suppress(posix_ipc.ExistentialError):
        posix_ipc.unlink_shared_memory(name)


def _entries() -> list[str]:
    """List what there is; nothing without a descriptor to look by: that is for a later sweep."""
    try:
        return os.listdir(DIRECTORY)
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        return []


def names() -> Iterator[SegmentName]:
    """List the segments of this machine that are named as ours are."""
    for entry in _entries():
        if entry.startswith(PREFIX) and (name := SegmentName.parse(entry)):
            yield name


def sweep(done: ProcessId | None = None) -> list[str]:
    """Unlink what killed processes of this user left; return the names.

    A segment goes only when neither its owner nor the reader named in its header lives, for what
    was published before its sender died is still to be delivered. (A pool has several readers, and
    a further name for each that has not mapped it, with that reader in it, and that goes with the
    reader, whether the owner lives or not.) *done* is a process
    that lives and will read no more. Segments of other pid namespaces are left alone: their pids
    mean nothing here.
    """
    uid, namespace = os.getuid(), pid_namespace()
    alive: dict[ProcessId, bool] = {}
    swept = []
    for name in names():
        if (name.uid, name.namespace) != (uid, namespace):
            continue
        if name.owner not in alive:
            alive[name.owner] = is_alive(name.owner)
        if alive[name.owner]:
            is_waste = name.reader is not None and not is_alive(name.reader)
        else:
            is_waste = not _is_awaited(name, done)
        if is_waste:
            try:
                unlink(str(name))
            except posix_ipc.PermissionsError:
                continue  # another user's file with a name that claims to be ours
            swept.append(str(name))
    return swept


def unlink_all_of(owner: ProcessId, token: bytes) -> None:
    """Unlink what *owner*, which is dead or done with it, made for the pipe with *token*.

    For whoever has read all of that pipe, or knows that nobody will: the owner may have died
    between making an area, or a further name of a pool, and naming it in the ring, and the sweep
    keeps what has a living reader.
    """
    tag = reader_tag(token)
    for name in names():
        if (name.uid, name.namespace, name.owner) != (os.getuid(), pid_namespace(), owner):
            continue
        if name.reader is not None:
            if (name.reader, name.tag) == (this_process(), tag):
                unlink(str(name))
            continue
        with contextlib.suppress(OSError):  # no descriptor to look by: left to a sweep
            if (fields := _read_header(str(name))) and fields[8] == token:
                unlink(str(name))


def _is_awaited(name: SegmentName, done: ProcessId | None) -> bool:
    """Tell whether a reader may still want this; in doubt, for want of descriptors, it does."""
    reader = name.reader
    if reader is None:
        try:
            fields = _read_header(str(name))
        except OSError:
            return True
        if fields is None:
            return False
        reader = ProcessId(fields[6], fields[7])
    return reader.pid != 0 and reader != done and is_alive(reader)


def _read_header(name: str) -> tuple[Any, ...] | None:
    """Return the header's fields without mapping the segment, None when it has gone or has none.

    Raises OSError when it cannot be read.
    """
    try:
        with open(f"{DIRECTORY}{name}", "rb") as file:
            header = file.read(_HEADER.size)
    except FileNotFoundError:
        return None
    return _HEADER.unpack(header) if len(header) == _HEADER.size else None
