"""The plots of benchmarks.cost; logarithmic axes, in colours that all eyes can distinguish."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from benchmarks.picture_sizes import FORMATS, STAGES, Record
from benchmarks.roofline import Figures
from benchmarks.served_cost import (
    PICTURES,
    SHAPE_CONNECTIONS,
    SINGLE,
    TENSORS,
    USUAL,
    by_connections,
    by_shape,
)
from digit_classifier.preprocessing.framing import WORKING_SIDE

#: Okabe and Ito's colours: blue, vermilion, green, black.
BLUE, ORANGE, GREEN, BLACK = "#0072b2", "#d55e00", "#009e73", "#000000"
GRAY = "#7a7a7a"
#: Batch sizes whose points lie too near to others for a name.
_UNNAMED = (1024, 2048)
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
    for point in (p for p in points if p["batch"] not in _UNNAMED):
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
        place = {"transform": axes.get_xaxis_transform(), "color": GRAY}
        axes.text(WORKING_SIDE**2 * 1.1, 0.02, f"{WORKING_SIDE}×{WORKING_SIDE}", **place)
        _log_log(axes, "pixels", "milliseconds")
        axes.set_title(name)
    panels[-1].label_outer()
    panels[0].legend(frameon=False)
    return figure


def batches(records: list[Record]) -> Figure:
    """Draw images a second over the batch size, of pictures and of tensors."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    paths = {PICTURES: ("pictures", BLUE, "o-"), TENSORS: ("framed digits", ORANGE, "s-")}
    for path, (name, color, style) in paths.items():
        shown = [record for record in records if record["path"] == path]
        sizes = [record["batch"] for record in shown]
        images = [record["batch"] * record["rate"] for record in shown]
        axes.plot(sizes, images, style, color=color, label=f"{name}, {path}")
    (single,) = (record["rate"] for record in records if record["path"] == SINGLE)
    axes.axhline(single, color=GRAY, linestyle="--", label=f"single pictures, {SINGLE}")
    _log_log(axes, "images a request", "images a second")
    axes.set_xticks(sizes)
    axes.minorticks_off()
    axes.legend(frameon=False)
    return figure


def load(records: list[Record]) -> Figure:
    """Draw rate and latencies over connections, and the rate by processes."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    rates, latencies, shapes = figure.subplots(1, 3)
    usual = by_connections(records)
    connections = [record["connections"] for record in usual]
    rates.plot(connections, [record["rate"] for record in usual], "o-", color=BLUE)
    rates.set_ylim(bottom=0)
    for what, color, style in (("p50", BLUE, "o-"), ("p99", ORANGE, "s-")):
        times = [record[what] for record in usual]
        latencies.plot(connections, times, style, color=color, label=what)
    _log_log(latencies, "connections", "milliseconds")
    latencies.legend(frameon=False)
    rates.set(xscale="log", xlabel="connections", ylabel="requests a second")
    rates.grid(alpha=0.25)
    for axes in (rates, latencies):
        axes.set_xticks(connections, [str(n) for n in connections])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_title("{} processes × {}".format(*USUAL), fontsize=10)
    _draw_shapes(shapes, by_shape(records))
    return figure


def _draw_shapes(axes: Axes, records: list[Record]) -> None:
    names = [f"{record['processes']} × {record['at_once']}" for record in records]
    axes.bar(names, [record["rate"] for record in records], color=BLUE)
    axes.set(xlabel="processes × requests at once", ylabel="requests a second")
    axes.set_title(f"{SHAPE_CONNECTIONS} connections", fontsize=10)
    axes.grid(axis="y", alpha=0.25)


def _log_log(axes: Axes, xlabel: str, ylabel: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.12g}"))
    axes.grid(which="both", alpha=0.25)
