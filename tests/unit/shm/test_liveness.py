"""Who a process is, and whether that very one still runs."""

import os
import subprocess
import sys

import psutil  # type: ignore[import-untyped]

from shmzmq.shm.liveness import ProcessId, is_alive, pid_namespace, process_start, this_process


def test_should_know_this_process_as_alive() -> None:
    me = this_process()
    assert me == ProcessId(os.getpid(), process_start(os.getpid()) or 0)
    assert is_alive(me)


def test_should_count_the_start_in_ticks_after_boot() -> None:
    ticks = this_process().start
    created = psutil.Process().create_time() - psutil.boot_time()
    assert abs(ticks / os.sysconf("SC_CLK_TCK") - created) < 2


def test_should_not_take_a_later_process_for_an_earlier_one() -> None:
    me = this_process()
    assert not is_alive(me._replace(start=me.start - 1))


def test_should_not_find_a_process_that_never_was() -> None:
    assert process_start(1 << 30) is None
    assert not is_alive(ProcessId(1 << 30, 0))


def test_should_count_a_zombie_as_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        identity = ProcessId(child.pid, process_start(child.pid) or 0)
        assert is_alive(identity)
        child.kill()
        # Wait for its end and leave it unreaped: a zombie.
        assert os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT) is not None
        assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
        assert not is_alive(identity)


def test_should_read_past_a_command_name_that_looks_like_fields() -> None:
    rename = "import ctypes; ctypes.CDLL(None).prctl(15, b') Z 1 2 (', 0, 0, 0)"
    code = f"{rename}; print('named', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"named\n"
        created = psutil.Process(child.pid).create_time() - psutil.boot_time()
        start = process_start(child.pid)
        assert start is not None
        assert abs(start / os.sysconf("SC_CLK_TCK") - created) < 2
        child.communicate(b"\n")


def test_should_be_another_process_in_a_forked_child() -> None:
    parent = this_process()
    answer, question = os.pipe()
    pid = os.fork()
    if pid == 0:
        me = this_process()
        os.write(question, b"y" if me.pid == os.getpid() != parent.pid and is_alive(me) else b"n")
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(answer, 1) == b"y"
    os.close(answer)
    os.close(question)
    assert this_process() == parent


def test_should_name_the_pid_namespace_by_its_inode() -> None:
    assert f"pid:[{pid_namespace()}]" == os.readlink("/proc/self/ns/pid")
