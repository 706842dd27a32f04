"""A child process that owns a segment: says its name, and takes that away when told to."""

from support.channel import Channel

from shmzmq.shm import segment as segments
from shmzmq.shm.layout import Kind

if __name__ == "__main__":
    channel = Channel.inherited()
    owned = segments.create(Kind.PIPE, 8192)
    segments.publish(owned)
    channel.send(owned.name)
    assert channel.hear() == "unlink"
    owned.unlink()
    channel.send("unlinked")
