"""The package stays free of I/O, and light: an I/O worker imports it each time it starts."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import shmzmq.zmtp

PACKAGE = Path(shmzmq.zmtp.__path__[0])
SOURCES = sorted(PACKAGE.rglob("*.py"))

ALLOWED = {"__future__", "abc", "collections", "enum", "errno"}
COMPILED = {"cython", "cython.cimports.libc.stdint", "cython.cimports.libc.string"}
FOR_TYPE_CHECKERS = {"collections.abc", "typing"}
SLOW = {"asyncio", "dataclasses", "inspect", "logging", "re", "socket", "threading", "typing"}


def imports(source: Path) -> set[str]:
    """Return the modules from outside the package that *source* imports when it runs."""
    tree = ast.parse(source.read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            depth = len(source.parent.relative_to(PACKAGE.parent).parts)
            assert node.level <= depth, f"{source.name} reaches out of the package"
            if not node.level:
                found.add(node.module or "")
    return found


def test_sources_were_found() -> None:
    assert {"connection.py", "null.py", "frames.py"} <= {source.name for source in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_io_no_clock_no_shared_memory(source: Path) -> None:
    assert imports(source) <= ALLOWED | FOR_TYPE_CHECKERS | COMPILED


def test_importing_it_brings_nothing_slow_along() -> None:
    program = (
        "import sys\n"
        "parent = type(sys)('shmzmq')\n"  # zmtp alone, without what the package itself imports
        "parent.__path__ = [sys.argv[1]]\n"
        "sys.modules['shmzmq'] = parent\n"
        "before = set(sys.modules)\n"
        "import shmzmq.zmtp.connection, shmzmq.zmtp.mechanisms.null, shmzmq.zmtp.options\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    command = [sys.executable, "-I", "-S", "-c", program, str(PACKAGE.parent)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    new = set(result.stdout.split())
    assert "shmzmq.zmtp.connection" in new
    assert not new & SLOW
