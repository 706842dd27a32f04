"""Sockets whose calls return futures: `shmzmq.asyncio`'s, as tornado's loop is asyncio's."""

from asyncio import CancelledError

from ..asyncio import Context, Poller, Socket

__all__ = ["CancelledError", "Context", "Poller", "Socket"]
