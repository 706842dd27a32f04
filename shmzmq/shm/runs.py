"""Many records at once: a run of whole messages, as objects or packed into one piece of memory.

The ring's reader (shmzmq/shm/consumer.py) says where a run begins and goes on behind it. What is
looked at more closely than here, it finds again by itself.
"""

import cython
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.shmzmq.shm.batch import add
from cython.cimports.shmzmq.shm.copying import copy_short


def take_run(run, batch, most):
    """Put up to *most* messages of *run* into *batch*; what was taken counts if memory runs out."""
    count: uint64_t = 0
    size: uint64_t = 0
    while count < most and run.position != run.tail:
        before: Run = run[0]
        payload = next_payload(run, cython.address(size))
        if payload == cython.NULL:
            break
        try:
            add(batch, payload, size)
        except BaseException:
            run[0] = before
            raise
        count += 1
    return 0


def pack_run(run, batch, most):
    """Put up to *most* messages of *run* into a packed *batch*, as far as that has memory.

    All that counts is in local variables: the bytes that are copied could be any of them.
    """
    here: Run = run[0]
    out: cython.p_char = batch.data.address
    used: uint64_t = batch.data.nbytes
    capacity: uint64_t = batch.data.capacity
    ends = cython.cast(cython.pointer(int64_t), batch.offsets.address) + batch.count + 1
    count: uint64_t = 0
    size: uint64_t = 0
    most = min(most, batch.places - batch.count)
    while count < most and here.position != here.tail:
        here.largest = min(run.largest, capacity - used)
        payload = next_payload(cython.address(here), cython.address(size))
        if payload == cython.NULL:
            break
        copy_short(out + used, payload, size)
        used += size
        ends[count] = used
        count += 1
    here.largest = run.largest
    run[0] = here
    batch.data.nbytes = used
    batch.count += count
    return 0
