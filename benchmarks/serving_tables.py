"""The figures of benchmarks.serving as tables and a plot: medians over the rounds."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.contestants import OURS
from digit_classifier.evaluation import markdown_table

Records = Sequence[Mapping[str, Any]]
#: The kind of request that is a real picture, as the body.
PICTURES = "picture"
#: A way of asking: the body's kind and the number of connections.
Way = tuple[str, int]


def by_way(records: Records, figure: str) -> dict[str, dict[Way, list[float]]]:
    """Map each contestant and way of asking to the figure's values."""
    values: dict[str, dict[Way, list[float]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        values[record["name"]][record["kind"], record["connections"]].append(record[figure])
    return values


def tables(
    records: Records, memory: Mapping[str, Mapping[str, float]], right: Mapping[str, float]
) -> str:
    """Return all tables as Markdown; `right` maps names to shares of real pictures read right."""
    parts = {
        "Requests a second": _table(records, "rate", "{:,.0f}"),
        "Median latency, ms": _table(records, "p50", "{:.1f}"),
        "99 % of latencies below, ms": _table(records, "p99", "{:.1f}"),
        "Time on the processor a request, ms": _table(records, "cpu_ms", "{:.2f}"),
        "Memory and start-up": _memory_table(memory),
    }
    if right:
        parts["Real pictures"] = _right_table(records, right)
    return "\n\n".join(f"{title}:\n\n{table}" for title, table in parts.items())


def _table(records: Records, figure: str, form: str) -> str:
    """Medians, and in brackets their ratios to ours."""
    values = {
        name: {way: statistics.median(found) for way, found in ways.items()}
        for name, ways in by_way(records, figure).items()
    }
    rows = [
        [name, *(_cell(form, ways[way], ours) for way, ours in values[OURS].items())]
        for name, ways in sorted(values.items(), key=lambda item: item[0] != OURS)
    ]
    return markdown_table(["", *(f"{kind}, {n}" for kind, n in values[OURS])], rows)


def _cell(form: str, value: float, ours: float) -> str:
    return f"{form.format(value)} (× {value / ours:.2f})"


def _right_table(records: Records, right: Mapping[str, float]) -> str:
    """Right answers a second and the processor's time for one, by the number of connections."""
    medians = {
        figure: {
            name: {
                n: statistics.median(found) for (kind, n), found in ways.items() if kind == PICTURES
            }
            for name, ways in by_way(records, figure).items()
        }
        for figure in ("rate", "cpu_ms")
    }
    connections = list(medians["rate"][OURS])
    rows = []
    for name, share in right.items():
        row = [name, f"{share:.1%}"]
        for n in connections:
            ours = medians["rate"][OURS][n] * right[OURS]
            row.append(_cell("{:,.0f}", medians["rate"][name][n] * share, ours))
        row += [f"{medians['cpu_ms'][name][n] / share:.2f}" for n in connections]
        rows.append(row)
    header = [
        "",
        "right",
        *(f"right answers a second, {n}" for n in connections),
        *(f"ms of the processor for one, {n}" for n in connections),
    ]
    return markdown_table(header, rows)


def _memory_table(memory: Mapping[str, Mapping[str, float]]) -> str:
    rows = []
    for name, sizes in memory.items():
        resident = [f"{sizes[key]:,.0f} MB" for key in ("rss", "pss", "all")]
        seconds = [f"{sizes[which]:.1f} s" for which in ("startup", "server_startup")]
        rows.append([name, *resident, *seconds])
    header = [
        "",
        "largest process, RSS",
        "PSS",
        "all processes, PSS",
        "first answer after",
        "of these the server's",
    ]
    return markdown_table(header, rows)


def plot(records: Records) -> Figure:
    """Draw the requests a second: medians, and in grey from the least to the most."""
    values = by_way(records, "rate")
    kinds = list(dict.fromkeys(kind for kind, _ in values[OURS]))
    figure = Figure(figsize=(11, 6), layout="constrained")
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        _draw(axes, values, kind)
        title = "real pictures" if kind == PICTURES else f"picture as the {kind}"
        axes.set(title=title, xlabel="requests a second")
    panels[0].invert_yaxis()
    panels[-1].legend(title="connections", frameon=False)
    return figure


def _draw(axes: Axes, values: dict[str, dict[Way, list[float]]], kind: str) -> None:
    connections = [n for of, n in values[OURS] if of == kind]
    height = 0.8 / len(connections)
    for index, n_connections in enumerate(connections):
        found = [ways[kind, n_connections] for ways in values.values()]
        medians = [statistics.median(rates) for rates in found]
        below = [median - min(rates) for median, rates in zip(medians, found, strict=True)]
        above = [max(rates) - median for median, rates in zip(medians, found, strict=True)]
        places = [row + index * height - 0.4 + height / 2 for row in range(len(found))]
        label, style = f"{n_connections}", {"ecolor": "#7a7a7a"}
        axes.barh(places, medians, height, xerr=[below, above], label=label, error_kw=style)
    axes.set_yticks(range(len(values)), list(values))
    axes.grid(axis="x", alpha=0.3)
