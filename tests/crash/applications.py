"""Programs that show how an application and its I/O worker live together.

Started as ``python -m crash.applications NAME FD``; each function below is one of them.
"""

import multiprocessing
import os
import signal
import sys
from contextlib import ExitStack

import psutil
from crash.cast import names_of
from support.channel import Channel
from support.library import Context, Socket, zmq

_PATIENCE_MS = 20_000


class Talk:
    """Two connected sockets of one context, which have been used."""

    def __init__(self, context: Context) -> None:
        self.push: Socket = context.socket(zmq.PUSH)
        self.pull: Socket = context.socket(zmq.PULL)
        self.pull.rcvtimeo = _PATIENCE_MS
        self.push.linger = 0
        self.pull.bind("ipc://*")
        self.push.connect(self.pull.last_endpoint.decode())
        self.works()

    def works(self) -> None:
        """Send a message from one to the other, through a connection that exists."""
        self.push.send(b"x")
        assert self.pull.recv() == b"x"

    def works_anew(self) -> None:
        """Connect once more, for which a worker is needed, and send a message that way."""
        self.push.disconnect(self.pull.last_endpoint.decode())
        self.push.connect(self.pull.last_endpoint.decode())
        self.works()

    def close(self) -> None:
        """Close both."""
        self.push.close()
        self.pull.close()


def _workers() -> list[int]:
    """Return the process ids of this process's I/O workers.

    None of its children may be a zombie.
    """
    children = psutil.Process().children()
    assert all(child.status() != psutil.STATUS_ZOMBIE for child in children)
    return [child.pid for child in children if "shmzmq.workers" in child.cmdline()]


def talks(channel: Channel) -> None:
    """Tell the worker's pid; then do what one is told until told to end."""
    with zmq.Context() as context:
        talk = Talk(context)
        channel.send(_workers())
        while (word := channel.hear()) != "end":
            getattr(talk, word)()
            channel.send("done")
        talk.close()


def forks(channel: Channel) -> None:
    """Tell the worker's pid and a forked child's, which holds everything open until told to go."""
    context = zmq.Context()
    Talk(context)
    child = os.fork()
    if not child:
        channel.hear()
        os._exit(0)
    channel.send([*_workers(), child])
    signal.pause()


def sits_at_a_terminal(channel: Channel) -> None:
    """Have the terminal send Ctrl-C while receiving.

    The worker must neither hear of it nor know the terminal.
    """
    os.setsid()
    keyboard, terminal = os.openpty()
    # A session's leader gets the first terminal that it opens.
    os.close(os.open(os.ttyname(terminal), os.O_RDWR))
    with zmq.Context() as context:
        talk = Talk(context)
        [worker] = _workers()
        assert psutil.Process().terminal() == os.ttyname(terminal)
        assert psutil.Process(worker).terminal() is None
        channel.send("receiving")
        channel.hear()
        try:
            os.write(keyboard, b"\x03")
            talk.pull.recv()
        except KeyboardInterrupt:
            channel.send("KeyboardInterrupt")
        talk.works_anew()
        assert _workers() == [worker]
        talk.close()
    channel.send("ended")


def makes_many_contexts(channel: Channel) -> None:
    """Make and end contexts one after the other, then some at a time.

    Tell which workers served them.
    """
    used = set()
    for _ in range(100):
        with zmq.Context() as context:
            Talk(context).close()
            used.update(_workers())
    channel.send(sorted(used))
    with ExitStack() as contexts:
        for _ in range(8):
            Talk(contexts.enter_context(zmq.Context())).close()
        channel.send(len(_workers()))
    channel.send(_workers())


def _refusal(attempt: str, talk: Talk, context: Context) -> str:
    """Return what happens to a forked child that touches what is its parent's."""
    attempts = {
        "send": lambda: talk.push.send(b"from the child", zmq.NOBLOCK),
        "recv": lambda: talk.pull.recv(zmq.NOBLOCK),
        "poll": lambda: talk.pull.poll(0),
        "connect": lambda: talk.push.connect("ipc://@shmzmq-test-nobody"),
        "socket": lambda: context.socket(zmq.PUSH),
    }
    try:
        attempts[attempt]()
    except zmq.ZMQError as error:
        return f"{error.errno} {error}"
    return "was allowed"


_ATTEMPTS = ("send", "recv", "poll", "connect", "socket")


def _in_child(talk: Talk, context: Context, answers: "multiprocessing.Queue[list[str]]") -> None:
    """Touch everything of the parent's, close it even, and then do something of one's own."""
    answers.put([_refusal(attempt, talk, context) for attempt in _ATTEMPTS])
    talk.close()
    context.term()
    with zmq.Context() as own:
        Talk(own).close()


def multiprocesses(channel: Channel) -> None:
    """Have a process of multiprocessing's fork method touch the sockets; tell what it was told."""
    context = zmq.Context()
    talk = Talk(context)
    names = names_of([os.getpid()])
    method = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[list[str]] = method.Queue()
    for _ in range(2):
        child = method.Process(target=_in_child, args=(talk, context, answers))
        child.start()
        channel.send(answers.get())
        child.join()
        assert child.exitcode == 0
        assert names_of([os.getpid()]) == names
        talk.works()
        talk.works_anew()
    with method.Pool(2) as pool:
        assert pool.map(abs, range(-10, 0)) == list(range(10, 0, -1))
    talk.works_anew()
    talk.close()
    context.term()
    channel.send(names_of([os.getpid()]))


if __name__ == "__main__":
    globals()[sys.argv[1]](Channel.inherited())
