"""What `python -m demo` runs."""

from demo.cli import main

main()
