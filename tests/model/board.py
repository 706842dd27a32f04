"""The board as the models have it: shmzmq/shm/board.py and how socket_core.py waits, word by word.

Left out on purpose: spinning, which only puts the wait off, and the look at everything once a
second, which would hide what the models are to find.
"""

from collections.abc import Callable, Generator
from typing import Any

from model.steps import Step
from model.tso import (
    Operation,
    exchange,
    fence,
    fetch_or,
    load,
    signal,
    store,
    wait_for,
)

BOARD = "shm/board.py"
STEPS = (
    Step("sleep: fence", "sleep", BOARD, "Board.announce_sleep", "fence()"),
    Step(
        "sleep: second look",
        "sleep",
        BOARD,
        "Board.announce_sleep",
        "if load_relaxed(cython.address(self.header.news)) == 0:",
    ),
    Step(
        "tell: news is a full fence",
        "sleep",
        BOARD,
        "_tell",
        "exchange(cython.address(board.header.news), 1)",
    ),
    Step("post: the bit before news", "", BOARD, "_post", "fetch_or(word, mask)\n    _tell(board)"),
    Step(
        "take_news: full fence",
        "",
        BOARD,
        "Board.take_news",
        "exchange(cython.address(self.header.news), 0)",
    ),
    Step(
        "process_news: news before bits",
        "",
        "socket_core.py",
        "SocketCore.process_news",
        "board.take_news()\n        control",
    ),
)

Part = Generator[Operation, Any, Any]


def words(name: str, *bitmaps: str) -> dict[str, int]:
    """Return the words of the board called *name*, all 0."""
    return {f"{name}.{word}": 0 for word in ("news", "asleep", "bell", *bitmaps)}


def tell(takes: Callable[[str], bool], board: str) -> Part:
    """_tell: set news, and ring a sleeper."""
    if takes("tell: news is a full fence"):
        yield exchange(f"{board}.news", 1)
    else:
        yield store(f"{board}.news", 1)
    asleep = yield load(f"{board}.asleep")
    if asleep:
        taken = yield exchange(f"{board}.asleep", 0)
        if taken:
            yield signal(f"{board}.bell")


def post(takes: Callable[[str], bool], board: str, bitmap: str, mask: int) -> Part:
    """_post: set a bit, unless it is set, and tell."""
    bits = yield load(f"{board}.{bitmap}")
    if bits & mask:
        return
    if takes("post: the bit before news"):
        yield fetch_or(f"{board}.{bitmap}", mask)
        yield from tell(takes, board)
    else:
        yield from tell(takes, board)
        yield fetch_or(f"{board}.{bitmap}", mask)


def take_bits(takes: Callable[[str], bool], board: str, bitmap: str) -> Part:
    """process_news up to the bits of a bitmap, which it returns."""
    if takes("process_news: news before bits"):
        yield from _take_news(takes, board)
    bits = yield load(f"{board}.{bitmap}")
    if bits:
        bits = yield exchange(f"{board}.{bitmap}", 0)
    if not takes("process_news: news before bits"):
        yield from _take_news(takes, board)
    return bits


def _take_news(takes: Callable[[str], bool], board: str) -> Part:
    if takes("take_news: full fence"):
        yield exchange(f"{board}.news", 0)
    else:
        yield store(f"{board}.news", 0)


def sleep(takes: Callable[[str], bool], board: str) -> Part:
    """Spinner.sleep: announce it, look again, and wait for the doorbell."""
    yield store(f"{board}.asleep", 1)
    if takes("sleep: fence"):
        yield fence()
    if takes("sleep: second look"):
        news = yield load(f"{board}.news")
        if news:
            yield store(f"{board}.asleep", 0)
            return
    yield wait_for(f"{board}.bell")
    yield store(f"{board}.asleep", 0)
    yield signal(f"{board}.bell", 0)
