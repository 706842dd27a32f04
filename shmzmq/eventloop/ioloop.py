"""Tornado's IOLoop, which needs no change to carry sockets."""

import warnings

from tornado.ioloop import IOLoop, PeriodicCallback

__all__ = ["IOLoop", "PeriodicCallback", "ZMQIOLoop", "install"]

ZMQIOLoop = IOLoop


def install() -> None:
    """Do nothing: any loop of tornado will do. Issues a DeprecationWarning, as pyzmq's does."""
    warnings.warn("install() is not needed any more", DeprecationWarning, stacklevel=2)
