"""The I/O worker lives as long as its application, and nobody notices it."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.channel import ChildProcess

# How long a worker may live on. It is told by the kernel, so this is for the scheduler.
_AT_MOST_MS = 1000


@contextmanager
def _watched(pid: int) -> Iterator[select.poll]:
    """Hold on to a process, so that its end can be waited for."""
    pidfd = os.pidfd_open(pid)
    try:
        end = select.poll()
        end.register(pidfd, select.POLLIN)
        assert not end.poll(0)
        yield end
    finally:
        os.close(pidfd)


@pytest.mark.parametrize("way", ["killed", "ends"])
def test_it_ends_with_its_application(way: str) -> None:
    with ChildProcess("crash.applications", "talks") as application:
        [worker] = application.channel.hear()
        with _watched(worker) as end:
            if way == "killed":
                application.kill()
            else:
                application.channel.send("end")
                application.wait()
            # An application that ends by itself waits for its worker.
            assert end.poll(_AT_MOST_MS if way == "killed" else 0)


def test_it_ends_with_its_application_though_a_child_of_that_lives_on() -> None:
    with ChildProcess("crash.applications", "forks") as application:
        worker, child = application.channel.hear()
        with _watched(worker) as end, _watched(child) as childs_end:
            application.kill()
            assert end.poll(_AT_MOST_MS)
            assert not childs_end.poll(0)
            application.channel.send("go")
            assert childs_end.poll()


def test_it_ignores_sigint() -> None:
    with ChildProcess("crash.applications", "talks") as application:
        [worker] = application.channel.hear()
        with _watched(worker) as end:
            os.kill(worker, signal.SIGINT)
            for _ in range(3):
                application.channel.send("works_anew")
                assert application.channel.hear() == "done"
            assert not end.poll(0)
            application.channel.send("end")
            assert application.wait() == 0


def test_it_knows_no_terminal() -> None:
    with ChildProcess("crash.applications", "sits_at_a_terminal") as application:
        assert application.channel.hear() == "receiving"
        application.channel.send("go on")
        assert application.channel.hear() == "KeyboardInterrupt"
        assert application.channel.hear() == "ended"
        assert application.wait() == 0


def test_contexts_use_the_same_ones_again() -> None:
    with ChildProcess("crash.applications", "makes_many_contexts") as application:
        assert len(application.channel.hear()) == 1
        assert application.channel.hear() == 8
        reserve = application.channel.hear()
        assert 1 <= len(reserve) <= 4
        assert application.wait() == 0
    for worker in reserve:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
