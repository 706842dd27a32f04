"""Claim: a worker takes a pipe over for its reader while the writer still makes areas of it.

Each area must say whose it is in the end, or the sweep takes it away when the writer has died. The
writer gives an area the reader that the pipe has when it is made, and names it in the ring.
chain.claim against Producer.grow.
"""

from model.steps import Step, Steps
from model.tso import Explorer, Process, Result, Violation, fence, load, store, wait_for

CHAIN, PRODUCER = "shm/chain.py", "shm/producer.py"
STEPS = (
    Step("claim: say who reads", "", CHAIN, "claim", "pipe.reader = reader"),
    Step("claim: fence", "claim", CHAIN, "claim", "fence()"),
    Step("claim: areas", "", CHAIN, "claim", "area.reader = reader"),
    Step("grow: fence", "claim", PRODUCER, "Producer.grow", "fence()"),
    Step("grow: look again", "", PRODUCER, "Producer.grow", "reader = self.segment.reader"),
    Step("grow: write no nobody", "", PRODUCER, "Producer.grow", "if reader.pid:"),
)
AREAS = 2
READER = 1


def explore(without: str | None = None) -> Result:
    """Explore AREAS areas, and a worker that claims the pipe at any moment."""
    takes = Steps(STEPS, without)

    def writer() -> Process:
        for area in range(AREAS):
            known = yield load("pipe")
            yield store(f"area{area}", known)
            yield store("tail", area + 1)
            if takes("grow: fence"):
                yield fence()
            if takes("grow: look again"):
                known = yield load("pipe")
                if known or not takes("grow: write no nobody"):
                    yield store(f"area{area}", known)
        yield fence()
        yield store("writer done", 1)

    def worker() -> Process:
        if takes("claim: say who reads"):
            yield store("pipe", READER)
        if takes("claim: fence"):
            yield fence()
        if takes("claim: areas"):
            tail = yield load("tail")
            for area in range(tail):
                yield store(f"area{area}", READER)
        yield fence()
        yield store("worker done", 1)

    def judge() -> Process:
        yield wait_for("writer done")
        yield wait_for("worker done")
        for area in range(AREAS):
            reader = yield load(f"area{area}")
            if reader != READER:
                raise Violation(f"area {area} is nobody's")

    names = (*(f"area{area}" for area in range(AREAS)), "pipe", "tail")
    memory = dict.fromkeys((*names, "writer done", "worker done"), 0)
    return Explorer(memory, [writer, worker, judge]).explore()
