"""``python -m shmzmq.workers FD``: an I/O worker that speaks with its application over FD."""

import sys

from .process import run

if __name__ == "__main__":
    run(int(sys.argv[1]))
