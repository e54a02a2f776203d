"""How requests are answered or refused under overload; the figures in docs/reliability.md.

``python -m benchmarks.overload`` serves this clone by an Apache of its own, without root, and lets
``hey`` (``apt-get install hey``) send one picture over and over: first by 16 connections, which
measures the service's capacity, then by 256, at twice that rate and without a limit. Client and
service share the machine.
"""

import csv
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image

from digit_classifier.datasets.samples import DRAWN
from digit_classifier.evaluation import markdown_table
from tests.deployment.clone import PROJECT
from tests.deployment.own_apache import OwnApache, built_clone, serving
from tests.ports import free_port

SECONDS = 10
N_CONNECTIONS, N_CLIENTS = 256, 16
DRAWING = DRAWN / "4-7.png"


@dataclass(frozen=True)
class Load:
    """What to send; `rate` is in requests a second per connection, 0 for no limit."""

    name: str
    picture: Path
    n_connections: int
    rate: float = 0


@contextmanager
def own_apache() -> Iterator[OwnApache]:
    """Serve a copy of this clone by an Apache of an ordinary user."""
    with built_clone() as clone, serving(clone, free_port()) as apache:
        yield apache


def photo(folder: Path) -> Path:
    """Write a drawing as large as a camera's picture, which takes long to decode."""
    path = folder / "photo.jpg"
    with Image.open(PROJECT / "docs" / "images" / "drawn.jpg") as image:
        image.resize((3000, 3000)).save(path, quality=80)
    return path


def ask(address: str, load: Load) -> list[tuple[int, float]]:
    """Send a load, and return the status and the milliseconds of each request."""
    n_clients = min(N_CLIENTS, load.n_connections)
    command = ["hey", "-o", "csv", "-z", f"{SECONDS}s", "-m", "POST"]
    command += ["-c", str(load.n_connections // n_clients)]
    command += ["-q", str(load.rate)] if load.rate else []
    command += ["-D", str(load.picture), "-T", "application/octet-stream"]
    clients = []
    for _ in range(n_clients):
        clients.append(
            subprocess.Popen(  # noqa: S603, our own command
                [*command, f"{address}/mnist/classify"], stdout=subprocess.PIPE, text=True
            )
        )
        # one client sends on all its connections at the same moments: spread the clients
        time.sleep(1 / load.rate / n_clients if load.rate else 0)
    outputs = [client.communicate()[0] for client in clients]
    rows = [row for output in outputs for row in csv.DictReader(output.splitlines())]
    return [(int(row["status-code"]), 1000 * float(row["response-time"])) for row in rows]


def table_row(load: Load, answers: list[tuple[int, float]]) -> list[str]:
    """Return a row with the rate and latencies of accepted and of refused requests."""
    accepted = [ms for status, ms in answers if status == 200]
    refused = [ms for status, ms in answers if status == 503]
    others = len(answers) - len(accepted) - len(refused)
    return [
        load.name,
        f"{len(accepted) / SECONDS:,.0f}",
        *_quantiles(accepted),
        f"{len(refused) / len(answers):.0%}",
        *_quantiles(refused),
        f"{others}",
    ]


def _quantiles(values: list[float]) -> list[str]:
    if len(values) < 2:
        return ["", ""]
    hundredths = statistics.quantiles(values, n=100)
    return [f"{hundredths[49]:,.0f} ms", f"{hundredths[98]:,.0f} ms"]


def measure() -> Iterator[list[str]]:
    """Yield a row per load."""
    with own_apache() as apache, tempfile.TemporaryDirectory() as folder:
        large = photo(Path(folder))
        for name, picture in (("drawing", DRAWING), ("9 megapixels", large)):
            calm = Load(f"{name}, 16 connections", picture, 16)
            answers = ask(apache.address, calm)
            yield table_row(calm, answers)
            n_accepted = sum(status == 200 for status, _ in answers)
            twice = 2 * n_accepted / SECONDS / N_CONNECTIONS
            yield from (
                table_row(load, ask(apache.address, load))
                for load in (
                    Load(f"{name}, {N_CONNECTIONS}, twice as many", picture, N_CONNECTIONS, twice),
                    Load(f"{name}, {N_CONNECTIONS}, without a pause", picture, N_CONNECTIONS),
                )
            )


def main() -> None:
    """Print the table."""
    header = ["", "accepted a second", "p50", "p99", "refused", "p50", "p99", "other statuses"]
    click.echo(markdown_table(header, list(measure())))


if __name__ == "__main__":
    main()
