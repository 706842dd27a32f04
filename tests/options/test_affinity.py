"""AFFINITY: "determines which threads from the 0MQ I/O thread pool [...] shall handle newly created
connections. A value of zero specifies no affinity, meaning that work shall be distributed fairly
[...] a value of 3 specifies that subsequent connections on socket shall be handled exclusively by
I/O threads 1 and 2."

Threads are worker processes here. Which of them has a connection, on which CPU it runs, how it is
scheduled and what it is called is read from the kernel, as are the context options THREAD_*.
"""

import errno
import os
import resource
from pathlib import Path

import psutil
import pytest
from support.factory import SocketFactory
from support.library import Context, Socket, ours_better, zmq
from support.waiting import wait_for

pytestmark = ours_better("libzmq's threads are not pinned, and cannot be told apart from outside")

CPUS = sorted(os.sched_getaffinity(0))


def workers(context: Context) -> list[psutil.Process]:
    """Return the context's workers, in the order in which they were started."""
    return [psutil.Process(link.process.pid) for link in context._pool.links()]


def allowed(worker: psutil.Process) -> list[int]:
    """Return the CPUs that a worker may use."""
    [line] = [
        line
        for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines()
        if line.startswith("Cpus_allowed:")
    ]
    mask = int(line.partition(":")[2].strip().replace(",", ""), 16)
    return [cpu for cpu in range(mask.bit_length()) if mask >> cpu & 1]


def serving(sockets: SocketFactory, *bound: Socket) -> list[int]:
    """Return the number, from 1, of the worker that listens for each of the sockets."""
    ports = [int(socket.last_endpoint.rpartition(b":")[2]) for socket in bound]
    listening = [
        {each.laddr.port for each in worker.net_connections("tcp") if each.status == "LISTEN"}
        for worker in workers(sockets.context)
    ]
    return [1 + [port in there for there in listening].index(True) for port in ports]


