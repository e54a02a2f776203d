"""Images a second of bulk runs by number of worker processes; the figures in docs/scaling.md.

``python -m benchmarks.bulk``, from the root of the clone, needs MNIST in
``DIGIT_CLASSIFIER_DATA_DIR`` or data/. It prints what one and two workers read in a second of
MNIST's test digits, as an IDX file and as PNG files in a ZIP archive, and how many tasks a second
the scheduler hands out: medians of rounds in which all take turns, the least and the most. Then how
much is sent, read and written, and what listing takes. The machine's load should be near 0 before.
"""

import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
from distributed import Client, as_completed
from distributed.protocol.pickle import dumps

from benchmarks.pictures import encode
from digit_classifier.bulk import SHARDS_PER_THREAD, Options, run_batch
from digit_classifier.bulk.shards import build_manifest, list_shards
from digit_classifier.bulk.sources import find_source
from digit_classifier.bulk.sources.image_files import Zip
from digit_classifier.bulk.worker import ShardResult
from digit_classifier.datasets import load_mnist
from digit_classifier.evaluation import markdown_table
from digit_classifier.settings import Settings, load_settings
from tests.bulk.cluster import Cluster
from tests.bulk.inputs import write_folder, write_tar, write_text, write_zip
from tests.datasets.drawn import to_idx

N_WORKERS = (1, 2)
SHARD_SIZE = 1000
#: The IDX file is read so many times in a run, as once takes no time.
REPEATED = 10
N_TASKS = 3000
N_LISTED = 50_000


def write_inputs(folder: Path, data_dir: Path) -> dict[str, list[str]]:
    """Return the inputs of each kind of run: the test digits as an IDX file, and as a ZIP."""
    digits = load_mnist(data_dir).X_test.reshape(-1, 28, 28)
    idx = folder / "t10k-images-idx3-ubyte"
    idx.write_bytes(to_idx(digits))
    pictures = {f"{number:05}.png": encode(digit) for number, digit in enumerate(digits)}
    write_zip(folder / "t10k.zip", pictures, 0)
    return {"IDX": REPEATED * [str(idx)], "PNG in a ZIP": [str(folder / "t10k.zip")]}


def images_a_second(inputs: list[str], scheduler: str) -> float:
    """Make a run, from the listing to the finished manifest, on a cluster that is there."""
    options = Options(scheduler=scheduler, shard_size=SHARD_SIZE)
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        totals = run_batch(inputs, out, Settings(), options)
        return totals.n_images / (time.perf_counter() - started)


def tasks_a_second(scheduler: str) -> float:
    """Hand out tasks that do nothing, as many at a time as a run would."""
    with Client(scheduler) as client:
        left = iter(range(N_TASKS))
        started = time.perf_counter()
        pending = as_completed(
            [
                client.submit(abs, n, pure=False)
                for n, _ in zip(left, range(2 * SHARDS_PER_THREAD), strict=False)
            ]
        )
        for future in pending:
            future.result()
            future.release()
            for number in left:
                pending.add(client.submit(abs, number, pure=False))
                break
        return N_TASKS / (time.perf_counter() - started)


def measure(inputs: dict[str, list[str]], n_rounds: int) -> Iterator[list[str]]:
    """Let all take turns, and yield a row for each."""
    cases = [(kind, n_workers) for kind in inputs for n_workers in N_WORKERS]
    rates: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    with ExitStack() as stack:
        clusters = {n: stack.enter_context(_cluster(stack, n)) for n in N_WORKERS}
        for cluster in clusters.values():  # the workers load the model
            images_a_second(inputs["IDX"], cluster.address)
        for _ in range(n_rounds):
            for kind, n_workers in cases:
                rate = images_a_second(inputs[kind], clusters[n_workers].address)
                rates[kind, n_workers].append(rate)
        tasks = [tasks_a_second(clusters[2].address) for _ in range(n_rounds)]
    for (kind, n_workers), found in rates.items():
        yield [kind, f"{n_workers}", *_spread(found)]
    yield ["tasks that do nothing", "2", *_spread(tasks)]


def _spread(rates: list[float]) -> list[str]:
    return [f"{rate:,.0f}" for rate in (statistics.median(rates), min(rates), max(rates))]


def _cluster(stack: ExitStack, n_workers: int) -> Cluster:
    folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
    return Cluster(Path(folder), n_workers)


def listings(folder: Path) -> Iterator[list[str]]:
    """Yield how many images a second the client lists, of each kind of input."""
    names = [f"images/{number:08}.png" for number in range(N_LISTED)]
    written = {
        "list of paths": write_text(folder / "list.txt", names),
        "ZIP": write_zip(folder / "listed.zip", dict.fromkeys(names, bytes(370)), 0),
        "TAR": write_tar(folder / "listed.tar", dict.fromkeys(names, bytes(370))),
        "folder": write_folder(folder / "folder", dict.fromkeys(names, b"")),
    }
    for kind, path in written.items():
        started = time.perf_counter()
        manifest = build_manifest([find_source(str(path))], SHARD_SIZE)
        yield [kind, f"{manifest.n_images / (time.perf_counter() - started):,.0f}"]


def zip_memory(path: Path) -> float:
    """Return how many bytes an open ZIP archive takes for each of its images."""
    tracemalloc.start()
    with ExitStack() as stack:
        _, entries = Zip(path.name, str(path)).open(stack)
        taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / len(entries)


def weights(inputs: dict[str, list[str]]) -> str:
    """Return how much of a run passes the scheduler, and how much is read and written."""
    shard = next(list_shards([find_source(inputs["PNG in a ZIP"][0])], SHARD_SIZE))
    record = ShardResult(0, SHARD_SIZE, SHARD_SIZE, 0, 64 * "0")
    sizes = [len(dumps(sent)) for sent in (shard, record)]
    lines = ["a shard's description: {:,} bytes, its record: {:,} bytes".format(*sizes)]
    for format_ in ("parquet", "jsonl"):
        with tempfile.TemporaryDirectory() as out:
            options = Options(format=format_, shard_size=SHARD_SIZE, n_workers=1)
            totals = run_batch(inputs["PNG in a ZIP"], out, Settings(), options)
        lines.append(f"{format_}: {totals.n_bytes / totals.n_images:,.0f} bytes an image")
    size = Path(inputs["PNG in a ZIP"][0]).stat().st_size
    lines.append(f"PNG in a ZIP: {size / totals.n_images:,.0f} bytes an image")
    return "\n".join(lines)


@click.command()
@click.option("--rounds", "n_rounds", default=5, show_default=True)
def main(n_rounds: int) -> None:
    """Print the tables."""
    click.echo(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_inputs(Path(folder), load_settings().data_dir)
        rows = list(measure(inputs, n_rounds))
        click.echo(markdown_table(["a second", "workers", "median", "least", "most"], rows))
        click.echo(weights(inputs))
        click.echo(
            markdown_table(["listed by the client", "a second"], list(listings(Path(folder))))
        )
        click.echo(f"an open ZIP: {zip_memory(Path(folder, 'listed.zip')):,.0f} bytes an image")
    click.echo(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
