"""Put one question to several takers in turn, for some rounds, and compare within each round."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from benchmarks.children import ChildFailed

# One measurement: the name of each figure, with its unit, and the figure.
Figures = Mapping[str, float]
Taker = Callable[[], Figures]


@dataclass(frozen=True)
class Question:
    """What is asked, of whom, and which figure decides."""

    benchmark: str
    labels: Mapping[str, str | int]
    takers: Mapping[str, Taker]
    metric: str
    higher_is_better: bool
    reference: str | None  # the taker that the others are compared with
    what_differs: str = "library"

    def labelled(self, **labels: str | int) -> "Question":
        """Return the same question with more labels."""
        return replace(self, labels={**self.labels, **labels})


@dataclass
class Answer:
    """What came of a question: the figures of each round, and what went wrong."""

    question: Question
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    failures: dict[str, ChildFailed] = field(default_factory=dict)

    def metrics(self) -> list[str]:
        """Return the names of the figures, the deciding one first."""
        names = [name for rounds in self.rounds.values() for figures in rounds for name in figures]
        return list(dict.fromkeys([self.question.metric, *names]))

    def values(self, taker: str, metric: str) -> list[float]:
        """Return one figure of a taker over the rounds that it finished."""
        return [figures[metric] for figures in self.rounds.get(taker, [])]

    def ratios(self, taker: str) -> list[float]:
        """Return, for each round, how many times better than the reference the taker did."""
        reference = self.question.reference
        if reference is None or taker == reference:
            return []
        pairs = zip(
            self.values(taker, self.question.metric),
            self.values(reference, self.question.metric),
            strict=False,  # one that failed has fewer rounds
        )
        if self.question.higher_is_better:
            return [mine / its for mine, its in pairs if its]
        return [its / mine for mine, its in pairs if mine]


@dataclass(frozen=True)
class Spread:
    """The middle and the ends of some figures."""

    median: float
    least: float
    most: float


def spread(values: list[float]) -> Spread | None:
    """Return the spread of `values`, or None when there are none."""
    if not values:
        return None
    return Spread(statistics.median(values), min(values), max(values))


def ask(question: Question, rounds: int, tick: Callable[[str], None]) -> Answer:
    """Let every taker answer once a round: A B A B.

    tick: called before each measurement with the name of the taker.
    A taker that fails is not asked again; its failure stands in the answer.
    """
    answer = Answer(question)
    for _ in range(rounds):
        for name, taker in question.takers.items():
            tick(name)
            if name in answer.failures:
                continue
            try:
                answer.rounds.setdefault(name, []).append(taker())
            except ChildFailed as failure:
                answer.failures[name] = failure
    return answer
