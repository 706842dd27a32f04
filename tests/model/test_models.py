"""The lock-free steps, all interleavings: together they are enough, and none can be left out."""

from collections.abc import Callable
from functools import partial

import pytest
from model import attach, box, claim, leave, lent, ring, room, wake
from model.steps import Step
from model.tso import Result
from support.sources import compiled_sources, pair_places, source_of

Explore = Callable[..., Result]

MODELS: dict[str, tuple[Explore, tuple[Step, ...], int]] = {
    # how to explore it, its steps, and how many states there are at least
    "wake": (wake.explore, wake.STEPS, 50_000),
    "room": (room.explore, room.STEPS, 20_000),
    "memory": (partial(room.explore, for_memory=True), room.MEMORY_STEPS, 20_000),
    "attach": (attach.explore, attach.STEPS, 10_000),
    "leave": (leave.explore, leave.STEPS, 100),
    "claim": (claim.explore, claim.STEPS, 100),
    "lent": (lent.explore, lent.STEPS, 1_000),
    "box": (box.explore, box.STEPS, 300),
    "ring": (ring.explore, ring.STEPS, 1_000),
}
EACH_STEP = [(model, step) for model, (_, steps, _) in MODELS.items() for step in steps]
ALL_STEPS = sorted({step for _, step in EACH_STEP} | set(attach.SPARE))


@pytest.mark.parametrize("model", MODELS)
def test_should_find_no_violation_with_all_steps_in_place(model: str) -> None:
    explore, _, least = MODELS[model]
    result = explore()
    assert result.violation is None, "\n".join(result.trace)
    assert result.states >= least


@pytest.mark.parametrize(
    ("model", "step"), EACH_STEP, ids=[f"{model}-{step.name}" for model, step in EACH_STEP]
)
def test_should_find_a_violation_when_a_step_is_taken_out(model: str, step: Step) -> None:
    result = MODELS[model][0](step.name)
    assert result.violation is not None
    assert result.trace


def test_should_find_no_violation_with_one_sender_of_many_messages() -> None:
    assert wake.explore(counts=(4,)).violation is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
@pytest.mark.parametrize("report", [1, 2, 3])
def test_should_find_room_whatever_the_mark(limit: int, report: int) -> None:
    assert room.explore(limit=limit, report=report).violation is None


def test_should_attach_without_any_of_the_spare_steps() -> None:
    """What is written down as spare is. When this fails, a step has become one that is needed."""
    result = attach.explore(spare=False)
    assert result.violation is None, "\n".join(result.trace)


@pytest.mark.parametrize("step", ALL_STEPS, ids=[step.name for step in ALL_STEPS])
def test_should_have_each_step_where_the_model_says(step: Step) -> None:
    source = source_of(step.path, step.function)
    assert " ".join(step.text.split()) in " ".join(source.split())
    if step.pair:
        assert step.pair in PAIRS


PAIRS = pair_places(compiled_sources())


def test_should_have_every_side_of_every_pair_in_a_model() -> None:
    """A fence that no model can take out has been shown neither to be needed nor spare."""
    modelled = {(step.pair, step.path, step.function) for step in ALL_STEPS}
    for name, places in PAIRS.items():
        missing = {
            (name, place.path, place.function) for place in places if "fence" in place.operations
        } - modelled
        assert not missing
