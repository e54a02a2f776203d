"""The plots of benchmarks.cost; logarithmic axes, in colours that all eyes tell apart."""

from typing import Any

from matplotlib.figure import Figure

from benchmarks.picture_sizes import FORMATS, STAGES, Record
from benchmarks.roofline import Figures
from digit_classifier.preprocessing.framing import WORKING_SIDE

#: Okabe and Ito's colours: blue, vermilion, green, black.
BLUE, ORANGE, GREEN, BLACK = "#0072b2", "#d55e00", "#009e73", "#000000"
GRAY = "#7a7a7a"
_STYLES = {"L2": (GREEN, ":"), "L3": (BLUE, "-"), "memory": (ORANGE, "--")}


def roofline(figures: Figures) -> Figure:
    """Draw the roofs, and the network at each batch size below them."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    points, peak = figures["points"], figures["peak"]
    ends = (points[0]["intensity"] / 1.5, points[-1]["intensity"] * 1.5)
    for name, rate in figures["bandwidths"].items():
        color, style = _STYLES[name]
        ridge = min(peak / rate, ends[1])
        xs = [ends[0], ridge, ends[1]]
        label = f"{name}: {rate:,.0f} GB/s"
        axes.plot(xs, [min(peak, x * rate) for x in xs], style, color=color, label=label)
    axes.axhline(peak, color=BLACK, linewidth=1, label=f"matrix product: {peak:,.0f} GFLOP/s")
    xs, ys = [p["intensity"] for p in points], [p["gflops"] for p in points]
    axes.plot(xs, ys, "o", color=BLACK, label="the network, by batch size")
    for point in points:
        place = (point["intensity"], point["gflops"])
        offset = {"xytext": (4, -11), "textcoords": "offset points"}
        axes.annotate(f"{point['batch']:,}", place, fontsize=8, **offset)
    _log_log(axes, "operations a byte", "GFLOP/s, one thread")
    axes.legend(frameon=False, loc="lower right")
    return figure


def picture_sizes(records: list[Record]) -> Figure:
    """Draw the stages' milliseconds over the pixels, a panel a format."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    panels = figure.subplots(1, len(FORMATS), sharey=True)
    lines = dict(zip(STAGES, ((BLUE, "o-"), (ORANGE, "s-"), (GREEN, "^-")), strict=True))
    for axes, name in zip(panels, FORMATS, strict=True):
        shown = [record for record in records if record["format"] == name]
        pixels = [record["width"] * record["height"] for record in shown]
        for what, (color, style) in {**lines, "total": (BLACK, ":")}.items():
            times = [record[what] for record in shown]
            axes.plot(pixels, times, style, color=color, label=what)
        axes.axvline(WORKING_SIDE**2, color=GRAY, linewidth=1, linestyle="--")
        axes.text(WORKING_SIDE**2 * 1.1, 0.03, f"{WORKING_SIDE}×{WORKING_SIDE}", color=GRAY)
        _log_log(axes, "pixels", "milliseconds")
        axes.set_title(name)
    panels[-1].label_outer()
    panels[0].legend(frameon=False)
    return figure


def _log_log(axes: Any, xlabel: str, ylabel: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    axes.grid(which="both", alpha=0.25)
