"""After a loss: a pipe moves over to a fresh segment, for the next far end."""

import cython
from cython.cimports.shmzmq.pipe import Pipe
from cython.cimports.shmzmq.shm.layout import RECORD_BOX, RECORD_COMMAND, RECORD_MORE
from cython.cimports.shmzmq.shm.ring import RING_OK, Consumer, Producer

from .errors import ZMQError
from .pipe_segment import create_pipe_segment, ring_size
from .shm import segment as segments


def renew(pipe: Pipe, *, keep_outbound, last_word=None):
    """Move *pipe* over to a fresh segment for the next far end, and return that.

    What the lost far end published is kept, and followed by *last_word*, a message of our own for
    whoever reads here. What it had not read is kept when *keep_outbound* is true (subscriptions,
    for one, are said anew), behind the greetings of a new connection. The object stays the same, so
    whoever holds it need not notice. Raises ZMQError(ENOBUFS) when /dev/shm is full; nothing is
    lost then, and the same may be tried again.
    """
    outgoing, pending = _unread(pipe) if keep_outbound else ([], [])
    if keep_outbound:
        greetings = [(message, 0) for message in pipe.greetings]
        if outgoing[: len(greetings)] != greetings:
            outgoing = greetings + outgoing
    incoming = pipe.carried
    while pipe.look() == RING_OK:
        incoming.append((pipe.payload(), pipe.inbound.record_flags & RECORD_MORE))
        pipe.inbound.advance()
    segment = _fresh_segment(pipe, outgoing + pending, incoming)
    pipe.discard()
    pipe.lending.end()
    if last_word is not None:
        incoming = [*incoming, (last_word, 0)]
    _push(Producer(segment, 1 - pipe.side, 0, pipe.make_area), incoming)
    pipe.carried = []
    pipe.begin_anew(segment)
    _push(pipe.outbound, outgoing)
    for data, flags in pending:
        pipe.outbound.push(data, flags)
    pipe.read_anew()
    return segment


def unread(pipe: Pipe):
    """Return the parts, with flags, of the messages that the far end of *pipe* did not read."""
    outgoing, _ = _unread(pipe)
    greetings = [(message, 0) for message in pipe.greetings]
    return outgoing[len(greetings) :] if outgoing[: len(greetings)] == greetings else outgoing


def say_again(pipe: Pipe, parts):
    """Send *parts*, which `unread` returned, on another pipe; return those that found no memory."""
    done: cython.Py_ssize_t = 0
    for at, (data, flags) in enumerate(parts):
        octets: bytes = data
        more: cython.bint = flags & RECORD_MORE != 0
        try:
            written: cython.bint = pipe.write(octets, len(octets), more) == RING_OK
        except ZMQError:  # ENOBUFS, where there is no use in waiting
            written = False
        if not written:
            pipe.rollback()
            break
        if not more:
            pipe.flush()
            done = at + 1
    return parts[done:]


def say_last(pipe: Pipe, message):
    """Have *message* read at this end of *pipe* behind all else; the far end has gone."""
    segment = renew(pipe, keep_outbound=False, last_word=message)
    segment.unlink()
    pipe.lost = True


def _fresh_segment(pipe: Pipe, outgoing, incoming):
    sizes = [
        max(2 * sum(len(data) + 16 for data, _ in parts) + 1024, ring_size(True))
        for parts in (outgoing, incoming)
    ]
    if pipe.side == 1:
        sizes.reverse()
    return create_pipe_segment(
        outbound=sizes[0],
        inbound=sizes[1],
        private=segments.is_private(pipe.segment.name),
        token=pipe.segment.token,
    )


def _unread(pipe: Pipe):
    """Return the published parts that the far end did not read, and those not yet published."""
    pipe.outbound.look_at_reader()
    areas = {area.name: area for area in pipe.areas()}
    reader: Consumer = Consumer(pipe.segment, pipe.side, areas.__getitem__)
    reader.resume(pipe.outbound.areas)
    reader.leaving = True  # the ring stays as it is, for another attempt
    published = []
    while (part := reader.pop()) is not None:
        if part[1] & RECORD_BOX:
            published.append((pipe.merger.latest(part[0]), 0))
        elif part[1] & RECORD_COMMAND == 0:
            published.append(pipe.lending.with_payload(*part))
    return published, [pipe.lending.with_payload(*part) for part in pipe.outbound.pending_parts()]


def _push(writer: Producer, parts):
    """Write and publish *parts*, whole messages."""
    for data, flags in parts:
        writer.push(data, flags)
        if flags & RECORD_MORE == 0:
            writer.commit()
