"""Box: a writer puts values in, a reader takes the last one out; neither waits for the other.

A value has two halves, so that one that is read while it is written shows. The reader takes a look
for every record that the ring has; at the end it must have the last value. Box.put and Box.take.
"""

from model.steps import Step, Steps
from model.tso import (
    Explorer,
    Process,
    Result,
    Violation,
    exchange,
    load,
    store,
    wait_for_change,
)

BOX = "shm/box.py"
STEPS = (
    Step(
        "put: the value first",
        "",
        BOX,
        "Box.put",
        'memcpy(slot + 8, cython.cast(cython.p_char, value), len(value))\n        # pair "value"',
    ),
    Step(
        "put: exchange",
        "value",
        BOX,
        "Box.put",
        "exchange(cython.address(self.header.middle), self.mine | _FRESH)",
    ),
    Step("put: a record for each fresh value", "", BOX, "Box.put", "before & _FRESH == 0"),
    Step(
        "take: exchange",
        "value",
        BOX,
        "Box.take",
        "exchange(cython.address(self.header.middle), self.mine)",
    ),
)
VALUES = 4
FRESH = 4


def explore(without: str | None = None) -> Result:
    """Explore VALUES values that are put in, and a reader that is there from the beginning."""
    takes = Steps(STEPS, without)

    def writer() -> Process:
        mine = 0
        records = 0
        for value in range(1, VALUES + 1):
            slot = mine
            if takes("put: the value first"):
                yield store(f"first half {slot}", value)
                yield store(f"second half {slot}", value)
            if takes("put: exchange"):
                before = yield exchange("middle", mine | FRESH)
            else:
                before = yield load("middle")
                yield store("middle", mine | FRESH)
            mine = before & ~FRESH
            if not takes("put: the value first"):
                yield store(f"first half {slot}", value)
                yield store(f"second half {slot}", value)
            due = not before & FRESH if takes("put: a record for each fresh value") else value == 1
            if due:
                records += 1
                yield store("records", records)

    def reader() -> Process:
        mine = 2
        seen = 0
        last = 0
        while last < VALUES:
            yield wait_for_change("records", seen)
            seen += 1
            middle = yield load("middle")
            if not middle & FRESH:
                continue
            if takes("take: exchange"):
                middle = yield exchange("middle", mine)
            else:
                yield store("middle", mine)
            mine = middle & ~FRESH
            first = yield load(f"first half {mine}")
            second = yield load(f"second half {mine}")
            if first != second:
                raise Violation(f"half of {first}, half of {second}")
            if first <= last:
                raise Violation(f"{first} after {last}")
            last = first

    halves = {f"{half} half {slot}": 0 for half in ("first", "second") for slot in range(3)}
    return Explorer({**halves, "middle": 1, "records": 0}, [writer, reader]).explore()
