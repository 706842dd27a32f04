"""What killed processes leave in /dev/shm is swept by the next process that makes a context."""

import subprocess
import sys

from crash.cast import Cast, names_of

_MAKE_A_CONTEXT = "import shmzmq; shmzmq.Context().term()"


def _make_a_context() -> None:
    subprocess.run([sys.executable, "-c", _MAKE_A_CONTEXT], check=True)


def test_the_next_process_sweeps(cast: Cast) -> None:
    endpoint = cast.endpoint()
    receiver = cast.start("receive", type="PULL", how="bind", endpoint=endpoint)
    sender = cast.start("send", type="PUSH", how="connect", endpoint=endpoint, sender=1)
    receiver.await_progress(100)
    _make_a_context()
    pids = [sender.pid, receiver.pid]
    assert set(names_of(pids)), "of the living nothing is taken away"
    receiver.await_progress(receiver.record.following + 1000)
    for actor in (sender, receiver):
        actor.kill()  # from here on any process that begins may sweep
    _make_a_context()
    assert names_of(pids) == []
