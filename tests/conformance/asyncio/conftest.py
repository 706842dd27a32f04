"""Contexts whose sockets return futures, and pairs of such sockets (pyzmq's zmq.asyncio)."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.library import zmq
from support.links import Link
from support.loops import Pair, zaio


@pytest.fixture
def context(nothing_left: None) -> Iterator[Any]:
    context = zaio.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def pair(link: Link) -> Pair:
    return link.pair(zmq.PAIR, zmq.PAIR)


@pytest.fixture
def push_pull(link: Link) -> Pair:
    return link.pair(zmq.PUSH, zmq.PULL)
