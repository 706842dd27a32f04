"""What the child processes of support.children run: each function is a program of its own.

They report by lines on standard output. "ready" is the last thing a program says before the call
that the test is about.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import partial

from support.library import Context, Socket, zmq


def say(*words: object) -> None:
    """Print one line."""
    print(*words, flush=True)


def _blocking_call(context: Context, call: str) -> Callable[[], object]:
    """Say where it can be reached, and return a call that blocks until a peer does its part."""
    if call in ("send", "send_many"):
        sender = context.socket(zmq.PUSH)
        sender.bind("ipc://*")
        say(sender.get_string(zmq.LAST_ENDPOINT))
        return partial(sender.send, b"sent") if call == "send" else partial(_send_batch, sender)
    receiver = context.socket(zmq.PULL)
    receiver.bind("ipc://*")
    say(receiver.get_string(zmq.LAST_ENDPOINT))
    poller = zmq.Poller()
    poller.register(receiver, zmq.POLLIN)
    calls: dict[str, Callable[[], object]] = {
        "recv": receiver.recv,
        "recv_multipart": receiver.recv_multipart,
        "poll": receiver.poll,
        "poller": poller.poll,
        "select": lambda: zmq.select([receiver], [], []),
    }
    if call == "recv_many":
        return receiver.recv_many  # type: ignore[no-any-return]
    return calls[call]


def _send_batch(sender: Socket) -> None:
    """Send a batch; when a signal handler raises, say how many were sent."""
    try:
        sender.send_many([b"sent"])
    except BaseException as error:
        error.args = (*error.args, f"after {error.messages_sent} messages")
        raise


def interrupted(call: str) -> None:
    """Block; expect KeyboardInterrupt there, and that the context can be ended afterwards."""
    # A shell that runs the tests in the background has made its children ignore the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    context = zmq.Context()
    block = _blocking_call(context, call)
    say("ready")
    try:
        block()
    except KeyboardInterrupt:
        say("KeyboardInterrupt")
    context.destroy(linger=0)
    say("ended")


def signalled(call: str) -> None:
    """Block while SIGUSR1 comes, whose handler only says so; report that the call went on."""
    signal.signal(signal.SIGUSR1, lambda number, frame: say("handled"))
    context = zmq.Context()
    block = _blocking_call(context, call)
    say("ready")
    block()
    say("went on")
    context.destroy(linger=-1)


def handler_raises(call: str) -> None:
    """Block while SIGUSR1 comes, whose handler raises; report what came out of the call."""

    def handler(number: int, frame: object) -> None:
        raise LookupError("from the handler")

    signal.signal(signal.SIGUSR1, handler)
    context = zmq.Context()
    block = _blocking_call(context, call)
    say("ready")
    try:
        block()
    except LookupError as error:
        say(error)
    context.destroy(linger=0)


def sends_and_ends(endpoint: str, count: str, length: str, way: str) -> None:
    """Send messages, close, and end at once: by Context.term() ("term") or without ("close")."""
    context = zmq.Context()
    push = context.socket(zmq.PUSH)
    push.setsockopt(zmq.SNDHWM, 0)
    push.connect(endpoint)
    for number in range(int(count)):
        push.send(number.to_bytes(4, "little") * (int(length) // 4))
    push.close()
    if way == "term":
        context.term()
    say("sent")


def echo(endpoint: str) -> None:
    """Answer requests until one says "stop"."""
    with zmq.Context() as context, context.socket(zmq.REP) as rep:
        rep.bind(endpoint)
        say("ready")
        request = b""
        while request != b"stop":
            request = rep.recv()
            rep.send(request)


def _child(work: Callable[[], None]) -> int:
    """Fork, do the work in the child, and return the child's exit code."""
    pid = os.fork()
    if pid == 0:
        # The child must not run what the parent has on its stack.
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            say("the child raised", repr(error))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _refusals(context: Context, socket: Socket) -> None:
    """Try everything that touches the parent's objects; report the class and text of each error."""
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    attempts: dict[str, Callable[[], object]] = {
        "send": lambda: socket.send(b"x", zmq.NOBLOCK),
        "recv": lambda: socket.recv(zmq.NOBLOCK),
        "poll": lambda: socket.poll(0),
        "poller": lambda: poller.poll(0),
        "bind": lambda: socket.bind("inproc://forked"),
        "connect": lambda: socket.connect("inproc://forked"),
        "getsockopt": lambda: socket.getsockopt(zmq.EVENTS),
        "socket": lambda: context.socket(zmq.PAIR),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except zmq.ZMQError as error:
            say(name, "fork" in str(error).lower())
        else:
            say(name, "was allowed")


def fork_touches() -> None:
    """A forked child uses its parent's context and socket; then the parent goes on with them."""
    context = zmq.Context()
    near, far = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    near.bind("ipc://*")
    far.connect(near.get_string(zmq.LAST_ENDPOINT))
    far.send(b"before")
    say(near.recv().decode())
    say(_child(lambda: _refusals(context, near)))
    far.send(b"after")
    say(near.recv().decode())
    context.destroy(linger=0)


def fork_talks() -> None:
    """A forked child makes its own context and talks with its parent, which used its own before."""
    context = zmq.Context()
    rep = context.socket(zmq.REP)
    rep.bind("ipc://*")
    endpoint = rep.get_string(zmq.LAST_ENDPOINT)
    with context.socket(zmq.REQ) as req:
        req.connect(endpoint)
        req.send(b"own")
        rep.send(rep.recv())
        say(req.recv().decode())
    pid = os.fork()
    if pid == 0:
        own = zmq.Context()
        req = own.socket(zmq.REQ)
        req.connect(endpoint)
        for number in range(100):
            req.send(b"%d" % number)
            assert req.recv() == b"%d" % number
        req.close()
        own.term()
        say("child has ended its context")
        os._exit(0)
    for _ in range(100):
        rep.send(rep.recv())
    say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    context.destroy(linger=0)


def fork_instance() -> None:
    """Context.instance() of a forked child is not its parent's."""
    instance = zmq.Context.instance()

    def in_child() -> None:
        own = zmq.Context.instance()
        assert own is not instance
        assert own is zmq.Context.instance()
        with own.socket(zmq.PUSH) as push, own.socket(zmq.PULL) as pull:
            pull.bind("ipc://*")
            push.connect(pull.get_string(zmq.LAST_ENDPOINT))
            push.send(b"x")
            assert pull.recv() == b"x"
        own.term()
        say("child has its own")

    say(_child(in_child))
    assert zmq.Context.instance() is instance
    instance.term()


def fork_exits() -> None:
    """A forked child that ends in the ordinary way, with all that it inherited, harms nobody."""
    context = zmq.Context()
    near, far = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    near.bind("ipc://*")
    far.connect(near.get_string(zmq.LAST_ENDPOINT))
    far.send(b"before")
    say(near.recv().decode())
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    far.send(b"after")
    say(near.recv().decode())
    context.destroy(linger=0)
    say("ended")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
