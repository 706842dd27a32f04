"""A small explicit-state model checker: every interleaving of a few processes on a TSO machine.

A process is a generator function that yields operations on shared words and gets their results
back; it reads like the code it is a model of. What it does between two yields is its own and
takes no time. Each process has a store buffer, as each CPU has: a store waits there, visible to
its own process only, until it is drained at some later moment, in order; a fence and every read-
modify-write drain it first. So a missing fence between a store and a load shows as an
interleaving in which both sides miss each other.

The explorer visits every state once, depth first. It reports a violation when a process raises
one, or when nobody can go on and somebody still waits. A process's state is where its generators
stand and what their local variables hold; therefore a process keeps everything in local variables
(numbers, text, tuples, lists, dataclasses of those) and never an operation's result in the middle
of an expression with another.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, is_dataclass
from types import CodeType
from typing import Any, NamedTuple

Process = Generator["Operation", Any, None]


class Violation(Exception):
    """A process saw what must not be."""


class Operation(NamedTuple):
    """What a process does to shared memory; made by the functions below."""

    kind: str
    word: str = ""
    value: Any = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.word} {self.value if self.kind != 'load' else ''}".strip()


def load(word: str) -> Operation:
    """Read a word: the process's own latest store, or memory."""
    return Operation("load", word)


def store(word: str, value: Any) -> Operation:
    """Write a word: into the process's store buffer."""
    return Operation("store", word, value)


def exchange(word: str, value: Any) -> Operation:
    """Write a word and return what it was, at once and with everything stored before."""
    return Operation("exchange", word, value)


def fetch_or(word: str, value: int) -> Operation:
    """Set bits of a word and return what it was, as exchange does."""
    return Operation("fetch_or", word, value)


def fence() -> Operation:
    """Make everything stored before visible."""
    return Operation("fence")


def wait_for(word: str) -> Operation:
    """Wait in the kernel until a word is not 0. Is no fence."""
    return Operation("wait", word)


def wait_for_change(word: str, seen: Any) -> Operation:
    """Wait until a word is not what was seen: stands for looking again and again."""
    return Operation("change", word, seen)


def signal(word: str, value: int = 1) -> Operation:
    """Write a word that the kernel keeps (a doorbell, a socket), at once. Is no fence."""
    return Operation("signal", word, value)


def choose(*options: Any) -> Operation:
    """Return any of the options: the explorer tries them all."""
    return Operation("choose", value=options)


class State(NamedTuple):
    """Memory, the processes' store buffers, and where each process stands (numbers of Local)."""

    memory: tuple[Any, ...]
    buffers: tuple[tuple[tuple[str, Any], ...], ...]
    places: tuple[int, ...]


class Result(NamedTuple):
    """How many states there are, and the first violation with the way to it."""

    states: int
    violation: str | None
    trace: tuple[str, ...]


@dataclass
class Local:
    """A place in a process: what it does next, and where each result leads."""

    inputs: tuple[Any, ...]
    operation: Operation | None
    problem: str | None
    following: dict[Any, int]


class Runner:
    """One process: its places, found by running its generator with the results it got before."""

    def __init__(self, start: Callable[[], Process]) -> None:
        self.name = getattr(start, "__name__", "process")
        self._start = start
        self._numbers: dict[Any, int] = {}
        self.places: list[Local] = []
        self.first = self._place(())

    def after(self, place: int, result: Any) -> int:
        """Return the place behind *place* when its operation returns *result*."""
        local = self.places[place]
        if result not in local.following:
            local.following[result] = self._place((*local.inputs, result))
        return local.following[result]

    def _place(self, inputs: tuple[Any, ...]) -> int:
        process = self._start()
        operation: Operation | None = None
        problem = None
        try:
            operation = next(process)
            for result in inputs:
                operation = process.send(result)
            key: Any = _standing(process)
        except StopIteration:
            operation, key = None, "end"
        except Violation as violation:
            operation, problem = None, str(violation)
            key = ("violation", problem)
        number = self._numbers.setdefault(key, len(self.places))
        if number == len(self.places):
            self.places.append(Local(inputs, operation, problem, {}))
        process.close()
        return number


