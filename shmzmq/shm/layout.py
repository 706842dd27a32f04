"""Every structure that lives in shared memory, declared once.

All words are 64-bit and little-endian as the machine has them; positions are byte counts that only
grow; there are distances, never addresses. Words of different writers stand on different pairs of
cache lines (128 bytes: x86 prefetches lines in pairs). The compiled code has the same structures in
``layout.pxd``; a test holds the two together. numpy is imported when a dtype is asked for, not
before: importing the package does not wait for it.

Segment header, at offset 0 of every segment (128 bytes)::

      0 ┌──────────┬──────────┬──────────┬──────────┐
        │ magic    │ version  │ kind     │ size     │   version is stored last: "the rest is ready"
     32 ├──────────┼──────────┼──────────┼──────────┤
        │ owner    │ owner    │ reader   │ reader   │   who made it; who may still need it
        │ pid      │ start    │ pid      │ start    │   (start: clock ticks after boot)
     64 ├──────────┴──────────┼──────────┴──────────┤
        │ token (16 bytes)    │ reserved            │
    128 └─────────────────────┴─────────────────────┘

Ring control (384 bytes), twice in a pipe::

      0 ┌──────────┬──────────┬──────────┐
        │ tail     │ written  │ bytes_w  │  written by the producer only
    128 ├──────────┼──────────┼──────────┤
        │ head     │ read     │ bytes_r  │  written by the consumer only
    256 ├──────────┼──────────┼──────────┼──────────┬──────────┬──────────┐
        │attentive │ waiting  │ attached │ offset   │ capacity │ left     │  seldom written
    384 └──────────┴──────────┴──────────┴──────────┴──────────┴──────────┘

Pipe segment: two rings, one for each direction (0: from the connecting side, 1: to it)::

      0 ┌────────────────┐
        │ segment header │
    128 ├────────────────┤
        │ ring control 0 │
    512 ├────────────────┤
        │ ring control 1 │
    896 ├────────────────┤
        │ (free)         │
   1024 ├────────────────┤
        │ returned 0     │  one bit for each block lent over ring 0; the consumer sets, the
   2048 ├────────────────┤  producer clears
        │ returned 1     │
   3072 ├────────────────┤
        │ (free)         │
   4096 ├────────────────┤  = ring 0's offset
        │ records 0      │
        ├────────────────┤  = ring 1's offset
        │ records 1      │
        └────────────────┘

Area segment: the records of a ring that outgrew its first area; records begin at 4096. Or a box,
with the last value of a pipe that conflates (shmzmq/shm/box.py)::

      0 ┌────────────────┐
        │ segment header │
    128 ├────────────────┤
        │ middle         │  the slot between writer and reader; both exchange it
   4096 ├────────────────┤
        │ slots 0, 1, 2  │  size (8 bytes), value; a third of the rest each, in lines of 64 bytes
        └────────────────┘

Pool segment: blocks of one size, back to back from 4096 on, for the payloads of large messages::

      0 ┌────────────────┐
        │ segment header │
    128 ├────────────────┤
        │ retired        │  stored once by the owner: let go of the mapping
   4096 ├────────────────┤
        │ blocks         │
        └────────────────┘

A record is 8-byte aligned: one word ``length << 8 | flags``, then ``length`` bytes. With the flag
BLOCK those bytes are a descriptor: the serial in the pool segment's name, the payload's offset
there and its size, and the number of the loan, which is its bit in `returned`. In the private pipes
of inproc the payload is an object of this process, and the descriptor has only the loan's number.

Board segment: the mail flags of one socket, one bit for each pipe::

      0 ┌────────────────┐
        │ segment header │
    128 ├────────────────┤
        │ asleep         │  the owner announces; whoever rings takes it back
    256 ├────────────────┤
        │ news │ control │  whoever posts sets; the owner clears
    384 ├────────────────┤
        │ allocated[256] │  which bits belong to a pipe
   2432 ├────────────────┤
        │ ready[256]     │  this pipe has something to read
   4480 ├────────────────┤
        │ room[256]      │  this pipe has room again
   6528 └────────────────┘

Directory segment: slots of 256 bytes; slot 0 is the segment header, the count of slots (at 128) and
the name of the segment in which the directory goes on (at 136, NUL-padded, empty: nowhere)::

    256*n ┌────────┬────────┬────────┬────────┐
          │ state  │ kind   │ key    │ parent │  state is stored last; 0 = free
       32 ├────────┴────────┴────────┴────────┤
          │ eight counters (see COUNTERS)     │  each written by its one owner
       96 ├───────────────────────────────────┤
          │ label, UTF-8, NUL-padded (160)    │
      256 └───────────────────────────────────┘
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np

MAGIC: Final = 0x0051_4D5A_4D48_53  # "SHMZMQ" in little-endian bytes, padded
VERSION: Final = 3
PAGE: Final = 4096

HEADER_SIZE: Final = 128
RING_CONTROL_SIZE: Final = 384
RING_CONTROL_OFFSETS: Final = (128, 512)
RETURNED_OFFSETS: Final = (1024, 2048)
RETURNED_WORDS: Final = 128
RECORDS_OFFSET: Final = PAGE
BOARD_WORDS: Final = 256
BOARD_PIPES: Final = BOARD_WORDS * 64
BOARD_SIZE: Final = 2 * PAGE
SLOT_SIZE: Final = 256
LABEL_SIZE: Final = 160


class Kind(IntEnum):
    """What a segment holds."""

    BOARD = 1
    PIPE = 2
    AREA = 3
    DIRECTORY = 4
    POOL = 5


class Record(IntFlag):
    """Flags of a record in a ring."""

    MORE = 1  # another part of the same message follows
    COMMAND = 2  # for the pipe itself, never for the user
    BLOCK = 4  # the record describes a block that holds the payload
    PAD = 8  # nothing up to the end of the area
    CHAIN = 16  # the records go on in the area segment named here
    BOX = 32  # the payload is the value in the box named here, an area segment


class Slot(IntEnum):
    """What a directory slot describes."""

    FREE = 0
    SOCKET = 1
    ENDPOINT = 2
    PIPE = 3
    WORKER = 4


COUNTERS: Final[dict[Slot, tuple[str, ...]]] = {
    Slot.SOCKET: ("messages_in", "messages_out", "dropped", "wakes", "spins", "sleeps"),
    Slot.ENDPOINT: ("connects", "losses"),
    Slot.PIPE: ("messages_in", "bytes_in", "messages_out", "bytes_out", "queued"),
    Slot.WORKER: ("pid", "heartbeat_ns", "loops", "connections"),
}
"""Names of the counters in use, by kind of slot."""


def _words(names: str, start: int = 0) -> dict[str, int]:
    return {name: start + 8 * i for i, name in enumerate(names.split())}


OFFSETS: Final[dict[str, dict[str, int]]] = {
    "segment": _words(
        "magic version kind size owner_pid owner_start reader_pid reader_start token"
    ),
    "ring": (
        _words("tail written bytes_written")
        | _words("head read bytes_read", 128)
        | _words("attentive waiting attached offset capacity left", 256)
    ),
    "board": {
        "asleep": 128,
        **_words("news control", 256),
        "allocated": 384,
        "ready": 2432,
        "room": 4480,
    },
    "pool": {"retired": 128},
    "box": {"middle": 128},
    "descriptor": _words("serial offset size loan"),
    "directory": {"slots": 128, "next": 136},
    "slot": {**_words("state kind key parent"), "counters": 32, "label": 96},
}
"""Offset of every field, by structure; the dtypes below are made from it."""

_SIZES: Final = {
    "segment": HEADER_SIZE,
    "ring": RING_CONTROL_SIZE,
    "board": BOARD_SIZE,
    "pool": PAGE,
    "box": PAGE,
    "descriptor": 32,
    "directory": SLOT_SIZE,
    "slot": SLOT_SIZE,
}
_FORMATS: Final = {
    "token": "V16",
    "allocated": f"({BOARD_WORDS},)u8",
    "ready": f"({BOARD_WORDS},)u8",
    "room": f"({BOARD_WORDS},)u8",
    "counters": "(8,)u8",
    "label": f"S{LABEL_SIZE}",
    "next": "S88",
}


@cache
def dtype(structure: str) -> np.dtype[np.void]:
    """Return the numpy structured dtype of *structure*, one of those in OFFSETS."""
    import numpy as np

    fields = OFFSETS[structure]
    return np.dtype(
        {
            "names": list(fields),
            "formats": [_FORMATS.get(name, "u8") for name in fields],
            "offsets": list(fields.values()),
            "itemsize": _SIZES[structure],
        }
    )
