"""``python -m shmzmq.workers FD``: an I/O worker, speaking with its application over descriptor FD."""

import sys

from .process import run

if __name__ == "__main__":
    run(int(sys.argv[1]))
