"""Ears, which hear monitors, and endpoints of the transports that have network events."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ear import Ear
from support.library import LIBRARY_NAME, Socket
from support.links import free_port

SCHEMES = ("tcp", "ipc")


@pytest.fixture
def utils() -> Any:
    """The library's module for monitors' messages."""
    return pytest.importorskip(f"{LIBRARY_NAME}.utils.monitor")


@pytest.fixture
def ears() -> Iterator[Any]:
    """Makes ears, and closes them."""
    made: list[Ear] = []

    def listen(monitored: Socket, events: int | None = None) -> Ear:
        made.append(Ear(monitored, events))
        return made[-1]

    yield listen
    for ear in made:
        ear.socket.close(linger=0)


@pytest.fixture(params=SCHEMES)
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An endpoint of each transport that has network events."""
    if request.param == "tcp":
        return f"tcp://127.0.0.1:{free_port()}"
    return f"ipc://{tmp_path}/s"
