"""The command line: ``python -m shmzmq run script.py``."""

import argparse
import runpy
import sys
from pathlib import Path

from .stand_in import install_as_zmq


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m shmzmq")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="run a Python program with shmzmq in the place of zmq",
        description="Run a Python program, and the processes that it starts, with shmzmq in the "
        "place of zmq (pyzmq).",
    )
    run.add_argument("-m", dest="is_module", action="store_true", help="a module, not a file")
    run.add_argument("program", help="a file, or the name of a module")
    run.add_argument("arguments", nargs=argparse.REMAINDER, help="what the program is given")
    chosen = parser.parse_args(arguments)
    run_program(chosen.program, chosen.arguments, is_module=chosen.is_module)


def run_program(program: str, arguments: list[str], *, is_module: bool) -> None:
    """Run *program* as ``python program`` or ``python -m program`` would, as the main module."""
    install_as_zmq()
    sys.argv = [program, *arguments]
    if is_module:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    else:
        if not sys.flags.safe_path:
            sys.path[0] = str(Path(program).resolve().parent)
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
