"""The ring: one producer, one consumer, whole messages, growth by chaining.

I1  0 <= tail - max(head, base) <= capacity; positions count bytes and only grow; the place of
    position p in the current area is (p - base) modulo capacity, capacity a power of two.
I2  [head, tail) belongs to the consumer, all else of the area to the producer.
I3  tail moves only over whole messages, so a reader never sees half of one, and a producer that
    dies in the middle of one leaves nothing behind. head moves only over whole messages too, so a
    message that its reader died over is still there.
I4  After a CHAIN record at position p the records go on at p + its size, at the start of the area
    named in it. The producer keeps CHAIN_RESERVE bytes free so that a chain can always be written.
I5  Each side believes nothing that the other wrote: sizes, positions and counts that do not fit
    what it knows end the ring, and no byte outside the area is touched.

word       written by              read by    pair of cache lines
tail       producer (publish)      consumer   1
written    producer                both       1   messages; with `read` the high water mark
head       consumer (advance)      producer   2
read       consumer                both       2
attentive  consumer                producer   3   the pipe's business, see shmzmq/pipe.py
waiting    producer, consumer      both       3   likewise

Pair "publish": release of tail in Producer.publish -> acquire of tail in Consumer.peek and
is_empty: the records and `written` are there.
Pair "free": release of head in Consumer.advance -> acquire of head in Producer.look_at_reader: the
space is the producer's, and `read` counts what was taken.

Each side caches the other's position and looks again only when it must. A dead producer leaves at
most unpublished bytes behind the tail: nothing to repair. A dead consumer leaves head at a message
boundary.
"""

from .consumer import Consumer
from .producer import Producer

__all__ = ["Consumer", "Producer"]
