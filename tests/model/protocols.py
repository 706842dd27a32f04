"""The lock-free protocols of shmzmq, step by step as the code has them, for the explorer.

Each step that a wake-up hangs on is a *switch*: a model can be built without it, and a test shows
that the explorer then finds the loss. SWITCHES ties every switch to the place in the code where the
step stands, which another test looks up.
"""

from __future__ import annotations

from typing import NamedTuple

from model.explorer import (
    Explorer,
    Step,
    await_word,
    check,
    exchange,
    fence,
    goto,
    jump_if,
    label,
    let,
    load,
    ring,
    store,
    wait_for_bell,
)


class Switch(NamedTuple):
    """A step that matters: which model has it, where the code has it, and the words that stand there."""

    model: str
    file: str
    function: str
    words: str


SWITCHES: dict[str, Switch] = {
    "publish releases": Switch(
        "publish",
        "shmzmq/shm/ring.py",
        "publish",
        "store_release(cython.address(self.control.tail)",
    ),
    "free releases": Switch(
        "publish",
        "shmzmq/shm/ring.py",
        "advance",
        "store_release(cython.address(self.control.head)",
    ),
    "flush fences": Switch("sleep", "shmzmq/pipe.py", "flush", "fence()"),
    "rest fences": Switch("sleep", "shmzmq/pipe.py", "rest", "fence()"),
    "rest looks again": Switch("sleep", "shmzmq/pipe.py", "rest", "self.inbound.is_empty()"),
    "sleep fences": Switch("sleep", "shmzmq/shm/board.py", "announce_sleep", "fence()"),
    "sleep looks again": Switch(
        "sleep",
        "shmzmq/shm/board.py",
        "announce_sleep",
        "load_relaxed(cython.address(self.header.news))",
    ),
    "tell fences": Switch(
        "sleep", "shmzmq/shm/board.py", "_tell", "exchange(cython.address(board.header.news), 1)"
    ),
    "the bit before news": Switch("sleep", "shmzmq/shm/board.py", "_post", "fetch_or(word, mask)"),
    "news cleared before the bits": Switch(
        "sleep", "shmzmq/socket_base.py", "process_news", "board.take_news()"
    ),
    "park fences": Switch("room", "shmzmq/pipe.py", "park", "fence()"),
    "park looks again": Switch("room", "shmzmq/pipe.py", "park", "self.can_write()"),
    "report fences": Switch("room", "shmzmq/pipe.py", "report_room", "fence()"),
    "flush looks at attached": Switch("attach", "shmzmq/pipe.py", "flush", "out.control.attached"),
    "flush fences for attach": Switch("attach", "shmzmq/pipe.py", "flush", "fence()"),
    "attend fences": Switch("attach", "shmzmq/pipe.py", "attend", "fence()"),
}


def _unless(left_out: bool, *steps: Step) -> list[Step]:
    return [] if left_out else list(steps)


# -- posting on a board and sleeping on it (shmzmq/shm/board.py) -----------------------------------


def _post(bit: str, end: str, without: str | None) -> list[Step]:
    """Board._post and _tell: set the bit, then news, then ring if the owner sleeps."""
    set_bit = [exchange("old", bit, 1)]
    news = [exchange("old", "news", 1)] if without != "tell fences" else [store("news", 1)]
    posted = [*news, *set_bit] if without == "the bit before news" else [*set_bit, *news]
    return [
        load("told", bit),
        jump_if(lambda r: r["told"] == 1, end),
        *posted,
        load("sleeps", "asleep"),
        jump_if(lambda r: r["sleeps"] == 0, end),
        exchange("sleeps", "asleep", 0),
        jump_if(lambda r: r["sleeps"] == 0, end),
        ring("bell"),
    ]


def _sleep(awake: str, without: str | None) -> list[Step]:
    """Board.announce_sleep and Spinner.sleep; goes on at *awake*."""
    return [
        store("asleep", 1, release=True),
        *_unless(without == "sleep fences", fence()),
        *_unless(
            without == "sleep looks again",
            load("news", "news"),
            jump_if(lambda r: r["news"] == 1, "not asleep"),
        ),
        wait_for_bell("bell"),
        label("not asleep"),
        store("asleep", 0, release=True),
        goto(awake),
    ]


