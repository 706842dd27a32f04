"""Lock-free code comes in pairs: every named pair stands on a release and on an acquire side."""

import re

import pytest
from support.sources import ACQUIRES, PACKAGE, RELEASES, Place, compiled_sources, pair_places

SOURCES = compiled_sources()
PAIRS = pair_places(SOURCES)


def complaints(sources: dict[str, str]) -> list[str]:
    """Return what is wrong with the pairs that the comments of *sources* name."""
    found = []
    for name, places in pair_places(sources).items():
        found += [f'"{name}" at {place}: no atomic' for place in places if not place.operations]
        releases = {place for place in places if place.operations & RELEASES}
        acquires = {place for place in places if place.operations & ACQUIRES}
        # A fence is both; then the other side must be another function.
        if not any(a.function != b.function for a in releases for b in acquires):
            found.append(f'"{name}" stands on one side only: {", ".join(map(str, places))}')
    return found


def sides_of(places: list[Place]) -> list[list[Place]]:
    """Return the places of a pair by side; a fence may be either, so each of two is a side."""
    pure_releases = [place for place in places if not place.operations & ACQUIRES]
    if pure_releases:
        return [pure_releases, [place for place in places if place not in pure_releases]]
    return [[place] for place in places]


def named_in_prose(sources: dict[str, str]) -> set[str]:
    """Return the pairs that the modules' docstrings explain."""
    return {
        name
        for text in sources.values()
        for name in re.findall(r'\bPair\s+"(\w+)"', text.split('"""')[1])
    }


def test_should_have_both_sides_of_every_pair() -> None:
    assert complaints(SOURCES) == []


def test_should_have_the_pairs_that_the_modules_explain() -> None:
    assert set(PAIRS) == named_in_prose(SOURCES)
    assert set(PAIRS) >= {"publish", "free", "ready", "room", "attach", "sleep"}


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_should_notice_when_one_side_is_taken_out(name: str) -> None:
    sides = sides_of(PAIRS[name])
    assert len(sides) == 2
    for side in sides:
        without = dict(SOURCES)
        for place in side:
            lines = without[place.path].splitlines()
            lines[place.line - 1] = lines[place.line - 1].replace(f'"{name}"', "some")
            without[place.path] = "\n".join(lines)
        assert any(f'"{name}"' in complaint for complaint in complaints(without))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("load_acquire(cython.address(self.control.tail))  # pair", "0  # pair"),
        ("fence()  # pair", "pass  # pair"),
        ("store_release(cython.address(self.control.head), self.head)  # pair", "pass  # pair"),
    ],
)
def test_should_notice_when_an_operation_is_taken_out(before: str, after: str) -> None:
    changed = {path: text.replace(before, after) for path, text in SOURCES.items()}
    assert changed != SOURCES
    assert complaints(changed)


def test_should_name_the_pair_of_every_fence() -> None:
    named = {(place.path, place.line) for places in PAIRS.values() for place in places}
    for path, text in SOURCES.items():
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(r"\bfence\(\)", line.split("#")[0]):
                assert (path, number) in named, f"{path}:{number}: {line.strip()}"


def test_should_spell_atomics_in_one_file_only() -> None:
    spelled = [
        path
        for pattern in ("*.py", "*.pxd", "*.pyx", "*.h")
        for path in PACKAGE.rglob(pattern)
        if re.search(r"__atomic_|__sync_|stdatomic|_Atomic", path.read_text())
    ]
    assert [str(path.relative_to(PACKAGE)) for path in spelled] == ["shm/atomics.pxd"]
