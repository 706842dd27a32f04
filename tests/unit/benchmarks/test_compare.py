"""Every library that `compare` measures does the job, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from support.waiting import PATIENCE_S, wait_for

from benchmarks import compare, memcpy, page, series, throughput
from benchmarks.cases import Pattern, Transport
from benchmarks.children import ChildFailed
from benchmarks.cli import main
from benchmarks.gates import Gates
from benchmarks.pairs import Pair
from benchmarks.peers import iceoryx2, own_names, packages, registry, shared_memory
from benchmarks.peers.interface import Channel, Peer

ROOT = Path(__file__).parents[3]
TIME_LIMIT_S = 40.0
ALWAYS_THERE = {"shmzmq", "pyzmq", "shared_memory", "mp.Pipe", "mp.Queue"}
FIGURES = {"messages/s", "MB/s", "p50 µs", "p99 µs"}


def case_of(size: int) -> compare.ComparedCase:
    return compare.ComparedCase(Pattern.PUSH_PULL, Transport.IPC, size)


def skip_missing(peer: Peer) -> None:
    """Skip a test of a library that is not here, unless it should be."""
    try:
        peer.version()
    except ImportError as reason:
        if series.library_of(peer.name) in ALWAYS_THERE:
            raise
        pytest.skip(str(reason))


def left_by(pid: int) -> set[str]:
    """Return the names in shared memory that the run of the process *pid* has given."""
    names = os.listdir(own_names.SHARED_MEMORY)
    return {name for name in names if name.startswith(f"{own_names.PREFIX}{pid}-")}


@pytest.mark.parametrize("size", [64, 1 << 20])
@pytest.mark.parametrize("peer", registry.COMPARED, ids=lambda peer: peer.name)
def test_should_measure_each_library(peer: Peer, size: int) -> None:
    skip_missing(peer)
    before = left_by(os.getpid())
    figures = compare.measure(peer, case_of(size), 0.001, TIME_LIMIT_S)
    assert set(figures) == FIGURES
    assert all(value > 0 for value in figures.values())
    assert figures["MB/s"] == pytest.approx(figures["messages/s"] * size / 1e6)
    assert left_by(os.getpid()) <= before


def lose_one(channel: Channel, gates: Gates) -> None:
    """Send a batch that lacks a message, and the next."""
    for body in (b"m" * 8, b"n" * 8, b"n" * 8):
        channel.send(body)


def expect_pairs(channel: Channel, gates: Gates) -> float:
    """Receive two messages of each batch."""
    return throughput.receive_batches(case_of(8), throughput.Plan(2, 1), channel, gates)


def test_should_notice_a_lost_message() -> None:
    pair = Pair(shared_memory.COPYING, case_of(8), lose_one, expect_pairs, duplex=False)
    before = left_by(os.getpid())
    with pytest.raises(ChildFailed, match="one was lost or came twice"):
        pair.run(TIME_LIMIT_S)
    assert left_by(os.getpid()) <= before


def die(channel: Channel, gates: Gates) -> None:
    os._exit(3)


@pytest.mark.parametrize("peer", [shared_memory.IN_PLACE, iceoryx2.IN_PLACE], ids=lambda p: p.name)
def test_should_remove_what_a_dead_process_used(peer: Peer) -> None:
    skip_missing(peer)
    before = left_by(os.getpid())
    with pytest.raises(ChildFailed, match="exit code 3"):
        Pair(peer, case_of(64), die, expect_pairs, duplex=False).run(TIME_LIMIT_S)
    assert left_by(os.getpid()) <= before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
@pytest.mark.parametrize("peer", [shared_memory.COPYING, iceoryx2.COPYING], ids=lambda p: p.name)
def test_should_end_its_processes_and_give_memory_back(peer: Peer, how: signal.Signals) -> None:
    skip_missing(peer)
    # A measurement that would take an hour.
    options = ("--peer", peer.name, "--size", "64", "--seconds", "3600", "--time-limit", "3600")
    command = [sys.executable, "-m", "benchmarks", "compare", *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as run:
        try:
            helpers = wait_for(partial(at_work, run.pid), "two processes share memory")
            run.send_signal(how)
            run.wait(PATIENCE_S)
            _, alive = psutil.wait_procs(helpers, PATIENCE_S)
        finally:
            run.kill()
    assert not alive
    assert not left_by(run.pid)


def at_work(pid: int) -> list[psutil.Process]:
    """Return the two ends, and Python's resource tracker, when there is memory too."""
    helpers = psutil.Process(pid).children(recursive=True)
    return helpers if len(helpers) == 3 and left_by(pid) else []


