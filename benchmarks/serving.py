"""The service beside other ways to serve the same network; the tables in docs/performance.md.

``python -m benchmarks.serving`` installs each peer of ``benchmarks/peers`` in an environment of its
own, starts them all, and the service by an Apache of its own without root, sees that each reads
a digit of every class aright, and lets ``wrk`` (``apt-get install wrk``) send MNIST's test digits
to one after the other, round after round. Client and servers share the machine. The tables are
printed; ``serving.json`` and ``serving.png`` go to ``benchmarks/output``.

``--pictures DIR`` adds real pictures, named by their label (``<label>_*``), as the body: what
counts there are right answers a second. ``--against DIR`` serves another checkout of this project
in the same rounds, so that a change can be measured on a machine that does other things as well.
"""

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from digit_classifier.environment import use_one_thread

use_one_thread()  # before NumPy is imported

import click  # noqa: E402

from benchmarks.contestants import CEILING, OTHER, Contestant, contestants, read  # noqa: E402
from benchmarks.load_by_wrk import KINDS, Load  # noqa: E402
from benchmarks.peer_environments import NO_MODELS, prepare  # noqa: E402
from benchmarks.serving_tables import PICTURES, plot, tables  # noqa: E402
from digit_classifier.datasets import load_mnist  # noqa: E402
from digit_classifier.datasets.image_files import list_labelled_images  # noqa: E402
from digit_classifier.datasets.samples import MnistTestSet  # noqa: E402
from digit_classifier.inference import DigitClassifier  # noqa: E402
from digit_classifier.models.model import UNSURE_BELOW  # noqa: E402
from digit_classifier.models.store import load_model  # noqa: E402
from digit_classifier.settings import load_settings  # noqa: E402

OUTPUT = Path(__file__).with_name("output")
N_PICTURES = 200
#: Of the confidence, between those that run the same network.
TOLERANCE = 1e-3
#: Enough for a process's first requests, which are slower.
WARM_UP = 2  # seconds
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def check(contestant: Contestant, digits: dict[int, bytes], expected: dict[int, float]) -> None:
    """Fail unless a contestant reads these pictures by label aright, sent in either way.

    Where it runs our network, it must be as sure as expected. One that looks for the digit itself
    may misread it: the largest contour of MNIST's first 5 is without its bar.
    """
    for kind in KINDS:
        for label, picture in digits.items():
            answer = read(contestant.url, picture, form=kind == "form").json()
            if answer["prediction"] != label and not contestant.frames:
                raise click.ClickException(f"{contestant.name} reads {label} in a {kind}: {answer}")
            off = abs(answer["confidence"] - expected[label])
            if contestant.same_network and off > TOLERANCE:
                raise click.ClickException(f"{contestant.name} runs another network: {answer}")


def labelled_pictures(folders: Sequence[Path], max_bytes: int) -> list[tuple[bytes, int]]:
    """Return the pictures below these folders that the service takes, and their labels."""
    files = [found for folder in folders for found in list_labelled_images(folder)]
    # a faster server gets further in the list: without an order, it gets the same kinds of pictures
    random.Random(0).shuffle(files)  # noqa: S311, no secret
    pictures = [(path.read_bytes(), label) for path, label in files]
    return [(content, label) for content, label in pictures if len(content) <= max_bytes]


def share_right(contestant: Contestant, pictures: Sequence[tuple[bytes, int]]) -> float:
    """Return the share of labelled pictures that a contestant reads right; refusals are wrong."""
    answers = [read(contestant.url, content, form=False) for content, _ in pictures]
    right = [
        answer.ok and answer.json()["prediction"] == label
        for answer, (_, label) in zip(answers, pictures, strict=True)
    ]
    return sum(right) / len(right)


def measure(
    contestant: Contestant, load: Load, n_connections: int, seconds: int
) -> dict[str, float]:
    """Load a contestant, and return the rates, latencies and the processor's milliseconds."""
    before = contestant.cpu_seconds()
    measured = load.send(contestant.url, n_connections, seconds)
    if measured["failed"] or not measured["requests"]:
        raise click.ClickException(f"{contestant.name} failed {measured['failed']} requests.")
    cpu_ms = 1000 * (contestant.cpu_seconds() - before) / measured["requests"]
    return {**measured, "rate": measured["requests"] / measured["seconds"], "cpu_ms": cpu_ms}


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
@click.option(
    "--pictures", "folders", multiple=True, type=FOLDER, help="Real pictures, <label>_* each."
)
@click.option("--against", type=FOLDER, help="Another checkout, served in the same rounds.")
@click.option("--peers/--no-peers", "with_peers", default=True, help="Whether to measure them.")
def main(
    n_rounds: int,
    seconds: int,
    connections: tuple[int, ...],
    folders: tuple[Path, ...],
    against: Path | None,
    with_peers: bool,
) -> None:
    """Print the tables."""
    settings = load_settings()
    data, test_set = load_mnist(settings.data_dir), MnistTestSet(settings.data_dir)
    labelled = labelled_pictures(folders, settings.max_upload_bytes)
    if with_peers:
        prepare(data.X_test[:N_PICTURES].reshape(-1, 28, 28))
    classifier = DigitClassifier(load_model("mlp", NO_MODELS))
    pictures = [test_set.picture(index) for index in range(N_PICTURES)]
    # the first digit of each class that the service asks no second network about: peers have none
    alone = DigitClassifier(replace(classifier.model, second_opinion=None))
    found = [alone.predict(picture) for picture in pictures]
    sure = [
        index for index in reversed(range(N_PICTURES)) if found[index].confidence >= UNSURE_BELOW
    ]
    digits = {test_set.label(index): pictures[index] for index in sure}
    expected = {test_set.label(index): found[index].confidence for index in sure}
    with (
        contestants(pictures[0], against, with_peers=with_peers) as servers,
        tempfile.TemporaryDirectory() as folder,
    ):
        loads = {kind: Load.of(pictures, kind, Path(folder)) for kind in KINDS}
        if labelled:
            contents = [content for content, _ in labelled]
            loads[PICTURES] = Load.of(contents, PICTURES, Path(folder))
        right = {}
        for server in servers:
            if server.name not in (CEILING, OTHER):
                check(server, digits, expected)
            if labelled and server.name != CEILING:
                right[server.name] = share_right(server, labelled)
            measure(server, loads["form"], 8, WARM_UP)
        records = list(rounds(servers, loads, connections, n_rounds, seconds))
        startups = ("startup", "server_startup")
        memory = {
            server.name: server.memory() | {name: getattr(server, name) for name in startups}
            for server in servers
        }
    framed = data.X_test[:1].reshape(-1, 28, 28)
    in_process = {
        "network": images_a_second(lambda: classifier.predict_proba(framed)),
        "from the file on": images_a_second(lambda: classifier.predict(pictures[0])),
    }
    OUTPUT.mkdir(exist_ok=True)
    document = {"records": records, "memory": memory, "alone": in_process, "right": right}
    (OUTPUT / "serving.json").write_text(json.dumps(document, indent=1))
    plot(records).savefig(OUTPUT / "serving.png", dpi=100)
    click.echo(tables(records, memory, right))
    for what, rate in in_process.items():
        click.echo(f"{what}: {rate:,.0f} images a second, in a thread of one process")


if __name__ == "__main__":
    main()
