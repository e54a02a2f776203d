"""What others see of faults around the service: ``python -m benchmarks.faults``, as root.

An Apache of an ordinary user, with two processes and small disks, is asked for a digit by eight
clients a few times a second each. One fault after the other comes, stays some seconds, and goes.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import click
import psutil
import requests

from digit_classifier.evaluation import markdown_table
from tests.deployment import machine as m
from tests.deployment.certificates import make_certificate
from tests.deployment.clone import PROJECT, Clone
from tests.deployment.faults import (
    ask_of_everything,
    costly_batches,
    costly_explanations,
    full,
    is_well,
    nested_json,
    serving_on_small_disks,
    stopped,
    unwritable_log,
)
from tests.deployment.http2 import ask_in_streams
from tests.deployment.own_apache import OwnApache, built_clone, give_to_user
from tests.ports import free_port

MIB = 1024 * 1024
PAUSE = 0.25  # seconds between two requests of a client
DURATION = 10.0  # seconds that a fault stays
WELL_WITHIN = 120.0  # seconds


@contextmanager
def full_log(apache: OwnApache) -> Iterator[None]:
    """No room for the logs, the service's and Apache's own."""
    with full(apache.folder / "logs"):
        yield


@contextmanager
def full_counts(apache: OwnApache) -> Iterator[None]:
    """No room for what is counted, while there is more and more to count."""
    with full(apache.folder / "run" / "workers"):
        ask_of_everything(apache)
        yield


@contextmanager
def start_on_full_disks(apache: OwnApache) -> Iterator[None]:
    """No room for either, while a process is killed and another starts."""
    with full(apache.folder / "run" / "workers"), full(apache.folder / "logs"):
        apache.workers()[0].kill()
        yield
    apache.workers()[-1].terminate()  # the one that cannot report; reload.sh replaces it as well


@contextmanager
def full_bodies(apache: OwnApache) -> Iterator[None]:
    """No room for a batch that is larger than a picture may be."""
    batch = [("images", (f"{n}.png", bytes(MIB - 1000))) for n in range(3)]
    for _ in range(5):
        requests.post(f"{apache.address}/api/v1/classify/batch", files=batch, timeout=60)
    yield


@contextmanager
def stopped_process(apache: OwnApache) -> Iterator[None]:
    """Stop one process of the service, then the other: one of them waits for requests."""
    first, second = apache.workers()
    with stopped(first):
        time.sleep(DURATION)
    m.wait_until(lambda: is_well(apache))
    with stopped(second):
        yield


@contextmanager
def stopped_child(apache: OwnApache) -> Iterator[None]:
    """Stop a process of Apache's own."""
    services = {p.pid for p in (*apache.workers(), *apache.large_workers())}
    children = psutil.Process(apache.process.pid).children()
    with stopped(next(child for child in children if child.pid not in services)):
        yield


@contextmanager
def zips(apache: OwnApache) -> Iterator[None]:
    """Four clients with a ZIP of 256 WebP pictures."""
    with costly_batches(apache):
        yield


@contextmanager
def json_lists(apache: OwnApache) -> Iterator[None]:
    """Three clients with 31 MB of lists within lists."""
    with ThreadPoolExecutor(3) as pool:
        url, headers = (
            f"{apache.address}/api/v1/classify/batch",
            {"Content-Type": "application/json"},
        )
        for _ in range(3):
            pool.submit(requests.post, url, data=nested_json(), headers=headers, timeout=120)
        yield


FAULTS: dict[str, Callable[[OwnApache], AbstractContextManager[object]]] = {
    "none": lambda _: nullcontext(),
    "the disk of the logs is full": full_log,
    "the service's log is not writable": unwritable_log,
    "the disk of the counts is full": full_counts,
    "both are full, and a process is killed": start_on_full_disks,
    "the tmpfs of large bodies is full": full_bodies,
    "a process of the service is stopped": stopped_process,
    "a process of Apache's is stopped": stopped_child,
    "4 clients send ZIPs of 256 large WebPs": zips,
    "4 clients have large WebPs explained": costly_explanations,
    "3 clients send 31 MB of nested JSON": json_lists,
}


def measure(
    apache: OwnApache, fault: Callable[[OwnApache], AbstractContextManager[object]]
) -> list[str]:
    """Let a fault come and go under light load, and return what a row says of it."""
    before = {worker.pid for worker in apache.workers()}
    with m.Load(apache.address, PAUSE) as load:
        time.sleep(1)
        with fault(apache):
            time.sleep(DURATION)
        started = time.monotonic()
        while not is_well(apache) and time.monotonic() - started < WELL_WITHIN:
            time.sleep(0.1)
        seconds = time.monotonic() - started
    ended = before - {worker.pid for worker in apache.workers()}
    for failure in load.failures[:2]:
        click.echo(f"  {failure[:160]}", err=True)
    return _row(load, seconds, len(ended))


def measure_streams(clone: Clone) -> list[str]:
    """Open 100 connections of HTTP/2 with 100 streams each, again and again."""
    folder = clone.path.parent
    certificate, key = make_certificate(folder)
    give_to_user(folder)
    port = free_port()
    options = {"TLS_CERT": certificate, "TLS_KEY": key, "HTTPS_PORT": str(port)}
    options |= {"SERVER_NAME": "127.0.0.1"}
    with serving_on_small_disks(clone, free_port(), **options) as apache:
        before = {process.pid for process in apache.processes()}
        address = f"https://127.0.0.1:{port}"
        with m.Load(address, PAUSE, trusts=certificate) as load:
            time.sleep(1)
            started = time.monotonic()
            with ThreadPoolExecutor(100) as pool:
                while time.monotonic() - started < DURATION:
                    list(pool.map(lambda _: ask_in_streams(port, "/livez", 100), range(100)))
        ended = before - {process.pid for process in apache.processes()}
    return _row(load, 0.0, len(ended))


def _row(load: m.Load, seconds: float, n_ended: int) -> list[str]:
    return [
        f"{load.n_requests:,}",
        f"{len(load.failures)}",
        f"{1000 * load.median:.0f} ms",
        f"{load.longest:.1f} s",
        f"{seconds:.1f} s" if seconds < WELL_WITHIN else "not within two minutes",
        f"{n_ended}",
    ]


@click.command()
@click.option(
    "--source", type=click.Path(path_type=Path), default=PROJECT, help="Another checkout."
)
@click.option("--only", default="", help="Faults whose names have this in them.")
def main(source: Path, only: str) -> None:
    """Print a table of the faults and what the eight clients saw."""
    rows = []
    with built_clone(source) as clone:
        for name, fault in FAULTS.items():
            if only in name:
                click.echo(name, err=True)
                with serving_on_small_disks(clone, free_port()) as apache:
                    rows.append([name, *measure(apache, fault)])
        name = "100 connections of HTTP/2 with 100 streams"
        if only in name:
            rows.append([name, *measure_streams(clone)])
    header = ["fault", "requests", "failed", "median", "slowest", "well after", "processes ended"]
    click.echo(markdown_table(header, rows))


if __name__ == "__main__":
    main()
