"""Images a second through Apache by batch, connections and processes; parts of benchmarks.cost."""

import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
import psutil
from urllib3 import encode_multipart_formdata

from benchmarks.contestants import Contestant
from benchmarks.load_by_wrk import Load
from digit_classifier.datasets import load_mnist
from digit_classifier.datasets.samples import MnistTestSet
from digit_classifier.evaluation import markdown_table
from digit_classifier.settings import load_settings
from tests.deployment.own_apache import OwnApache, built_clone, serving
from tests.ports import free_port

BATCH_SIZES = (1, 4, 16, 64, 256)
SINGLE, PICTURES, TENSORS = "/api/v1/classify", "/api/v1/classify/batch", "/v2/models/mlp/infer"
#: Two for each of two processes: one is worked on, and one waits.
BATCH_CONNECTIONS = 4
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)
#: Processes, and how many requests each works on at once.
SHAPES = ((1, 1), (2, 1), (4, 1), (2, 2), (2, 4))
USUAL, SHAPE_CONNECTIONS = (2, 1), 8
N_PICTURES, N_BODIES = 256, 4
FIGURES = ("rate", "p50", "p99", "cpu_ms")
#: Seconds in which the requests that wrk has left at its end are answered.
PAUSE = 0.4

Record = dict[str, Any]
#: What tells cases apart, as pairs.
Case = tuple[tuple[str, Any], ...]


@contextmanager
def apaches(shapes: Sequence[tuple[int, int]]) -> Iterator[dict[tuple[int, int], OwnApache]]:
    """Serve a copy of this clone in several shapes, all at the same time."""
    with built_clone() as clone, ExitStack() as stack:
        servers = {}
        for processes, at_once in shapes:
            variables = {
                "PROCESSES": f"{processes}",
                "DIGIT_CLASSIFIER_REQUESTS_AT_ONCE": f"{at_once}",
            }
            server = serving(clone, free_port(), **variables)
            servers[processes, at_once] = stack.enter_context(server)
        yield servers


def measure_batches(n_rounds: int) -> list[Record]:
    """Return a record a path and batch size; ``rate`` is of requests."""
    with apaches([USUAL]) as servers, tempfile.TemporaryDirectory() as folder:
        loads = dict(_batch_loads(Path(folder)))
        cases = {
            (("path", path), ("batch", n)): (servers[USUAL], path, load, BATCH_CONNECTIONS)
            for (path, n), load in loads.items()
        }
        return _rounds(cases, n_rounds, 2)


def measure_load(n_rounds: int) -> list[Record]:
    """Return a record a shape and number of connections, of single pictures."""
    test_set = MnistTestSet(load_settings().data_dir)
    pictures = [test_set.picture(index) for index in range(N_PICTURES)]
    with apaches(SHAPES) as servers, tempfile.TemporaryDirectory() as folder:
        load = Load.of(pictures, "body", Path(folder))
        loaded = [(USUAL, n) for n in CONNECTIONS]
        loaded += [(shape, SHAPE_CONNECTIONS) for shape in SHAPES if shape != USUAL]
        cases = {
            (("processes", shape[0]), ("at_once", shape[1]), ("connections", n)): (
                servers[shape], SINGLE, load, n,
            )
            for shape, n in loaded
        }  # fmt: skip
        return _rounds(cases, n_rounds, 2)


def _rounds(
    cases: Mapping[Case, tuple[OwnApache, str, Load, int]], n_rounds: int, seconds: int
) -> list[Record]:
    """Let all cases take turns, and return the medians of each; a first round warms up."""
    found: dict[Case, list[dict[str, float]]] = defaultdict(list)
    for number in range(n_rounds + 1):
        for case, (server, path, load, n_connections) in cases.items():
            measured = _measure(server, path, load, n_connections, seconds if number else 1)
            found[case] += [measured] if number else []
    return [
        dict(case)
        | {name: statistics.median(measured[name] for measured in all_) for name in FIGURES}
        for case, all_ in found.items()
    ]


def _measure(
    server: OwnApache, path: str, load: Load, n_connections: int, seconds: int
) -> dict[str, float]:
    """Return the rate of answers, the latencies, and the processor's time."""
    time.sleep(PAUSE)
    url = f"{server.address}{path}"
    contestant = Contestant(path, url, psutil.Process(server.process.pid), 0, 0)
    before = contestant.cpu_seconds()
    measured = load.send(url, n_connections, seconds)
    cpu_ms = 1000 * (contestant.cpu_seconds() - before) / measured["requests"]
    if measured["failed"]:
        raise click.ClickException(f"{path} failed {measured['failed']} requests.")
    return {**measured, "rate": measured["requests"] / measured["seconds"], "cpu_ms": cpu_ms}