def _take(bit: str, without: str | None) -> list[Step]:
    """SocketBase.process_news: clear news, then take the bits."""
    clear_news, take_bit = exchange("old", "news", 0), exchange("bit", bit, 0)
    if without == "news cleared before the bits":
        return [take_bit, clear_news]
    return [clear_news, take_bit]


# -- the models ------------------------------------------------------------------------------------


def publish_model(without: str | None = None) -> Explorer:
    """A ring of one place: two parts a message, each message whole, once, in order; the place reused.

    Pairs "publish" and "free". The parts of message k hold k.
    """
    messages = 3
    producer: list[Step] = []
    for k in range(1, messages + 1):
        producer += [
            await_word("head", lambda head, _, k=k: head >= k - 1),
            store("part1", k),
            store("part2", k),
            store("tail", k, release=without != "publish releases"),
        ]
    consumer: list[Step] = []
    for k in range(1, messages + 1):
        consumer += [
            await_word("tail", lambda tail, _, k=k: tail >= k),
            load("a", "part1"),
            load("b", "part2"),
            store("read1", lambda r: r["a"]),
            store("read2", lambda r: r["b"]),
            store("head", k, release=without != "free releases"),
            check(lambda r, k=k: r["a"] == r["b"] == k, "half a message, or another one"),
        ]
    observer: list[Step] = []
    for k in range(1, messages + 1):
        # Who sees head >= k must see what was read of message k: the copy out was made before.
        observer += [
            await_word("head", lambda head, _, k=k: head >= k),
            load("a", "read1"),
            load("b", "read2"),
            check(lambda r, k=k: r["a"] >= k and r["b"] >= k, "freed before it was read"),
        ]
    words = ("head", "tail", "part1", "part2", "read1", "read2")
    programs = {"producer": producer, "consumer": consumer, "observer": observer}
    return Explorer(dict.fromkeys(words, 0), programs)


def sleep_model(without: str | None = None) -> Explorer:
    """A producer publishes three messages and goes; the consumer, attentive at first, receives all.

    Pairs "ready" and "sleep": Pipe.flush and Board._post against FairQueue.rest, Pipe.rest and
    Board.announce_sleep.
    """
    messages = 3
    producer: list[Step] = []
    for k in range(1, messages + 1):
        end = f"published {k}"
        producer += [
            store("tail", k, release=True),
            *_unless(without == "flush fences", fence()),
            load("attentive", "attentive"),
            jump_if(lambda r: r["attentive"] == 1, end),
            *_post("ready", end, without),
            label(end),
        ]
    consumer: list[Step] = [
        let("active", 1),
        label("look"),
        load("news", "news"),
        jump_if(lambda r: r["news"] == 0, "read"),
        *_take("ready", without),
        jump_if(lambda r: r["bit"] == 0 or r["active"] == 1, "read"),
        let("active", 1),  # FairQueue.activate, Pipe.attend
        store("attentive", 1, release=True),
        fence(),
        label("read"),
        jump_if(lambda r: r["active"] == 0, "sleep"),
        load("tail", "tail"),
        check(lambda r: r["tail"] >= r["head"], "the tail went back"),
        let("head", lambda r: r["tail"]),
        jump_if(lambda r: r["head"] == messages, "done"),
        store("attentive", 0, release=True),  # Pipe.rest
        *_unless(without == "rest fences", fence()),
        *_unless(
            without == "rest looks again",
            load("tail", "tail"),
            jump_if(lambda r: r["tail"] == r["head"], "resting"),
            store("attentive", 1, release=True),
            goto("read"),
        ),
        label("resting"),
        let("active", 0),
        label("sleep"),
        *_sleep("look", without),
        label("done"),
    ]
    memory = {"tail": 0, "attentive": 1, "ready": 0, "news": 0, "asleep": 0, "bell": 0}
    return Explorer(memory, {"producer": producer, "consumer": consumer})


