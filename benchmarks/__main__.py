"""What `python -m benchmarks` runs."""

from benchmarks.cli import main

main()
