"""The command line: ``python -m shmzmq run script.py``."""

import argparse
import os
import runpy
import sys
import zipfile
from pathlib import Path
from types import ModuleType

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
        return
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(program).resolve().parent)
    if os.path.isdir(program) or program.endswith(".pyc") or zipfile.is_zipfile(program):
        runpy.run_path(program, run_name="__main__")
    else:
        run_script(os.path.abspath(program))


def run_script(path: str) -> None:
    """Run a script as the main module, which stays that as long as the process lives.

    Unlike with runpy its `__file__` is absolute, and what threads and exit handlers look for in
    `__main__` when the script has come to its end is still there.
    """
    main_module = ModuleType("__main__")
    main_module.__file__ = path
    sys.modules["__main__"] = main_module
    with open(path, "rb") as script:
        code = compile(script.read(), path, "exec", dont_inherit=True)
    exec(code, main_module.__dict__)


if __name__ == "__main__":
    main(sys.argv[1:])
