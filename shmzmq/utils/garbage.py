"""What of the program's memory is lent to messages on their way: `gc.refs`.

pyzmq keeps here the buffers that libzmq still reads from. Sending copies into shared memory before
it returns, so nothing is ever lent, and there is nothing to stop.
"""

from typing import Any


class GarbageCollector:
    """An account of lent buffers that has no entries."""

    def __init__(self) -> None:
        self.refs: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.refs)

    def stop(self) -> None:
        """Do nothing: no thread is at work."""


gc = GarbageCollector()
