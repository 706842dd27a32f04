"""Attach: a message sent while the far end is just coming, over a connection that two workers make.

The connecting application sends, and then may not call into its socket for a long time; the
worker hears that the far end has the pipe, tells the application, and only then lets the far end
loose; the far end takes the pipe up and may sleep. Pipe.flush, SocketBase.write and Pipe.attach
against Pipe.attend and Pipe.rest.
"""

from dataclasses import dataclass

from model import board
from model.steps import Step, Steps
from model.tso import (
    Explorer,
    Process,
    Result,
    exchange,
    fence,
    load,
    signal,
    store,
    wait_for,
)

PIPE, SOCKET = "pipe.py", "socket_base.py"
STEPS = (
    Step("flush: fence", "attach", PIPE, "Pipe.flush", "fence()"),
    Step(
        "write: news after the send",
        "attach",
        SOCKET,
        "SocketBase._write",
        "if board.has_news() and not self.gone:",
    ),
    Step(
        "attach: post what is queued",
        "attach",
        PIPE,
        "Pipe.attach",
        "if not self.outbound.broken and self.outbound.queued():",
    ),
    Step(
        "worker: tell before it goes",
        "attach",
        "workers/handed_over.py",
        "HandedOver._on_taken",
        "self._holder.pipe_ready(self._peer, self._give_doorbell())\n"
        "        self._say(handover.GO)",
    ),
)
SPARE = (
    # The worker has set our news before the far end can look, and write looks for news after the
    # send; and whoever stops looking at the ring has been through Pipe.rest, whose fence will do.
    Step("attend: fence", "attach", PIPE, "Pipe.attend", "fence()"),
    Step(
        "flush: is the far end there",
        "attach",
        PIPE,
        "Pipe.flush",
        "elif load_relaxed(cython.address(out.control.attached)):",
    ),
    Step("flush: look at own events", "attach", PIPE, "Pipe.flush", "self.own.post_control(1)"),
)
"""Steps that the code takes and that the model can do without, one and all."""


@dataclass
class Connector:
    """What the connecting application keeps for itself."""

    has_peer: bool = False
    sent: int = 0


def explore(without: str | None = None, *, spare: bool = True, count: int = 3) -> Result:
    """Explore *count* messages sent while the far end is coming.

    With none of SPARE if not *spare*.
    """
    takes = Steps((*STEPS, *SPARE, *board.STEPS), without)

    def process_news(own: Connector) -> board.Part:
        """on_control: take what the worker wrote to the stream; Pipe.attach."""
        flags = yield from board.take_bits(takes, "near", "control")
        if not flags or own.has_peer:
            return
        told = yield load("stream")
        if told:
            own.has_peer = True
            read = yield load("read")
            if own.sent > read and takes("attach: post what is queued"):
                yield from board.post(takes, "far", "ready", 1)

    def flush(own: Connector) -> board.Part:
        own.sent += 1
        yield store("tail", own.sent)
        if takes("flush: fence"):
            yield fence()
        attentive = yield load("attentive")
        if attentive:
            return
        if own.has_peer:
            yield from board.post(takes, "far", "ready", 1)
            return
        attached = 0
        if spare and takes("flush: is the far end there"):
            attached = yield load("attached")
        if attached and takes("flush: look at own events"):
            yield from _post_control(takes)

    def connector() -> Process:
        """SocketBase.write, and then nothing more."""
        own = Connector()
        while own.sent < count:
            news = yield load("near.news")
            if news:
                yield from process_news(own)
            yield from flush(own)
            news = yield load("near.news")
            if news and takes("write: news after the send"):
                yield from process_news(own)

    def worker() -> Process:
        """The connecting worker: an event on the stream, a control post, then GO to the other."""
        if not takes("worker: tell before it goes"):
            yield signal("go")
        yield signal("stream")
        yield from _post_control(takes)
        if takes("worker: tell before it goes"):
            yield signal("go")

    def attend() -> board.Part:
        yield store("attached", 1)
        yield store("attentive", 1)
        if spare and takes("attend: fence"):
            yield fence()

    def far_end() -> Process:
        yield wait_for("go")
        yield from attend()
        read, active = 0, True
        while read < count:
            if active:
                tail = yield load("tail")
                if tail > read:
                    read += 1
                    yield store("read", read)
                    continue
                yield store("attentive", 0)
                yield fence()
                tail = yield load("tail")
                if tail != read:
                    yield store("attentive", 1)
                    continue
                active = False
            yield from board.sleep(takes, "far")
            bits = yield from board.take_bits(takes, "far", "ready")
            if bits:
                active = True
                yield from attend()

    memory = board.words("near", "control") | board.words("far", "ready")
    memory |= dict.fromkeys(("tail", "read", "attentive", "attached", "stream", "go"), 0)
    return Explorer(memory, [connector, worker, far_end]).explore()


def _post_control(takes: Steps) -> board.Part:
    """Board.post_control on the near board: the flag, then tell."""
    yield exchange("near.control", 1)
    yield from board.tell(takes, "near")
