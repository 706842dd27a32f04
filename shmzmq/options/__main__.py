"""Print docs/options.md, or check a file against it: `python -m shmzmq.options [--check FILE]`."""

import sys
from pathlib import Path

from .reference import page


def main(arguments: list[str]) -> int:
    """Print the page, or return 1 when the file named behind --check is not like it."""
    if not arguments:
        print(page(), end="")
        return 0
    if len(arguments) != 2 or arguments[0] != "--check":
        print("expected no arguments, or --check FILE", file=sys.stderr)
        return 2
    if Path(arguments[1]).read_text(encoding="utf-8") == page():
        return 0
    print(f"{arguments[1]} is not what python -m shmzmq.options prints", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
