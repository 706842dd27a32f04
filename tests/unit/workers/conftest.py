"""Fixtures with workers that are threads of the test's process."""

from collections.abc import Iterator

import pytest
from support.factory import SocketFactory
from support.library import zmq
from support.pipes import no_names_left
from support.worker_threads import BareApplication, WorkerThread, worker_threads


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[WorkerThread]]:
    """The workers of this test's contexts."""
    with worker_threads(monkeypatch) as started:
        yield started


@pytest.fixture
def sockets(threads: list[WorkerThread]) -> Iterator[SocketFactory]:
    """Sockets whose workers are threads."""
    with no_names_left():
        context = zmq.Context()
        factory = SocketFactory(context)
        yield factory
        factory.close()
        context.destroy(linger=0)


@pytest.fixture
def application() -> Iterator[BareApplication]:
    """An application of the test's own words, and its worker."""
    with no_names_left():
        bare = BareApplication()
        yield bare
        bare.close()
