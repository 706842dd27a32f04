"""Plots of a record of `compare`: rate and round trip against message size."""

from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from benchmarks import compare, latency, memcpy, throughput
from benchmarks.figures import format_size
from benchmarks.series import Curves, Point, circumstances, curves, in_place, library_of, packages

# Colours that people who see few colours can tell apart (Okabe and Ito, 2008), and a marker each.
LOOKS: Mapping[str, tuple[str, str]] = {
    "shmzmq": ("#D55E00", "o"),
    "pyzmq": ("#0072B2", "s"),
    "shared_memory": ("#009E73", "^"),
    "iceoryx2": ("#CC79A7", "D"),
    "faster-fifo": ("#E69F00", "v"),
    "pynng": ("#56B4E9", "P"),
    "mp.Pipe": ("#000000", "X"),
    "mp.Queue": ("#777777", "<"),
    memcpy.NAME: ("#999999", ""),
}
UNKNOWN_LOOK = ("#444444", "*")  # one that was added on the command line

MARGIN = 4  # times, above and below all curves, so that the labels find room
LABEL_GAP = 0.045  # between labels, as a fraction of the height of the axes
DOTS_PER_INCH = 110
STYLE: Any = {
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "shmzmq",  # so that the same record makes the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
}


class Sheet(NamedTuple):
    """One figure: the curves it shows, and how."""

    name: str
    benchmark: str
    metric: str
    title: str
    y_label: str
    y_format: Any


def short_number(value: float, _: object = None) -> str:
    """Return a number as 1, 10, 1 k or 1 M."""
    for factor, suffix in ((1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:g}{suffix}"
    return f"{value:g}"


def short_time(microseconds: float, _: object = None) -> str:
    """Return a time in µs, ms or s."""
    for factor, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= factor:
            return f"{microseconds / factor:g} {unit}"
    return f"{microseconds:g} µs"


SHEETS = (
    Sheet(
        "comparison-rate",
        compare.RATE,
        throughput.METRIC,
        "Messages a second from one process to another",
        "messages/s",
        short_number,
    ),
    Sheet(
        "comparison-round-trip",
        compare.ROUND_TRIP,
        latency.METRIC,
        "A message there and one back, median",
        "round trip time",
        short_time,
    ),
)


def draw(record: Mapping[str, Any], directory: Path) -> list[Path]:
    """Draw all figures into `directory`, as SVG and PNG; return the files.

    Raises: KeyError or ValueError when this is no record of `compare`.
    """
    written = []
    with matplotlib.rc_context(STYLE):
        for sheet in SHEETS:
            figure = make_figure(record, sheet)
            for suffix in ("svg", "png"):
                path = directory / f"{sheet.name}.{suffix}"
                metadata = {"Date": None} if suffix == "svg" else None
                figure.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)
                written.append(path)
    return written


def make_figure(record: Mapping[str, Any], sheet: Sheet) -> Figure:
    """Return one figure: libraries that copy on the left, those that do not on the right."""
    found = curves(record, sheet.benchmark, sheet.metric)
    limit = {name: curve for name, curve in found.items() if name == memcpy.NAME}
    copying = {n: c for n, c in found.items() if n not in limit and not in_place(n)}
    handing_over = {n: c for n, c in found.items() if in_place(n)}
    panels = {
        "bytes in, bytes out": copying | limit,
        "no copy: written and read in place": handing_over | limit,
    }
    figure = Figure(figsize=(12, 6), layout="constrained", facecolor="white")
    figure.suptitle(sheet.title, fontsize=13, fontweight="bold", x=0.01, ha="left")
    all_axes = figure.subplots(1, 2, sharey=True, squeeze=False)[0]
    for axes, (title, panel) in zip(all_axes, panels.items(), strict=True):
        axes.set_title(title, loc="left", fontsize=10)
        prepare(axes, found, sheet)
        for name, curve in panel.items():
            draw_curve(axes, name, curve)
        label_ends(axes, panel)
    all_axes[0].set_ylabel(f"{sheet.y_label} (log)")
    all_axes[1].tick_params(labelleft=True)
    below = f"{circumstances(record)}\n{packages(record)}"
    figure.supxlabel(below, fontsize=7, color="#555555", x=0.01, ha="left")
    return figure


def prepare(axes: Axes, found: Curves, sheet: Sheet) -> None:
    """Give `axes` log scales that hold all curves, with sizes as ticks."""
    sizes = sorted({point.size for curve in found.values() for point in curve})
    values = [point.median for curve in found.values() for point in curve]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_ylim(min(values) / MARGIN, max(values) * MARGIN)
    axes.set_xticks(sizes, [format_size(size) for size in sizes], fontsize=8)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(sheet.y_format))
    axes.set_xlabel("message size (log)")
    axes.grid(visible=True, which="major", color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)


def draw_curve(axes: Axes, name: str, curve: Sequence[Point]) -> None:
    """Draw one library."""
    colour, marker = LOOKS.get(library_of(name), UNKNOWN_LOOK)
    axes.plot(
        [point.size for point in curve],
        [point.median for point in curve],
        color=colour,
        marker=marker,
        markersize=5,
        linewidth=2.6 if library_of(name) == "shmzmq" else 1.4,
        linestyle="--" if name == memcpy.NAME else "-",
    )


def label_ends(axes: Axes, panel: Curves) -> None:
    """Write the name of each curve beside its last point, no two over one another."""
    low, high = (log10(limit) for limit in axes.get_ylim())
    ends = sorted(
        ((log10(curve[-1].median) - low) / (high - low), name) for name, curve in panel.items()
    )
    heights = spread_out([height for height, _ in ends], LABEL_GAP)
    for height, (_, name) in zip(heights, ends, strict=True):
        colour, _ = LOOKS.get(library_of(name), UNKNOWN_LOOK)
        last = panel[name][-1]
        axes.annotate(
            name,
            xy=(last.size, last.median),
            xytext=(1.04, height),
            textcoords="axes fraction",
            color=colour,
            fontweight="bold" if library_of(name) == "shmzmq" else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.5,
                "relpos": (0.0, 0.5),
                "shrinkA": 1,
            },
        )


def spread_out(heights: Sequence[float], gap: float) -> list[float]:
    """Return ascending `heights`, moved as little as need be for neighbours to be `gap` apart."""
    # With the gaps taken out, heights that would come too close fall: they are put at their mean.
    pools: list[list[float]] = []
    for index, height in enumerate(heights):
        pools.append([height - index * gap])
        while len(pools) > 1 and mean(pools[-2]) > mean(pools[-1]):
            last = pools.pop()
            pools[-1].extend(last)
    level = [mean(pool) for pool in pools for _ in pool]
    return [height + index * gap for index, height in enumerate(level)]
