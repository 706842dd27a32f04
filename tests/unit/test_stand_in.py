"""shmzmq in zmq's place: which modules a program gets, here and in the processes that it starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import multiprocessing, subprocess, sys
import zmq, zmq.error, zmq.utils.z85

def report(queue):
    import zmq.constants
    queue.put(f"{zmq.__name__} {zmq.constants.__name__}")

if __name__ == "__main__":
    import shmzmq
    print(sys.argv[1:], zmq is shmzmq, zmq.error is shmzmq.error, zmq.__spec__.name)
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        queue = context.Queue()
        child = context.Process(target=report, args=(queue,))
        child.start()
        print(method, queue.get(timeout=30), flush=True)
        child.join()
    subprocess.run([sys.executable, "-c", "import zmq.poll; print(zmq.poll.__name__)"], check=True)
"""


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run Python and return what it printed."""
    # Not what pytest was started with: children of the program must find shmzmq by themselves.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=inherited | environment,
    )


def test_a_program_and_its_children_get_shmzmq(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    result = run("-m", "shmzmq", "run", str(program), "-x", "argument")
    assert result.stdout.splitlines() == [
        "['-x', 'argument'] True True shmzmq",
        "fork shmzmq shmzmq.constants",
        "spawn shmzmq shmzmq.constants",
        "forkserver shmzmq shmzmq.constants",
        "shmzmq.poll",
    ], result.stderr


def test_a_module_is_run_as_python_would(tmp_path: Path) -> None:
    (tmp_path / "some_program.py").write_text("import zmq, sys; print(zmq.__name__, sys.argv[1:])")
    result = run("-m", "shmzmq", "run", "-m", "some_program", "a", PYTHONPATH=str(tmp_path))
    assert result.stdout.split() == ["shmzmq", "['a']"], result.stderr


@pytest.mark.parametrize("name", ["zmq.nothing", "zmq.auth.thread", "zmq.utils.nothing"])
def test_what_there_is_not_is_not_looked_for_in_pyzmq(name: str) -> None:
    program = f"import shmzmq; shmzmq.install_as_zmq(); import {name}"
    result = run("-c", program)
    assert result.returncode == 1
    assert "ModuleNotFoundError: No module named 'zmq." in result.stderr
    assert "shmzmq stands in for zmq" in result.stderr


def test_installing_twice_is_installing_once() -> None:
    program = """
import os, sys, shmzmq
for _ in range(2):
    shmzmq.install_as_zmq()
import zmq
print(zmq is shmzmq, sys.path.count(sys.path[1]), os.environ["PYTHONPATH"].count("as_zmq"))
print([type(finder).__name__ for finder in sys.meta_path].count("StandIn"))
"""
    assert run("-c", program).stdout.split() == ["True", "1", "1", "1"]


def test_it_comes_too_late_when_pyzmq_is_there_already() -> None:
    pytest.importorskip("zmq")
    result = run("-c", "import zmq, shmzmq; shmzmq.install_as_zmq()")
    assert "ImportError: zmq has been imported already, from " in result.stderr


def test_what_is_missing_inside_is_named_itself(tmp_path: Path) -> None:
    program = """
import sys, shmzmq
sys.modules["gevent"] = None
shmzmq.install_as_zmq()
import zmq.green
"""
    assert "gevent" in run("-c", program).stderr.splitlines()[-1]


EVERY_MODULE = """
import importlib, importlib.metadata, sys, warnings
import shmzmq
warnings.simplefilter("ignore")
shmzmq.install_as_zmq()
names = set()
for path in importlib.metadata.files("pyzmq"):
    if path.parts[0] == "zmq" and path.suffix == ".py" and path.name != "__main__.py":
        parts = path.with_suffix("").parts
        names.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
found = []
for name in sorted(names):
    try:
        module = importlib.import_module(name)
    except ImportError:
        continue
    assert module is importlib.import_module("shmzmq" + name[3:]), name
    found.append(name)
theirs = str(importlib.metadata.distribution("pyzmq").locate_file("zmq"))
for module in list(sys.modules.values()):
    assert not (getattr(module, "__file__", None) or "").startswith(theirs), module
print(*found)
"""


def test_every_module_of_pyzmq_is_ours_or_is_not_there() -> None:
    pytest.importorskip("zmq")
    result = run("-c", EVERY_MODULE)
    assert result.returncode == 0, result.stderr
    found = result.stdout.split()
    assert {"zmq", "zmq.asyncio", "zmq.backend", "zmq.constants", "zmq.decorators"} <= {*found}
    assert {"zmq.devices", "zmq.error", "zmq.sugar.context", "zmq.sugar.socket"} <= {*found}
    assert {"zmq.utils.jsonapi", "zmq.utils.monitor", "zmq.utils.strtypes"} <= {*found}


def test_names_that_programs_import_from_the_layers_below() -> None:
    program = """
import shmzmq
shmzmq.install_as_zmq()
import zmq
from zmq.backend import Frame, Message, Socket, has, zmq_version_info
from zmq.sugar import Again, MessageTracker, device, select
from zmq.sugar.context import Context
assert Context is zmq.SyncContext is zmq.Context and Context._instance is None
assert zmq.SyncSocket is zmq.Socket and Message is zmq.Message
def typed(socket: zmq.Socket[bytes], context: zmq.Context[zmq.Socket]) -> None: ...
print("well")
"""
    assert run("-c", program).stdout == "well\n"


def test_a_script_is_the_main_module_to_its_very_end(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""
import atexit, pickle, sys
class Thing: pass
def last():
    import __main__
    print(type(pickle.loads(pickle.dumps(Thing()))) is __main__.Thing)
atexit.register(last)
print(__name__, __file__, sys.argv[0])
sys.exit(3)
""")
    result = subprocess.run(
        [sys.executable, "-m", "shmzmq", "run", "script.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert result.stdout.splitlines() == [f"__main__ {script} script.py", "True"]
