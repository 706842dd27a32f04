"""Leave: a reader gives a pipe up while its writer still makes areas; no name may stay behind.

The writer makes an area, names it in the ring, and at last says goodbye, or without a word (a
worker whose stream has ended) looks whether the reader has left. The reader takes away the
names that it finds in the ring, and whoever sees that the other did not look any more takes away
the rest. Pipe.let_go against Pipe.discard_if_left.
"""

from model import board
from model.steps import Step, Steps
from model.tso import Explorer, Process, Result, Violation, fence, load, store, wait_for

PIPE = "pipe.py"
STEPS = (
    Step(
        "let go: say so",
        "leave",
        PIPE,
        "Pipe.let_go",
        "store_release(cython.address(self.inbound.control.left), 1)",
    ),
    Step("let go: fence", "leave", PIPE, "Pipe.let_go", "fence()"),
    Step("goodbye: fence", "leave", PIPE, "Pipe.discard_if_left", "fence()"),
    Step(
        "goodbye: has the reader left",
        "leave",
        PIPE,
        "Pipe.discard_if_left",
        "if load_relaxed(cython.address(self.outbound.control.left)):",
    ),
)
AREAS = 2


def explore(without: str | None = None) -> Result:
    """Explore AREAS areas, and a reader that leaves at any moment."""
    takes = Steps(STEPS, without)

    def take_away(until: int) -> board.Part:
        for area in range(until):
            yield store(f"name{area}", 0)

    def writer() -> Process:
        for area in range(AREAS):
            yield store(f"name{area}", 1)
            yield fence()  # a system call
            yield store("tail", area + 1)
        if takes("goodbye: fence"):
            yield fence()
        left = yield load("left")
        if left and takes("goodbye: has the reader left"):
            yield from take_away(AREAS)
        yield fence()
        yield store("writer done", 1)

    def reader() -> Process:
        if takes("let go: say so"):
            yield store("left", 1)
        if takes("let go: fence"):
            yield fence()
        tail = yield load("tail")
        yield from take_away(tail)
        yield fence()
        yield store("reader done", 1)

    def judge() -> Process:
        yield wait_for("writer done")
        yield wait_for("reader done")
        for area in range(AREAS):
            name = yield load(f"name{area}")
            if name:
                raise Violation(f"the name of area {area} stays")

    names = (*(f"name{area}" for area in range(AREAS)), "tail", "left")
    memory = dict.fromkeys((*names, "writer done", "reader done"), 0)
    return Explorer(memory, [writer, reader, judge]).explore()
