"""Tornado's loop, under pyzmq's name for it."""

from ...eventloop.ioloop import IOLoop, PeriodicCallback, ZMQIOLoop, install

__all__ = ["IOLoop", "PeriodicCallback", "ZMQIOLoop", "install"]