def room_model(without: str | None = None) -> Explorer:
    """A producer with room for one message sends three; the consumer reads whatever comes.

    Pair "room": Pipe.park against Pipe.report_room, with the producer's board in between.
    """
    messages = 3
    producer: list[Step] = []
    for k in range(1, messages + 1):
        again, send, park = f"again {k}", f"send {k}", f"park {k}"
        producer += [
            label(again),
            load("read", "read"),
            jump_if(lambda r, k=k: r["read"] >= k - 1, send),
            label(park),
            store("waiting", 1, release=True),
            *_unless(without == "park fences", fence()),
            *_unless(
                without == "park looks again",
                load("read", "read"),
                jump_if(lambda r, k=k: r["read"] < k - 1, f"sleep {k}"),
                exchange("old", "waiting", 0),
                goto(send),
            ),
            label(f"sleep {k}"),
            *_renamed(_sleep(f"woken {k}", None), f" {k}"),
            label(f"woken {k}"),
            *_take("room", None),
            jump_if(lambda r: r["bit"] == 0, f"sleep {k}"),  # woken for something else
            load("read", "read"),
            jump_if(lambda r, k=k: r["read"] < k - 1, park),
            label(send),
            store("tail", k, release=True),
        ]
    consumer: list[Step] = []
    for k in range(1, messages + 1):
        end = f"reported {k}"
        consumer += [
            await_word("tail", lambda tail, _, k=k: tail >= k),
            store("read", k, release=True),
            *_unless(without == "report fences", fence()),
            load("waits", "waiting"),
            jump_if(lambda r: r["waits"] == 0, end),
            exchange("waits", "waiting", 0),
            jump_if(lambda r: r["waits"] == 0, end),
            *_post("room", end, None),
            label(end),
        ]
    words = ("tail", "read", "waiting", "room", "news", "asleep", "bell")
    return Explorer(dict.fromkeys(words, 0), {"producer": producer, "consumer": consumer})


def attach_model(without: str | None = None) -> Explorer:
    """A producer that knows of no far end sends one message and does nothing more; the far end comes.

    Pair "attach": Pipe.flush against Pipe.attend. The worker has told the producer of its far end
    before the far end attends (see shmzmq/workers/handover.py), so that one can be looked up.
    """
    look_at_attached = without != "flush looks at attached"
    producer = [
        store("tail", 1, release=True),
        *_unless(without == "flush fences for attach", fence()),
        load("attentive", "attentive"),
        jump_if(lambda r: r["attentive"] == 1, "published"),
        *_unless(
            not look_at_attached,
            load("attached", "attached"),
            jump_if(lambda r: r["attached"] == 0, "published"),
            *_post("ready", "published", None),  # Pipe.attach, once the worker's word is read
        ),
        label("published"),
    ]
    consumer = [
        store("attached", 1, release=True),
        store("attentive", 1, release=True),
        *_unless(without == "attend fences", fence()),
        load("tail", "tail"),
        jump_if(lambda r: r["tail"] == 1, "done"),
        label("again"),
        store("attentive", 0, release=True),
        *_unless(without == "attend fences", fence()),
        load("tail", "tail"),
        jump_if(lambda r: r["tail"] == 1, "done"),
        label("sleep"),
        *_sleep("woken", None),
        label("woken"),
        *_take("ready", None),
        load("tail", "tail"),
        jump_if(lambda r: r["tail"] == 0, "sleep"),
        label("done"),
    ]
    words = ("tail", "attentive", "attached", "ready", "news", "asleep", "bell")
    return Explorer(dict.fromkeys(words, 0), {"producer": producer, "consumer": consumer})


MODELS = {
    "publish": publish_model,
    "sleep": sleep_model,
    "room": room_model,
    "attach": attach_model,
}


def _renamed(steps: list[Step], suffix: str) -> list[Step]:
    """Return *steps* with their inner label made unique, for a second copy in one program."""
    inner = {step.operands[0] for step in steps if step.kind == "label"}
    renamed = []
    for step in steps:
        if step.kind == "label":
            step = label(step.operands[0] + suffix)
        elif step.kind == "if" and step.operands[1] in inner:
            step = jump_if(step.operands[0], step.operands[1] + suffix)
        renamed.append(step)
    return renamed
