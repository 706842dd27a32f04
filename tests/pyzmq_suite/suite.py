"""Running one module of the suite in a process of its own, and reading what came of it."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from .cases import CANNOT_APPLY, VERSION

TIME_LIMIT_S = 120.0


class Outcome(NamedTuple):
    """What came of a module: the names of its cases by result, and what ended it early."""

    passed: list[str]
    failed: dict[str, str]
    skipped: list[str]
    ended_early: str


def fetch(directory: Path) -> Path:
    """Return the directory of pyzmq's sources, downloaded and unpacked if it is not there yet."""
    sources = directory / f"pyzmq-{VERSION}"
    if not (sources / "tests").is_dir():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        what = ["--no-deps", "--no-binary", "pyzmq", f"pyzmq=={VERSION}"]
        subprocess.run([*pip, *what, "--dest", str(directory)], check=True)
        with tarfile.open(directory / f"pyzmq-{VERSION}.tar.gz") as archive:
            archive.extractall(directory, filter="data")
    return sources


def run_module(sources: Path, module: str, *, library: str) -> Outcome:
    """Run one test module with *library* ("shmzmq" or "zmq") and return what came of it."""
    report = sources.parent / f"{module}.{library}.xml"
    report.unlink(missing_ok=True)
    before_pytest = ["-m", "shmzmq", "run"] if library == "shmzmq" else []
    command = [sys.executable, *before_pytest, "-m", "pytest", f"tests/{module}.py", "-q"]
    command += ["-p", "no:cacheprovider", "-m", "not large", f"--junitxml={report}"]
    for case in CANNOT_APPLY:
        if case.startswith(f"{module}.py::"):
            command += ["--deselect", f"tests/{case}"]
    # Where it runs there is a directory zmq, the sources of pyzmq, which is not to be imported.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    environment.pop("ZMQ_TEST_TIMEOUT", None)
    log = report.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=sources, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            status = process.wait(TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return Outcome([], {}, [], f"not done after {TIME_LIMIT_S:.0f} s, see {log}")
    if not report.exists():
        return Outcome([], {}, [], f"ended with status {status}, see {log}")
    return read_report(report)


def read_report(report: Path) -> Outcome:
    """Return what a JUnit report says."""
    outcome = Outcome([], {}, [], "")
    for case in ElementTree.parse(report).iter("testcase"):
        # The class name is the dotted path of the file, and maybe a class behind it.
        name = f"{case.get('classname', '').removeprefix('tests.')}.{case.get('name')}"
        problem = case.find("failure")
        if problem is None:
            problem = case.find("error")
        if problem is not None:
            outcome.failed[name] = (problem.get("message") or "").splitlines()[0]
        elif case.find("skipped") is not None:
            outcome.skipped.append(name)
        else:
            outcome.passed.append(name)
    return outcome
