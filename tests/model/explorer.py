"""An explicit-state model checker for a few small programs that share memory.

Every interleaving is explored, and every order in which stores may become visible: a program's stores
go into a buffer of its own first. Stores to one word stay in order; stores to different words may
overtake each other, but a release store waits for all before it. A program reads its own buffered
stores. A fence and a read-modify-write wait until the buffer is empty. That is weaker than x86-64
(which keeps all stores in order), so what holds here holds there; what it shares with it is that a
load may pass an earlier store, which is what the full fences in the code are for. Loads themselves
are not reordered.

A state in which nobody can go on and somebody is not done is a lost wake-up. A `check` that does not
hold is a violation too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Registers = dict[str, int]
Value = int | Callable[[Registers], int]


@dataclass(frozen=True)
class Step:
    """One instruction: its kind and operands."""

    kind: str
    operands: tuple[Any, ...] = ()


def label(name: str) -> Step:
    """A place to jump to."""
    return Step("label", (name,))


def store(word: str, value: Value, *, release: bool = False) -> Step:
    """Put *value* into the buffer; *release*: not visible before any store made earlier."""
    return Step("store", (word, value, release))


def load(register: str, word: str) -> Step:
    """Read *word*, from the own buffer where it is there."""
    return Step("load", (register, word))


def exchange(register: str, word: str, value: Value) -> Step:
    """Read and write *word* at once; waits for the buffer."""
    return Step("exchange", (register, word, value))


def fence() -> Step:
    """Wait until all own stores are visible."""
    return Step("fence")


def goto(target: str) -> Step:
    """Jump."""
    return Step("if", (lambda _: True, target))


def jump_if(condition: Callable[[Registers], bool], target: str) -> Step:
    """Jump when *condition* holds for the registers."""
    return Step("if", (condition, target))


def let(register: str, value: Value) -> Step:
    """Set a register."""
    return Step("let", (register, value))


def ring(bell: str) -> Step:
    """Ring a doorbell: a system call, which goes past the store buffer."""
    return Step("ring", (bell,))


def wait_for_bell(bell: str) -> Step:
    """Block until the doorbell has been rung, and silence it."""
    return Step("wait", (bell,))


def await_word(word: str, condition: Callable[[int, Registers], bool]) -> Step:
    """Block until *word* in memory is as wanted: a reader or writer that spins."""
    return Step("await", (word, condition))


def check(condition: Callable[[Registers], bool], claim: str) -> Step:
    """It is a violation of *claim* when *condition* does not hold here."""
    return Step("check", (condition, claim))


@dataclass(frozen=True)
class Outcome:
    """What exploring came to: how many states there were, and how the first violation came about."""

    states: int
    violation: str | None = None
    trace: tuple[str, ...] = ()


# A program's part of a state: instruction, registers, buffered stores (word, value, release).
_Local = tuple[int, tuple[int, ...], tuple[tuple[int, int, bool], ...]]
_State = tuple[tuple[int, ...], tuple[_Local, ...]]


class _Violation(Exception):
    """A check failed."""


@dataclass
class Explorer:
    """Explores *programs* (by name) from the values in *memory* on, up to *limit* states."""

    memory: dict[str, int]
    programs: dict[str, Sequence[Step]]
    limit: int = 2_000_000
    _words: list[str] = field(init=False)
    _registers: list[list[str]] = field(init=False)
    _labels: list[dict[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        self._words = list(self.memory)
        self._registers = [_registers_of(steps) for steps in self.programs.values()]
        self._labels = [
            {step.operands[0]: i for i, step in enumerate(steps) if step.kind == "label"}
            for steps in self.programs.values()
        ]

    def run(self) -> Outcome:
        """Visit every state that can be reached, or stop at the first violation."""
        start: _State = (
            tuple(self.memory.values()),
            tuple((0, (0,) * len(names), ()) for names in self._registers),
        )
        came_from: dict[_State, tuple[_State, str] | None] = {start: None}
        pending = [start]
        while pending:
            state = pending.pop()
            try:
                successors = self._successors(state)
            except _Violation as violation:
                return Outcome(len(came_from), str(violation), self._trace(came_from, state))
            if not successors and not self._all_done(state):
                return Outcome(len(came_from), "lost wake-up", self._trace(came_from, state))
            for successor, how in successors:
                if successor not in came_from:
                    came_from[successor] = (state, how)
                    pending.append(successor)
            if len(came_from) > self.limit:
                raise RuntimeError(f"more than {self.limit} states: make the model smaller")
        return Outcome(len(came_from))

    def _successors(self, state: _State) -> list[tuple[_State, str]]:
        found = []
        for index, name in enumerate(self.programs):
            for memory, local, how in self._moves(state[0], state[1][index], index):
                locals_ = (*state[1][:index], local, *state[1][index + 1 :])
                found.append(((memory, locals_), f"{name}: {how}"))
        return found

    def _moves(
        self, memory: tuple[int, ...], local: _Local, index: int
    ) -> list[tuple[tuple[int, ...], _Local, str]]:
        """Every way in which one program, or its store buffer, can go on."""
        pc, registers, buffer = local
        moves = []
        for i in _flushable(buffer):
            word, value, _ = buffer[i]
            rest = (*buffer[:i], *buffer[i + 1 :])
            how = f"{self._words[word]} = {value} becomes visible"
            moves.append((_with(memory, word, value), (pc, registers, rest), how))
        steps = list(self.programs.values())[index]
        if pc < len(steps):
            done = self._execute(steps[pc], memory, local, index)
            if done is not None:
                moves.append((*done, f"{pc} {steps[pc].kind} {steps[pc].operands[:2]}"))
        return moves

    def _execute(
        self, step: Step, memory: tuple[int, ...], local: _Local, index: int
    ) -> tuple[tuple[int, ...], _Local] | None:
        """Carry out one instruction; None when it has to wait."""
        pc, registers, buffer = local
        names = self._registers[index]
        values = dict(zip(names, registers, strict=True))
        after = pc + 1
        match step.kind, step.operands:
            case "store", (word, value, release):
                buffer = (*buffer, (self._words.index(word), _evaluate(value, values), release))
            case "load", (register, word):
                values[register] = _visible(self._words.index(word), memory, buffer)
            case "exchange", (register, word, value):
                if buffer:
                    return None
                place = self._words.index(word)
                values[register] = memory[place]
                memory = _with(memory, place, _evaluate(value, values))
            case "fence", _:
                if buffer:
                    return None
            case "if", (condition, target):
                if condition(values):
                    after = self._labels[index][target]
            case "let", (register, value):
                values[register] = _evaluate(value, values)
            case "ring", (bell,):
                memory = _with(memory, self._words.index(bell), 1)
            case "wait", (bell,):
                place = self._words.index(bell)
                if not memory[place]:
                    return None
                memory = _with(memory, place, 0)
            case "await", (word, condition):
                if not condition(_visible(self._words.index(word), memory, buffer), values):
                    return None
            case "check", (condition, claim):
                if not condition(values):
                    raise _Violation(claim)
        return memory, (after, tuple(values[name] for name in names), buffer)

    def _all_done(self, state: _State) -> bool:
        programs = self.programs.values()
        return all(
            local[0] >= len(steps) for local, steps in zip(state[1], programs, strict=True)
        )

    @staticmethod
    def _trace(
        came_from: dict[_State, tuple[_State, str] | None], state: _State
    ) -> tuple[str, ...]:
        steps = []
        while (origin := came_from[state]) is not None:
            state, how = origin
            steps.append(how)
        return tuple(reversed(steps))


def _flushable(buffer: tuple[tuple[int, int, bool], ...]) -> list[int]:
    """Which buffered stores may become visible next."""
    found = []
    for i, (word, _, release) in enumerate(buffer):
        earlier = buffer[:i]
        if not (release and earlier) and all(other[0] != word for other in earlier):
            found.append(i)
    return found


def _visible(
    word: int, memory: tuple[int, ...], buffer: tuple[tuple[int, int, bool], ...]
) -> int:
    for other, value, _ in reversed(buffer):
        if other == word:
            return value
    return memory[word]


def _with(memory: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*memory[:place], value, *memory[place + 1 :])


def _evaluate(value: Value, registers: Registers) -> int:
    return value(registers) if callable(value) else value


def _registers_of(steps: Sequence[Step]) -> list[str]:
    writers = ("load", "exchange", "let")
    return list(dict.fromkeys(step.operands[0] for step in steps if step.kind in writers))