def _standing(process: Any) -> tuple[Any, ...]:
    """Return where a generator and those it delegates to stand, with their local variables."""
    frames: list[tuple[CodeType, int, Any]] = []
    while process is not None and getattr(process, "gi_frame", None) is not None:
        frame = process.gi_frame
        frames.append((frame.f_code, frame.f_lasti, _frozen(dict(frame.f_locals))))
        process = process.gi_yieldfrom
    return tuple(frames)


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((name, _frozen(item)) for name, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    if is_dataclass(value) and not isinstance(value, type):
        return _frozen(vars(value))
    if value is None or isinstance(value, int | str | frozenset):
        return value
    if callable(value):
        return None
    raise TypeError(f"a process must not keep {value!r} in a local variable")


class Explorer:
    """Visits every state that *processes* can reach from *memory*."""

    def __init__(self, memory: dict[str, Any], processes: list[Callable[[], Process]]) -> None:
        self._index = {word: i for i, word in enumerate(memory)}
        self._runners = [Runner(process) for process in processes]
        self._start = State(
            tuple(memory.values()),
            ((),) * len(processes),
            tuple(runner.first for runner in self._runners),
        )

    def explore(self) -> Result:
        """Visit all states; stop at the first violation."""
        came_from: dict[State, tuple[State, str] | None] = {self._start: None}
        stack = [self._start]
        while stack:
            state = stack.pop()
            problem = self._problem(state)
            if problem is not None:
                return Result(len(came_from), problem, _trace(came_from, state))
            moves = list(self._moves(state))
            if not moves and (waiting := self._who_waits(state)):
                return Result(len(came_from), waiting, _trace(came_from, state))
            for label, following in moves:
                if following not in came_from:
                    came_from[following] = (state, label)
                    stack.append(following)
        return Result(len(came_from), None, ())

    def _problem(self, state: State) -> str | None:
        for runner, place in zip(self._runners, state.places, strict=True):
            if runner.places[place].problem is not None:
                return f"{runner.name}: {runner.places[place].problem}"
        return None

    def _who_waits(self, state: State) -> str | None:
        for runner, place in zip(self._runners, state.places, strict=True):
            operation = runner.places[place].operation
            if operation is not None:
                return f"{runner.name} waits for ever: {operation}"
        return None

    def _moves(self, state: State) -> Iterator[tuple[str, State]]:
        moves: list[tuple[str, State]] = []
        for number, runner in enumerate(self._runners):
            operation = runner.places[state.places[number]].operation
            if operation is not None and operation.kind == "store":
                # Nobody else sees a store go into its buffer: no need to try it later as well.
                yield self._step(state, number, operation)
                return
            if operation is not None and self._is_enabled(state, number, operation):
                options = operation.value if operation.kind == "choose" else (None,)
                moves += [self._step(state, number, operation, option) for option in options]
            if state.buffers[number]:
                moves.append(self._drain(state, number))
        yield from moves

    def _is_enabled(self, state: State, number: int, operation: Operation) -> bool:
        if operation.kind == "wait":
            return bool(state.memory[self._index[operation.word]])
        if operation.kind == "change":
            return bool(self._read(state, number, operation.word) != operation.value)
        return True

    def _read(self, state: State, number: int, word: str) -> Any:
        for stored, value in reversed(state.buffers[number]):
            if stored == word:
                return value
        return state.memory[self._index[word]]

    def _step(
        self, state: State, number: int, operation: Operation, option: Any = None
    ) -> tuple[str, State]:
        kind, word, value = operation
        memory, buffers = list(state.memory), list(state.buffers)
        result: Any = None
        if kind in ("load", "change"):
            result = self._read(state, number, word)
        elif kind == "store":
            buffers[number] = (*buffers[number], (word, value))
        elif kind == "choose":
            result = option
        elif kind == "wait":
            result = memory[self._index[word]]
        elif kind == "signal":
            memory[self._index[word]] = value
        else:  # fence, exchange, fetch_or
            for stored, pending in buffers[number]:
                memory[self._index[stored]] = pending
            buffers[number] = ()
            if kind != "fence":
                result = memory[self._index[word]]
                memory[self._index[word]] = value if kind == "exchange" else result | value
        places = list(state.places)
        places[number] = self._runners[number].after(places[number], result)
        shown = f"{self._runners[number].name}: {operation}"
        shown += f" -> {result}" if result is not None else ""
        return shown, State(tuple(memory), tuple(buffers), tuple(places))

    def _drain(self, state: State, number: int) -> tuple[str, State]:
        (word, value), *rest = state.buffers[number]
        memory, buffers = list(state.memory), list(state.buffers)
        memory[self._index[word]] = value
        buffers[number] = tuple(rest)
        label = f"{self._runners[number].name}: {word} = {value} becomes visible"
        return label, State(tuple(memory), tuple(buffers), state.places)


def _trace(came_from: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    labels = []
    step = came_from[state]
    while step is not None:
        state, label = step
        labels.append(label)
        step = came_from[state]
    return tuple(reversed(labels))
