"""Running coroutines, each in an event loop of its own, on sockets whose calls return futures."""

import asyncio
import importlib
from collections.abc import Coroutine
from typing import Any

from support.library import LIBRARY_NAME, Socket
from support.waiting import PATIENCE_MS

zaio: Any = importlib.import_module(f"{LIBRARY_NAME}.asyncio")

Pair = tuple[Socket, Socket]


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run *main* in a new event loop, for a limited time."""
    return asyncio.run(asyncio.wait_for(main, PATIENCE_MS / 1000))
