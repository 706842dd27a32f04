"""No wake-up is lost and no half message read in any interleaving.

And each step is needed for that.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from model.protocols import MODELS, SWITCHES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", MODELS)
def test_should_find_no_violation_in_the_protocol_as_it_is(name: str) -> None:
    outcome = MODELS[name]().run()
    assert outcome.violation is None, "\n".join(outcome.trace)
    # The model is no toy: this many ways to go wrong were looked at.
    assert outcome.states > 100


@pytest.mark.parametrize("switch", SWITCHES)
def test_should_find_the_loss_when_a_step_is_taken_out(switch: str) -> None:
    outcome = MODELS[SWITCHES[switch].model](switch).run()
    assert outcome.violation is not None, f"{switch!r} does not matter to the model"
    assert outcome.trace


@pytest.mark.parametrize("switch", SWITCHES)
def test_should_have_each_step_where_the_model_says(switch: str) -> None:
    place = SWITCHES[switch]
    body = _function_body(ROOT / place.file, place.function)
    assert place.words in " ".join(body.split()), f"{place.function} lacks {place.words!r}"


def test_should_let_a_load_pass_an_earlier_store() -> None:
    """The explorer itself: without fences both sides of Dekker's test can miss each other."""
    from model.explorer import Explorer, check, fence, label, load, store

    def side(mine: str, theirs: str, *, fenced: bool) -> list[object]:
        return [store(mine, 1), *([fence()] if fenced else []), load("seen", theirs), label("end")]

    for fenced, expected in ((True, False), (False, True)):
        first = [*side("x", "y", fenced=fenced), store("seen_x", lambda r: r["seen"] + 1)]
        second = [
            *side("y", "x", fenced=fenced),
            load("other", "seen_x"),
            check(lambda r: not (r["seen"] == 0 and r["other"] == 1), "both missed"),
        ]
        programs = {"first": first, "second": second}
        outcome = Explorer(dict.fromkeys(("x", "y", "seen_x"), 0), programs).run()  # type: ignore[arg-type]
        assert (outcome.violation == "both missed") is expected


def _function_body(path: Path, name: str) -> str:
    """Return the source of the function *name*: from its def to the next line indented no deeper."""
    lines = path.read_text().splitlines()
    starts = [i for i, line in enumerate(lines) if line.lstrip().startswith(f"def {name}(")]
    assert starts, f"{path.name} has no function {name}"
    bodies = []
    for start in starts:
        indent = len(lines[start]) - len(lines[start].lstrip())
        end = start + 1
        while end < len(lines) and (
            not lines[end].strip()
            or len(lines[end]) - len(lines[end].lstrip()) > indent
            or lines[end].lstrip().startswith(")")
        ):
            end += 1
        bodies.append(inspect.cleandoc("\n".join(lines[start:end])))
    return "\n".join(bodies)
