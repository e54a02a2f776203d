"""The service beside other ways to serve the same network; the tables in docs/performance.md.

``python -m benchmarks.serving`` installs each peer of ``benchmarks/peers`` in an environment of its
own, starts them all, and the service by an Apache of its own without root, sees that each reads
a digit of every class aright, and lets ``wrk`` (``apt-get install wrk``) send MNIST's test digits
to one after the other, round after round. Client and servers share the machine. The tables are
printed; ``serving.json`` and ``serving.png`` go to ``benchmarks/output``.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from digit_classifier import blas

blas.use_one_thread()  # before NumPy is imported

import click  # noqa: E402

from benchmarks.contestants import CEILING, Contestant, contestants, read  # noqa: E402
from benchmarks.load_by_wrk import KINDS, Load  # noqa: E402
from benchmarks.peer_environments import NO_MODELS, prepare  # noqa: E402
from benchmarks.serving_tables import plot, tables  # noqa: E402
from digit_classifier.datasets import load_mnist  # noqa: E402
from digit_classifier.inference import DigitClassifier  # noqa: E402
from digit_classifier.model_store import load_model  # noqa: E402
from digit_classifier.sample_digits import MnistTestSet  # noqa: E402
from digit_classifier.settings import load_settings  # noqa: E402

OUTPUT = Path(__file__).with_name("output")
N_PICTURES = 200
#: Of the confidence, between those that run the same network.
TOLERANCE = 1e-3
#: Enough for a process's first requests, which are slower.
WARM_UP = 2  # seconds


def check(contestant: Contestant, digits: dict[int, bytes], expected: dict[int, float]) -> None:
    """Fail unless a contestant reads these pictures by label aright, sent in either way.

    Where it runs our network, it must be as sure as expected.
    """
    for kind in KINDS:
        for label, picture in digits.items():
            answer = read(contestant.url, picture, form=kind == "form").json()
            if answer["prediction"] != label:
                raise click.ClickException(f"{contestant.name} reads {label} in a {kind}: {answer}")
            off = abs(answer["confidence"] - expected[label])
            if contestant.same_network and off > TOLERANCE:
                raise click.ClickException(f"{contestant.name} runs another network: {answer}")


def measure(
    contestant: Contestant, load: Load, n_connections: int, seconds: int
) -> dict[str, float]:
    """Load a contestant, and return the rates, latencies and the processor's milliseconds."""
    before = contestant.cpu_seconds()
    told = load.send(contestant.url, n_connections, seconds)
    cpu_ms = 1000 * (contestant.cpu_seconds() - before) / told["requests"]
    if told["failed"]:
        raise click.ClickException(f"{contestant.name} failed {told['failed']} requests.")
    return {**told, "rate": told["requests"] / told["seconds"], "cpu_ms": cpu_ms}


def images_a_second(call: Callable[[], object], seconds: float = 1) -> float:
    """Call something over and over in this thread."""
    count, begun = 0, time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        call()
        count += 1
    return count / passed


def rounds(
    servers: Sequence[Contestant],
    loads: dict[str, Load],
    connections: Sequence[int],
    n_rounds: int,
    seconds: int,
) -> Iterator[dict[str, Any]]:
    """Yield a record a measurement; those to be compared follow one another, each first in turn."""
    for number in range(n_rounds):
        shift = number % len(servers)
        for kind, load in loads.items():
            for n_connections in connections:
                for server in (*servers[shift:], *servers[:shift]):
                    figures = measure(server, load, n_connections, seconds)
                    labels = {"name": server.name, "kind": kind, "connections": n_connections}
                    yield {"round": number, **labels, **figures}
        click.echo(f"round {number + 1} of {n_rounds}", err=True)


@click.command()
@click.option("--rounds", "n_rounds", default=5, show_default=True)
@click.option("--seconds", default=2, show_default=True, help="Of each measurement.")
@click.option("--connections", default=(1, 8, 32), show_default=True, multiple=True, type=int)
def main(n_rounds: int, seconds: int, connections: tuple[int, ...]) -> None:
    """Print the tables."""
    settings = load_settings()
    data, test_set = load_mnist(settings.data_dir), MnistTestSet(settings.data_dir)
    prepare(data.X_test[:N_PICTURES].reshape(-1, 28, 28))
    classifier = DigitClassifier(load_model("mlp", NO_MODELS))
    pictures = [test_set.picture(index) for index in range(N_PICTURES)]
    # the first digit of each class
    digits = {test_set.label(index): pictures[index] for index in reversed(range(N_PICTURES))}
    expected = {label: classifier.predict(digit).confidence for label, digit in digits.items()}
    with contestants(pictures[0]) as servers, tempfile.TemporaryDirectory() as folder:
        loads = {kind: Load.of(pictures, kind, Path(folder)) for kind in KINDS}
        for server in servers:
            if server.name != CEILING:
                check(server, digits, expected)
            measure(server, loads["form"], 8, WARM_UP)
        records = list(rounds(servers, loads, connections, n_rounds, seconds))
        startups = ("startup", "server_startup")
        memory = {
            server.name: server.memory() | {name: getattr(server, name) for name in startups}
            for server in servers
        }
    framed = data.X_test[:1].reshape(-1, 28, 28)
    alone = {
        "network": images_a_second(lambda: classifier.predict_proba(framed)),
        "from the file on": images_a_second(lambda: classifier.predict(pictures[0])),
    }
    OUTPUT.mkdir(exist_ok=True)
    document = {"records": records, "memory": memory, "alone": alone}
    (OUTPUT / "serving.json").write_text(json.dumps(document, indent=1))
    plot(records).savefig(OUTPUT / "serving.png", dpi=100)
    click.echo(tables(records, memory))
    for what, rate in alone.items():
        click.echo(f"{what}: {rate:,.0f} images a second, in a thread of one process")


if __name__ == "__main__":
    main()