def test_three_is_the_first_two(sockets: SocketFactory) -> None:
    sockets.context.set(zmq.IO_THREADS, 3)
    third = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*", affinity=0b100)
    both = [sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*", affinity=0b11) for _ in range(4)]
    assert len(workers(sockets.context)) == 3
    served_by = serving(sockets, *both)
    assert len(set(served_by)) == 2
    assert serving(sockets, third)[0] not in served_by


def test_zero_shares_the_work_out(sockets: SocketFactory) -> None:
    sockets.context.set(zmq.IO_THREADS, 3)
    served_by = serving(
        sockets, *(sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*") for _ in range(6))
    )
    assert sorted(served_by) == [1, 1, 2, 2, 3, 3]


def test_it_counts_for_what_is_bound_after_it_was_set(sockets: SocketFactory) -> None:
    sockets.context.set(zmq.IO_THREADS, 2)
    pull = sockets.open(zmq.PULL, affinity=0b01, bind="tcp://127.0.0.1:*")
    first = pull.last_endpoint
    pull.setsockopt(zmq.AFFINITY, 0b10)
    pull.bind("tcp://127.0.0.1:*")
    assert pull.last_endpoint != first
    [one, two] = workers(sockets.context)
    for worker, endpoint in ((one, first), (two, pull.last_endpoint)):
        there = {each.laddr.port for each in worker.net_connections("tcp")}
        assert int(endpoint.rpartition(b":")[2]) in there


def test_without_affinity_a_worker_is_not_pinned(sockets: SocketFactory) -> None:
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    [worker] = workers(sockets.context)
    assert allowed(worker) == CPUS


def test_each_worker_has_its_cpu(sockets: SocketFactory) -> None:
    sockets.context.set(zmq.IO_THREADS, 3)
    for k in range(3):
        sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*", affinity=1 << k)
    masks = [allowed(worker) for worker in workers(sockets.context)]
    assert masks == [[CPUS[k % len(CPUS)]] for k in range(3)]


def test_a_worker_is_pinned_when_it_is_first_selected(sockets: SocketFactory) -> None:
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*", affinity=1)
    [worker] = workers(sockets.context)
    assert allowed(worker) == CPUS[:1]


def test_a_bit_beyond_the_pool(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, affinity=0b10)
    with pytest.raises(zmq.ZMQError) as refused:
        pull.bind("tcp://127.0.0.1:*")
    assert refused.value.errno == zmq.EMTHREAD


def test_a_worker_from_the_reserve_has_all_cpus_again(nothing_left: None) -> None:
    pids = []
    for affinity in (1, 0):
        with zmq.Context() as context:
            if affinity:
                context.set(zmq.THREAD_SCHED_POLICY, os.SCHED_BATCH)
            factory = SocketFactory(context)
            factory.open(zmq.PULL, bind="tcp://127.0.0.1:*", affinity=affinity)
            [worker] = workers(context)
            pids.append(worker.pid)
            assert allowed(worker) == (CPUS[:1] if affinity else CPUS)
            policy = os.SCHED_BATCH if affinity else os.SCHED_OTHER
            assert os.sched_getscheduler(worker.pid) == policy
            factory.close()
    assert pids[0] == pids[1]


def test_a_successor_takes_the_place_of_a_worker_that_died(sockets: SocketFactory) -> None:
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*", affinity=1)
    [worker] = workers(sockets.context)
    [link] = sockets.context._pool.links()
    worker.kill()
    wait_for(lambda: link.process.pid != worker.pid, "the worker is replaced")
    successor = psutil.Process(link.process.pid)
    wait_for(lambda: allowed(successor) == CPUS[:1], "it is pinned")


def test_cpus_of_the_context(sockets: SocketFactory) -> None:
    context = sockets.context
    for cpu in CPUS:
        context.set(zmq.THREAD_AFFINITY_CPU_ADD, cpu)
    for cpu in CPUS[:-1]:
        context.set(zmq.THREAD_AFFINITY_CPU_REMOVE, cpu)
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    [worker] = workers(context)
    assert allowed(worker) == CPUS[-1:]


def test_a_cpu_that_there_is_not(sockets: SocketFactory) -> None:
    sockets.context.set(zmq.THREAD_AFFINITY_CPU_ADD, 1023)
    with pytest.raises(zmq.ZMQError, match="1023") as refused:
        sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    assert refused.value.errno == errno.EINVAL


@pytest.fixture
def real_time() -> int:
    """A real-time priority that this process may give to others."""
    limit, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if not limit and os.geteuid():
        pytest.skip("no real-time priorities are allowed here (RLIMIT_RTPRIO)")
    return 2


def scheduling(pid: int) -> tuple[int, int]:
    """Return a process's policy and priority, as the kernel has them."""
    return os.sched_getscheduler(pid), os.sched_getparam(pid).sched_priority


def test_real_time(sockets: SocketFactory, real_time: int) -> None:
    context = sockets.context
    context.set(zmq.THREAD_SCHED_POLICY, os.SCHED_RR)
    context.set(zmq.THREAD_PRIORITY, real_time)
    pull = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    [worker] = workers(context)
    [link] = context._pool.links()
    assert scheduling(worker.pid) == (os.SCHED_RR, real_time)
    assert scheduling(0) == (os.SCHED_OTHER, 0)
    worker.kill()
    wait_for(lambda: link.process.pid != worker.pid, "the worker is replaced")
    wait_for(lambda: scheduling(link.process.pid) == (os.SCHED_RR, real_time), "as before")
    push = sockets.open(zmq.PUSH, connect=pull.last_endpoint.decode())
    push.send(b"it works")
    assert pull.recv() == b"it works"


def test_a_priority_without_a_policy(sockets: SocketFactory, real_time: int) -> None:
    """As with libzmq: as soon as can be, among those who are not real-time."""
    sockets.context.set(zmq.THREAD_PRIORITY, real_time)
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    [worker] = workers(sockets.context)
    assert scheduling(worker.pid) == (os.SCHED_OTHER, 0)
    assert os.getpriority(os.PRIO_PROCESS, worker.pid) == -20


def test_a_policy_without_its_priority(sockets: SocketFactory) -> None:
    sockets.context.set(zmq.THREAD_SCHED_POLICY, os.SCHED_FIFO)
    with pytest.raises(zmq.ZMQError, match="THREAD_PRIORITY") as refused:
        sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    assert refused.value.errno == errno.EINVAL


def test_names(sockets: SocketFactory) -> None:
    sockets.context.set(zmq.THREAD_NAME_PREFIX, 42)
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    [worker] = workers(sockets.context)
    assert Path(f"/proc/{worker.pid}/comm").read_text() == "42/ZMQbg/IO/0\n"
