"""What both ends of a ring share: how much of it a record takes, and where a ring may lie."""

import errno

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.shm.layout import (
    RECORDS_START,
    BlockDescriptor,
    BoxHeader,
    PipeHeader,
    PoolHeader,
    RingControl,
    SegmentHeader,
)

from ..errors import ZMQError


def check_area(segment, offset, capacity):
    """Raise ZMQError(EPROTO) unless a ring of *capacity* bytes at *offset* fits *segment*."""
    size: uint64_t = segment.size
    if (
        offset < RECORDS_START
        or offset > size
        or offset & 7
        or capacity < RECORDS_START
        or capacity & (capacity - 1)
        or capacity > size - offset
    ):
        raise ZMQError(
            errno.EPROTO, f"a ring of {capacity} bytes at {offset} does not fit a segment of {size}"
        )


def compiled_offsets():
    """Return the offsets that the compiled code uses, to be held against layout.OFFSETS."""
    pool: cython.pointer(PoolHeader) = cython.NULL
    block: cython.pointer(BlockDescriptor) = cython.NULL
    box: cython.pointer(BoxHeader) = cython.NULL
    segment: cython.pointer(SegmentHeader) = cython.NULL
    ring: cython.pointer(RingControl) = cython.NULL
    pipe: cython.pointer(PipeHeader) = cython.NULL
    return {
        "segment": {
            "magic": cython.cast(cython.size_t, cython.address(segment.magic)),
            "version": cython.cast(cython.size_t, cython.address(segment.version)),
            "kind": cython.cast(cython.size_t, cython.address(segment.kind)),
            "size": cython.cast(cython.size_t, cython.address(segment.size)),
            "owner_pid": cython.cast(cython.size_t, cython.address(segment.owner_pid)),
            "owner_start": cython.cast(cython.size_t, cython.address(segment.owner_start)),
            "reader_pid": cython.cast(cython.size_t, cython.address(segment.reader_pid)),
            "reader_start": cython.cast(cython.size_t, cython.address(segment.reader_start)),
        },
        "ring": {
            "tail": cython.cast(cython.size_t, cython.address(ring.tail)),
            "written": cython.cast(cython.size_t, cython.address(ring.written)),
            "bytes_written": cython.cast(cython.size_t, cython.address(ring.bytes_written)),
            "head": cython.cast(cython.size_t, cython.address(ring.head)),
            "read": cython.cast(cython.size_t, cython.address(ring.read)),
            "bytes_read": cython.cast(cython.size_t, cython.address(ring.bytes_read)),
            "attentive": cython.cast(cython.size_t, cython.address(ring.attentive)),
            "waiting": cython.cast(cython.size_t, cython.address(ring.waiting)),
            "attached": cython.cast(cython.size_t, cython.address(ring.attached)),
            "offset": cython.cast(cython.size_t, cython.address(ring.offset)),
            "capacity": cython.cast(cython.size_t, cython.address(ring.capacity)),
            "left": cython.cast(cython.size_t, cython.address(ring.left)),
        },
        "pipe": {
            "ring": cython.cast(cython.size_t, cython.address(pipe.ring)),
            "returned": cython.cast(cython.size_t, cython.address(pipe.returned)),
        },
        "pool": {"retired": cython.cast(cython.size_t, cython.address(pool.retired))},
        "box": {
            "middle": cython.cast(cython.size_t, cython.address(box.middle)),
        },
        "descriptor": {
            "serial": cython.cast(cython.size_t, cython.address(block.serial)),
            "offset": cython.cast(cython.size_t, cython.address(block.offset)),
            "size": cython.cast(cython.size_t, cython.address(block.size)),
            "loan": cython.cast(cython.size_t, cython.address(block.loan)),
        },
    }