def _batch_loads(folder: Path) -> Iterator[tuple[tuple[str, int], Load]]:
    """Yield the requests of each path and batch size: a few bodies of other digits each."""
    data_dir = load_settings().data_dir
    test_set, digits = MnistTestSet(data_dir), load_mnist(data_dir).X_test
    pictures = [test_set.picture(index) for index in range(N_BODIES * max(BATCH_SIZES))]
    yield (SINGLE, 1), Load.of(pictures[:N_PICTURES], "body", folder)
    for n in BATCH_SIZES:
        firsts = [number * n for number in range(N_BODIES)]
        forms = [_form(pictures[first : first + n]) for first in firsts]
        yield (PICTURES, n), Load(forms[0][1], _written(folder, f"pictures-{n}", forms))
        tensors = [_tensor(digits[first : first + n].tobytes(), n) for first in firsts]
        header = f"Inference-Header-Content-Length: {tensors[0][1]}"
        files = _written(folder, f"tensors-{n}", tensors)
        yield (TENSORS, n), Load("application/octet-stream", files, [header])


def _form(pictures: Sequence[bytes]) -> tuple[bytes, str]:
    """Return the body of a multipart form, and its type."""
    fields = [("images", (f"{i}.png", picture, "image/png")) for i, picture in enumerate(pictures)]
    return encode_multipart_formdata(fields, "-----------------------------9051914041544843")


def _tensor(pixels: bytes, n: int) -> tuple[bytes, int]:
    """Return a request of the binary extension, and how many bytes of it are JSON."""
    parameters = {"binary_data_size": len(pixels)}
    tensor = {"name": "images", "shape": [n, 28, 28], "datatype": "UINT8", "parameters": parameters}
    message = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return message + pixels, len(message)


def _written(folder: Path, name: str, bodies: Sequence[tuple[bytes, Any]]) -> list[Path]:
    paths = [folder / f"{name}-{number}" for number in range(len(bodies))]
    for path, (body, _) in zip(paths, bodies, strict=True):
        path.write_bytes(body)
    return paths


def batch_tables(records: list[Record]) -> str:
    """Return images a second by path and batch size; × is the ratio to requests of one."""
    header = ["path", "images a request", "requests a second", "images a second", "×", "p50, ms",
              "processor, ms an image"]  # fmt: skip
    ordered = sorted(records, key=lambda record: record["path"])
    return markdown_table(header, [_batch_row(record, records) for record in ordered])


def _batch_row(record: Record, records: list[Record]) -> list[str]:
    of_one = TENSORS if record["path"] == TENSORS else SINGLE
    (single,) = (r["rate"] for r in records if (r["path"], r["batch"]) == (of_one, 1))
    images = record["rate"] * record["batch"]
    return [
        f"`{record['path']}`",
        f"{record['batch']}",
        f"{record['rate']:,.1f}",
        f"{images:,.0f}",
        f"{images / single:.2f}",
        f"{record['p50']:,.1f}",
        f"{record['cpu_ms'] / record['batch']:,.3f}",
    ]


def load_tables(records: list[Record]) -> str:
    """Return rates and latencies by connections, and by processes and requests at once."""
    header = ["requests a second", "p50, ms", "p99, ms", "processor, ms a request"]
    usual = by_connections(records)
    shapes = by_shape(records)
    return "\n\n".join(
        [
            markdown_table(
                ["connections", *header], [[f"{r['connections']}", *_cells(r)] for r in usual]
            ),
            markdown_table(
                ["processes", "requests at once, each", *header],
                [[f"{r['processes']}", f"{r['at_once']}", *_cells(r)] for r in shapes],
            ),
        ]
    )


def by_connections(records: list[Record]) -> list[Record]:
    """Return those of the usual shape."""
    return [record for record in records if (record["processes"], record["at_once"]) == USUAL]


def by_shape(records: list[Record]) -> list[Record]:
    """Return those of one number of connections, in the order of their shapes."""
    found = [record for record in records if record["connections"] == SHAPE_CONNECTIONS]
    return sorted(found, key=lambda r: SHAPES.index((r["processes"], r["at_once"])))


def _cells(record: Record) -> list[str]:
    rates = [f"{record['rate']:,.0f}", f"{record['p50']:,.1f}", f"{record['p99']:,.1f}"]
    return [*rates, f"{record['cpu_ms']:.2f}"]
