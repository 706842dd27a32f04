"""Streams, under pyzmq's name for those beside gevent."""

from ...eventloop.zmqstream import ZMQStream

__all__ = ["ZMQStream"]
