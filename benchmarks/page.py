"""The tables of docs/comparison.md, made from a record of `compare`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import compare, latency, throughput
from benchmarks.figures import format_figure, format_size
from benchmarks.series import Curves, circumstances, curves, packages

PAGE = "comparison.md"
BEGINS, ENDS = "<!-- figures -->\n", "<!-- /figures -->"


def refresh(record: Mapping[str, Any], directory: Path) -> list[Path]:
    """Put the record's tables into the page in `directory`, if there is one; return the page.

    Raises: KeyError or ValueError for what is no record of `compare`, or a page without marks.
    """
    page = directory / PAGE
    if not page.exists():
        return []
    text = page.read_text(encoding="utf-8")
    before, begins, rest = text.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not (begins and ends):
        raise ValueError(f"{page} does not have {BEGINS.strip()} and {ENDS} to write between")
    page.write_text(before + begins + tables(record) + ends + after, encoding="utf-8")
    return [page]


def tables(record: Mapping[str, Any]) -> str:
    """Return both tables with a line about where they come from."""
    rates = curves(record, compare.RATE, throughput.METRIC)
    trips = curves(record, compare.ROUND_TRIP, latency.METRIC)
    reference = record["settings"]["reference"]
    missing = "".join(f" Not measured: {why}." for why in sorted({*record["missing"].values()}))
    return "\n".join(
        [
            f"Measured: {circumstances(record)}; {packages(record)}.{missing}",
            "",
            f"Messages/s, and how many times {reference}'s:",
            "",
            *table(rates, format_rate),
            "",
            f"Round trip, median, and how many times shorter than {reference}'s:",
            "",
            *table(trips, format_time),
            "",
        ]
    )


def table(found: Curves, form: Any) -> Iterator[str]:
    """Yield the lines of a Markdown table, a row for each library and a column for each size."""
    sizes = sorted({point.size for curve in found.values() for point in curve})
    yield "| | " + " | ".join(format_size(size) for size in sizes) + " |"
    yield "|---" + "|---:" * len(sizes) + "|"
    for name, curve in found.items():
        by_size = {point.size: point for point in curve}
        cells = []
        for size in sizes:
            point = by_size.get(size)
            ratio = f" ({format_figure(point.ratio)})" if point and point.ratio else ""
            cells.append(form(point.median) + ratio if point else "")
        yield f"| {name} | " + " | ".join(cells) + " |"


def format_rate(value: float) -> str:
    """Return a rate in about three digits."""
    for factor, suffix in ((1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.3g}{suffix}"
    return f"{value:.3g}"


def format_time(microseconds: float) -> str:
    """Return a time given in µs in about three digits."""
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= factor:
            return f"{microseconds / factor:.3g} {unit}"
    return f"{microseconds:.3g} µs"