def test_should_sweep_up_after_a_run_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait(PATIENCE_S)
    dead = own_names.SHARED_MEMORY / f"{own_names.PREFIX}{gone.pid}-0_there"
    living = own_names.SHARED_MEMORY / f"{own_names.PREFIX}{os.getpid()}-test_there"
    try:
        dead.touch()
        living.touch()
        own_names.remove_leftovers()
        assert not dead.exists()
        assert living.exists()
    finally:
        dead.unlink(missing_ok=True)
        living.unlink(missing_ok=True)


def test_should_name_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_is_installed(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(packages, "version", nothing_is_installed)
    options = ["--quick", "--rounds", "1", "--seconds", "0.01", "--size", "64"]
    peers = ["--peer", "mp.Pipe", "--peer", "iceoryx2", "--peer", "faster-fifo", "--peer", "pynng"]
    done = CliRunner().invoke(main, ["compare", *options, *peers])
    assert done.exit_code == 0
    for name in ("iceoryx2", "faster-fifo", "pynng"):
        assert f"Not measured: {name} ({name} is not installed)." in done.output


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of a short run of two libraries at two sizes."""
    path = tmp_path_factory.mktemp("record") / "comparison.json"
    options = ["--rounds", "2", "--seconds", "0.01", "--size", "64", "--size", "64k"]
    peers = ["--peer", "pyzmq", "--peer", "pyzmq, copy=False"]
    done = CliRunner().invoke(main, ["compare", *options, *peers, "--json", str(path)])
    assert done.exit_code == 0, done.output
    return path


def test_should_record_both_benchmarks(record: Path) -> None:
    facts = json.loads(record.read_text())
    assert facts["machine"]["cpus"] > 0
    assert facts["load_before"] >= 0
    assert set(facts["libraries"]) == {"pyzmq", "pyzmq, copy=False"}
    rates = series.curves(facts, compare.RATE, "messages/s")
    assert list(rates) == ["pyzmq", "pyzmq, copy=False", memcpy.NAME]
    trips = series.curves(facts, compare.ROUND_TRIP, "p50 µs")
    assert list(trips) == ["pyzmq", "pyzmq, copy=False"]
    for curve in (*rates.values(), *trips.values()):
        assert [point.size for point in curve] == [64, 64 << 10]
        assert all(point.median > 0 for point in curve)
    assert rates["pyzmq"][0].ratio is None
    assert rates["pyzmq, copy=False"][0].ratio is not None


def test_should_fill_in_the_tables(record: Path, tmp_path: Path) -> None:
    path = tmp_path / page.PAGE
    path.write_text(f"before\n{page.BEGINS}old\n{page.ENDS}\nafter\n")
    facts = json.loads(record.read_text())
    assert page.refresh(facts, tmp_path) == [path]
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("| | 64 B | 64 KiB |") == 2
    assert text.count("| pyzmq, copy=False |") == 2
    page.refresh(facts, tmp_path)
    assert path.read_text() == text


def test_should_refuse_a_page_without_marks(record: Path, tmp_path: Path) -> None:
    (tmp_path / page.PAGE).write_text("nothing to fill in")
    with pytest.raises(ValueError, match="<!-- figures -->"):
        page.refresh(json.loads(record.read_text()), tmp_path)


def test_should_draw_the_plots(record: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    done = CliRunner().invoke(main, ["plot", str(record), str(tmp_path)])
    assert done.exit_code == 0, done.output
    for name in ("comparison-rate", "comparison-round-trip"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        drawing = (tmp_path / f"{name}.svg").read_text()
        for text in ("pyzmq, copy=False", "64 KiB", "message size"):
            assert text in drawing


def test_should_say_what_is_wrong_with_a_record(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    path = tmp_path / "other.json"
    path.write_text('{"results": []}')
    done = CliRunner().invoke(main, ["plot", str(path), str(tmp_path)])
    assert done.exit_code == 1
    assert f"{path} is no record of `compare`" in done.output


def test_should_keep_labels_apart() -> None:
    plot = pytest.importorskip("benchmarks.plot", reason="matplotlib is not installed")
    assert plot.spread_out([0.1, 0.5, 0.9], 0.1) == pytest.approx([0.1, 0.5, 0.9])
    assert plot.spread_out([0.5, 0.5, 0.5], 0.1) == pytest.approx([0.4, 0.5, 0.6])
    assert plot.spread_out([0.2, 0.28, 0.5], 0.1) == pytest.approx([0.19, 0.29, 0.5])
