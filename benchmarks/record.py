"""Answers as JSON, with all that is needed to compare them later."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks import machine
from benchmarks.settings import Settings
from benchmarks.turn_about import Answer, spread


def make_record(
    answers: Sequence[Answer], settings: Settings, command: Sequence[str]
) -> dict[str, Any]:
    """Return the whole run: machine, settings, libraries, and every figure of every round."""
    return {
        "machine": machine.facts(),
        "command": " ".join(command),
        "settings": {
            "rounds": settings.rounds,
            "seconds": settings.seconds,
            "time_limit_s": settings.time_limit_s,
            "reference": settings.reference,
        },
        "load_before": settings.load_before,
        "load_after": os.getloadavg()[0],  # our own two processes count too
        "libraries": settings.roster.versions,
        "missing": settings.roster.missing,
        "results": [entry for answer in answers for entry in entries(answer)],
    }


def entries(answer: Answer) -> list[dict[str, Any]]:
    """Return one entry for each taker of the answer."""
    question = answer.question
    found = []
    for taker in question.takers:
        entry: dict[str, Any] = {
            "benchmark": question.benchmark,
            "case": dict(question.labels),
            question.what_differs: taker,
        }
        if taker in answer.failures:
            entry["failure"] = str(answer.failures[taker])
        if answer.rounds.get(taker):
            entry["figures"] = {
                metric: summary(answer.values(taker, metric)) for metric in answer.metrics()
            }
        if ratios := answer.ratios(taker):
            entry["ratio"] = {
                "to": question.reference,
                "of": question.metric,
                "higher_is_better": question.higher_is_better,
                **summary(ratios),
            }
        found.append(entry)
    return found


def summary(values: list[float]) -> dict[str, Any]:
    """Return the median, the least, the most, and the values in the order of the rounds."""
    found = spread(values)
    return {**(asdict(found) if found else {}), "rounds": values}
