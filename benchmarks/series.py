"""The curves in a record of `compare`: a figure of each library, by message size."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Point(NamedTuple):
    """The median at one size, and how many times better than the reference it is, if known."""

    size: int
    median: float
    ratio: float | None


Curves = dict[str, list[Point]]


def curves(record: Mapping[str, Any], benchmark: str, metric: str) -> Curves:
    """Return the curve of each library in the record's order, its sizes ascending.

    Raises: ValueError when the record has no such figures.
    """
    found: Curves = {}
    for entry in record["results"]:
        if entry["benchmark"] == benchmark and metric in entry.get("figures", {}):
            ratio = entry.get("ratio", {}).get("median")
            point = Point(entry["case"]["size"], entry["figures"][metric]["median"], ratio)
            found.setdefault(entry["library"], []).append(point)
    if not found:
        raise ValueError(f"it has no figures of {benchmark}")
    return {name: sorted(points) for name, points in found.items()}


def in_place(name: str) -> bool:
    """Return whether this is a library in a style without copies."""
    return "," in name


def library_of(name: str) -> str:
    """Return the library's own name, without the style."""
    return name.partition(",")[0]


def circumstances(record: Mapping[str, Any]) -> str:
    """Return when and on what the figures were measured, and how busy that was."""
    machine = record["machine"]
    return (
        f"{machine['date'][:10]}, {machine['cpus']} CPUs ({machine['processor']}), "
        f"{machine['kernel']}, {machine['python']}, load {record['load_before']:.1f} before the "
        f"run and {record['load_after']:.1f} after it, medians of "
        f"{record['settings']['rounds']} rounds"
    )


def packages(record: Mapping[str, Any]) -> str:
    """Return the packages that were measured, each once, with their versions."""
    return ", ".join(
        f"{name} {version}"
        for name, version in record["libraries"].items()
        if not in_place(name) and not version.startswith("Python ")
    )
