"""How cost grows: with the batch, the picture, the load, the processes; see docs/performance.md.

``python -m benchmarks.cost`` needs MNIST in ``DIGIT_CLASSIFIER_DATA_DIR`` or data/. It measures all
parts, or those that are named: the network and the picture in this process, the others through an
Apache without root, by ``wrk`` (``apt-get install wrk``) on the same machine. It prints tables, and
leaves a JSON file and a plot of each part in ``benchmarks/output``. All figures are medians of
rounds in which all cases take turns.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from digit_classifier.environment import use_one_thread

use_one_thread()  # before NumPy is imported

import click  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from benchmarks import cost_plots, picture_sizes, roofline, served_cost  # noqa: E402

OUTPUT = Path(__file__).with_name("output")


class Part(NamedTuple):
    """What is measured in a number of rounds, how it is printed, and how it is drawn."""

    measure: Callable[[int], Any]
    tables: Callable[[Any], str]
    plot: Callable[[Any], Figure]


PARTS = {
    "roofline": Part(roofline.measure, roofline.tables, cost_plots.roofline),
    "picture_sizes": Part(picture_sizes.measure, picture_sizes.tables, cost_plots.picture_sizes),
    "batches": Part(served_cost.measure_batches, served_cost.batch_tables, cost_plots.batches),
    "load": Part(served_cost.measure_load, served_cost.load_tables, cost_plots.load),
}


@click.command()
@click.option("--rounds", "n_rounds", default=3, show_default=True)
@click.argument("names", nargs=-1, type=click.Choice(list(PARTS)))
def main(n_rounds: int, names: tuple[str, ...]) -> None:
    """Print the tables."""
    OUTPUT.mkdir(exist_ok=True)
    for name in names or PARTS:
        part = PARTS[name]
        figures = part.measure(n_rounds)
        (OUTPUT / f"{name}.json").write_text(json.dumps(figures, indent=1))
        part.plot(figures).savefig(OUTPUT / f"{name}.png", dpi=100)
        click.echo(f"{name}:\n\n{part.tables(figures)}\n")


if __name__ == "__main__":
    main()
