"""pyzmq's name for sockets in tornado's loop beside gevent; the loop is tornado's own."""

from .ioloop import IOLoop

__all__ = ["IOLoop"]
