"""Running one module of the suite in a process of its own, and reading what came of it."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from .cases import CANNOT_APPLY, VERSION

TIME_LIMIT_S = 120.0
DOWNLOAD_LIMIT_S = 180.0


class Outcome(NamedTuple):
    """What came of a module: the names of its cases by result, and what ended it early."""

    passed: list[str]
    failed: dict[str, str]
    skipped: list[str]
    ended_early: str


class CannotFetch(Exception):
    """pyzmq's sources are not here and could not be downloaded; says why."""


def fetch(directory: Path) -> Path:
    """Return the directory of pyzmq's sources, downloaded and unpacked if it is not there yet.

    What is there already needs no network. Raises CannotFetch.
    """
    sources = directory / f"pyzmq-{VERSION}"
    archive = directory / f"pyzmq-{VERSION}.tar.gz"
    if not (sources / "tests").is_dir():
        # First into a directory of another name: what was cut off half way is not taken for whole.
        with tempfile.TemporaryDirectory(dir=directory) as place:
            if not archive.is_file():
                download(Path(place)).rename(archive)
            try:
                with tarfile.open(archive) as packed:
                    packed.extractall(place, filter="data")
            except (tarfile.TarError, EOFError, OSError) as error:
                archive.unlink()
                raise CannotFetch(f"{archive.name} is damaged and was removed: {error}") from None
            shutil.rmtree(sources, ignore_errors=True)
            (Path(place) / sources.name).rename(sources)
    return sources


def download(directory: Path) -> Path:
    """Return pyzmq's source distribution, downloaded with pip. Raises CannotFetch."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    what = ["--no-deps", "--no-binary", "pyzmq", f"pyzmq=={VERSION}"]
    command = [*pip, *what, "--retries", "3", "--timeout", "20", "--dest", str(directory)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_LIMIT_S)
        problem = "\n".join(done.stderr.splitlines()[-3:])
    except subprocess.TimeoutExpired:
        problem = f"pip was not done after {DOWNLOAD_LIMIT_S:.0f} s"
    archive = directory / f"pyzmq-{VERSION}.tar.gz"
    if not archive.is_file():
        raise CannotFetch(
            f"pyzmq {VERSION}'s source distribution could not be downloaded; is there a network? "
            f"Its tests can be run without one when {archive.name} lies in {directory.parent}.\n"
            f"{problem}"
        )
    return archive


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
