"""What an I/O worker costs that does nothing."""

import subprocess
import sys

from support.waiting import PATIENCE_S

MOST = 25 * 2**20

PROGRAM = """
import psutil
import shmzmq
with shmzmq.Context() as context, context.socket(shmzmq.PULL) as pull:
    pull.bind("tcp://127.0.0.1:*")
    [worker] = psutil.Process().children()
    print(worker.memory_full_info().uss)
"""


def test_an_idle_worker_is_small() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        check=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert int(done.stdout) <= MOST
