"""pyzmq's name for the module of `monitored_queue`."""

from .monitored_queue import monitored_queue

__all__ = ["monitored_queue"]
