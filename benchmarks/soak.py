"""Half an hour of requests of all kinds, to see whether memory grows or anything fails.

``python -m benchmarks.soak --minutes 30`` serves this clone by an Apache of its own, without root,
lets four clients send requests to every route, with valid and invalid pictures, and prints the
figures in docs/reliability.md. Exits with 1 if a status is not in `ALLOWED`, or if a process of the
service grew by 5 MB or more after the second minute. A process's memory is the median of a minute,
since each request takes memory for a moment.
"""

import random
import statistics
import sys
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import click
import psutil
import requests

from benchmarks.overload import own_apache
from digit_classifier.evaluation import markdown_table
from digit_classifier.inference import FORMATS
from tests.deployment.own_apache import OwnApache
from tests.web.pictures import REFUSED, drawn
from tests.web.serving import csrf_token

N_CLIENTS = 4
#: Seconds between two requests of a client.
PAUSE = 0.04
#: Seconds until the first measurement of memory ends, and how long each measurement takes.
WARM, SAMPLED = 120, 60
MAX_GROWTH = 5_000_000  # bytes
#: Expected statuses; a 5xx or a failed connection fails the run.
ALLOWED = {"200", "400", "404", "413", "415", "422"}

#: A picture of each digit, the formats in turn; and files that must be refused.
GOOD = [drawn(digit, FORMATS[digit % len(FORMATS)]) for digit in range(10)]
LARGE = drawn(7, "JPEG", size=(2400, 1800))
BAD = [content for content, _, _ in REFUSED.values()]

#: Sends one request; its arguments are the session, the service's address and a picture.
Ask = Callable[[requests.Session, str, bytes], requests.Response]


def by_form(path: str, field: str) -> Ask:
    """Send a picture as a file of a form."""
    return lambda session, url, picture: session.post(url + path, files={field: picture})


def by_body(path: str) -> Ask:
    """Send a picture as the body."""
    return lambda session, url, picture: session.post(url + path, data=picture or b" ")


def without_picture(path: str, **headers: str) -> Ask:
    """Ask for a path."""
    return lambda session, url, _: session.get(url + path, headers=headers)


def by_page(session: requests.Session, url: str, picture: bytes) -> requests.Response:
    """Open the page and send its form."""
    token = csrf_token(session.get(f"{url}/").text)
    return session.post(
        f"{url}/",
        data={"csrf_token": token},
        files={"myfile": picture},
        headers={"Referer": f"{url}/"},
    )


def by_batch(session: requests.Session, url: str, picture: bytes) -> requests.Response:
    """Send a batch, the picture among others."""
    images = [b64encode(content).decode() for content in (*GOOD[:4], picture)]
    return session.post(f"{url}/api/v1/classify/batch", json={"images": images})


def by_gray_levels(session: requests.Session, url: str, picture: bytes) -> requests.Response:
    """Send gray levels as text."""
    levels = ",".join(str(level) for level in picture.ljust(784)[:784])
    return session.post(f"{url}/mnist/classify-vector", data={"img": levels})


ASKS: tuple[Ask, ...] = (
    by_form("/curl-api", "myfile"),
    by_form("/curl-api?model=cnn", "myfile"),
    by_form("/upload", "file"),
    by_form("/mnist/classify", "file"),
    by_form("/api/v1/classify", "image"),
    by_form("/api/v1/classify?explain=1&words=1", "image"),
    by_body("/api/v1/classify"),
    by_body("/mnist/classify?verbose=1"),
    by_page,
    by_batch,
    by_gray_levels,
    without_picture("/"),
    without_picture("/livez"),
    without_picture("/readyz"),
    without_picture("/status", Accept="text/html"),
    without_picture("/status"),
    without_picture("/metrics"),
    without_picture("/samples.zip"),
    without_picture("/mnist/classify/7"),
    without_picture("/nowhere"),
)


def ask_until(ended: threading.Event, url: str, seed: int, statuses: Counter[str]) -> None:
    """Send one random request after another until `ended`, and count the statuses."""
    rng = random.Random(seed)  # noqa: S311, no secret
    with requests.Session() as session:
        while not ended.wait(PAUSE):
            pictures = rng.choices([GOOD, BAD, [LARGE]], weights=[70, 25, 5])[0]
            try:
                answer = rng.choice(ASKS)(session, url, rng.choice(pictures))
                statuses[str(answer.status_code)] += 1
            except requests.RequestException as exc:
                statuses[type(exc).__name__] += 1


def resident_memory(apache: OwnApache) -> dict[tuple[int, str], int]:
    """Map each process, by its PID and kind, to its median resident memory in bytes."""
    parent = psutil.Process(apache.process.pid)
    workers = {worker.pid for worker in apache.workers()}
    processes = (parent, *parent.children(recursive=True))
    seen: dict[psutil.Process, list[int]] = {process: [] for process in processes}
    for _ in range(SAMPLED):
        time.sleep(1)
        for process, samples in seen.items():
            # what logs through a pipe, and Apache's spare processes, come and go
            with suppress(psutil.NoSuchProcess):
                samples.append(process.memory_info().rss)
    return {
        (process.pid, "service" if process.pid in workers else "Apache"): round(
            statistics.median(samples)
        )
        for process, samples in seen.items()
        if samples
    }


def soak(
    apache: OwnApache, seconds: float
) -> tuple[Counter[str], list[dict[tuple[int, str], int]]]:
    """Send requests for some seconds; return statuses, and memory when warm and at the end."""
    ended, statuses = threading.Event(), [Counter[str]() for _ in range(N_CLIENTS)]
    clients = [
        threading.Thread(target=ask_until, args=(ended, apache.address, seed, counts))
        for seed, counts in enumerate(statuses)
    ]
    for client in clients:
        client.start()
    begun, samples = time.monotonic(), []
    for end in (min(WARM, seconds / 2), seconds):
        time.sleep(max(0, begun + end - SAMPLED - time.monotonic()))
        samples.append(resident_memory(apache))
    ended.set()
    for client in clients:
        client.join()
    return sum(statuses, Counter[str]()), samples


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
def main(minutes: float) -> None:
    """Print the statuses, and the memory of each process."""
    with own_apache() as apache:
        statuses, (warm, end) = soak(apache, minutes * 60)
    rows = [[status, f"{count:,}"] for status, count in sorted(statuses.items())]
    click.echo(f"{statuses.total():,} requests in {minutes:g} minutes\n")
    click.echo(markdown_table(["answer", "requests"], rows) + "\n")
    rows = [
        [what, *(f"{sample.get((pid, what), 0) / 1e6:.1f} MB" for sample in (warm, end))]
        for pid, what in end
    ]
    click.echo(markdown_table(["process", "after 2 minutes", "at the end"], rows))
    growth = [rss - warm.get(key, 0) for key, rss in end.items() if key[1] == "service"]
    if set(statuses) - ALLOWED or max(growth) >= MAX_GROWTH:
        sys.exit(1)


if __name__ == "__main__":
    main()
