"""What `python -m benchmarks` runs."""

import signal
import sys

from benchmarks.cli import main


def end(signum: int, frame: object) -> None:
    """End as after Ctrl-C, so that processes are ended and memory is given back."""
    sys.exit(128 + signum)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    main()
