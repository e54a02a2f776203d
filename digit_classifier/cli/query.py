"""``digit-classifier query``: MNIST's test digits sent to a running server."""

import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from digit_classifier.settings import load_settings

if TYPE_CHECKING:
    from digit_classifier.client.transport import Transport

PATH = "/mnist/classify"
TIMEOUT = 60  # seconds without an answer
_SHOWN = 5  # misread digits, and errors, that are named


@dataclass(frozen=True)
class Reply:
    """What came of one digit.

    Attributes
    ----------
    name : str
        ``INDEX-CLASS.png``, as it was sent.
    seconds : float
        From the first byte sent to the last received.
    status : int or None
        None if there was no answer.
    text : str
        The answer, or why there is none.
    digit : int or None
        As it was read.
    """

    name: str
    seconds: float
    status: int | None
    text: str
    digit: int | None

    @property
    def label(self) -> str:
        """The digit's class."""
        return self.name.removesuffix(".png").rpartition("-")[2]

    @property
    def is_right(self) -> bool:
        """Whether the digit was read as its class."""
        return str(self.digit) == self.label


@click.command()
@click.argument("url")
@click.option("--count", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--concurrency", type=click.IntRange(min=1), default=8, show_default=True, help="At once."
)
@click.option("--field", default="file", show_default=True, help="The form's, for the file.")
@click.option("--api-key", envvar="DIGIT_CLASSIFIER_API_KEY", help="Where the server wants one.")
@click.option("--seed", type=int, help="Chooses the digits.  [default: others each time]")
def query(
    url: str, count: int, concurrency: int, field: str, api_key: str | None, seed: int | None
) -> None:
    """Send random MNIST test digits to a running server and print what it answers.

    URL is the server's address, with the path of the upload unless it is /mnist/classify. Of one
    digit the answer is shown, of more the accuracy and the latency. The files are named
    INDEX-CLASS.png. The exit status is 0 if every digit was read, right or wrong, 1 otherwise.
    """
    from tqdm import tqdm

    from digit_classifier.client.transport import Transport
    from digit_classifier.datasets.samples import MnistTestSet

    digits = MnistTestSet(load_settings().data_dir)
    indices = random.Random(seed).choices(range(len(digits)), k=count)  # noqa: S311, no secret
    started = time.perf_counter()
    names_and_files = ((digits.file_name(index), digits.picture(index)) for index in indices)
    transport = Transport(TIMEOUT, retries=0, api_key=api_key)  # what went wrong is to be counted
    # as curl: an address without a scheme is one of HTTP
    url = url if "://" in url else f"http://{url}"
    if not urlsplit(url).path.strip("/"):
        url = url.rstrip("/") + PATH
    answers = _send_all(transport, url, field, names_and_files, concurrency)
    replies = list(tqdm(answers, "Querying", count, leave=False, disable=None))
    seconds = time.perf_counter() - started
    if count == 1:
        (reply,) = replies
        status = "no answer" if reply.status is None else f"HTTP {reply.status}"
        click.echo(f"True class: {reply.label}\n{status}: {reply.text.strip()}")
    else:
        click.echo(_summary(replies, seconds, concurrency))
    sys.exit(0 if all(reply.digit is not None for reply in replies) else 1)


def _send_all(
    transport: "Transport",
    url: str,
    field: str,
    names_and_files: Iterable[tuple[str, bytes]],
    concurrency: int,
) -> Iterator[Reply]:
    from digit_classifier.client import NoAnswerError

    def send(name_and_file: tuple[str, bytes]) -> Reply:
        name, content = name_and_file
        started = time.perf_counter()
        try:
            response = transport.send("POST", url, files={field: (name, content, "image/png")})
        except NoAnswerError as exc:
            return Reply(name, time.perf_counter() - started, None, str(exc), None)
        seconds = time.perf_counter() - started
        return Reply(name, seconds, response.status_code, response.text, _digit(response))

    # threads: they wait for the network, and each keeps a connection of its own
    with ThreadPoolExecutor(concurrency) as pool:
        yield from pool.map(send, names_and_files)


def _digit(response: Any) -> int | None:
    import requests  # here, for --help to answer at once

    if response.status_code != requests.codes.ok:
        return None
    try:
        digit = response.json()["prediction"]
    except (requests.JSONDecodeError, KeyError, TypeError):
        return None
    return digit if isinstance(digit, int) else None  # other services may answer with anything


def _summary(replies: Sequence[Reply], seconds: float, concurrency: int) -> str:
    import numpy as np  # here, for --help to answer at once

    failed = [reply for reply in replies if reply.digit is None]
    answered = [reply for reply in replies if reply.digit is not None]
    wrong = [reply for reply in answered if not reply.is_right]
    misreadings = [f"{reply.name} read as {reply.digit}" for reply in wrong]
    failures = [
        f"{reply.name}: {f'HTTP {reply.status}' if reply.status else reply.text}"
        for reply in failed
    ]
    rate = f"{len(replies) / seconds:.0f} a second, {concurrency} at once"
    lines = [
        f"{len(replies):,} requests in {seconds:.2f} s: {rate}",
        f"errors: {len(failed)}{_first_of(failures)}",
    ]
    if answered:
        percentiles = np.percentile([1000 * reply.seconds for reply in answered], (50, 90, 99, 100))
        lines += [
            f"accuracy: {1 - len(wrong) / len(answered):.2%}{_first_of(misreadings)}",
            "latency: median {:.1f} ms, 90 % {:.1f} ms, 99 % {:.1f} ms, longest {:.1f} ms".format(
                *percentiles
            ),
        ]
    return "\n".join(lines)


def _first_of(items: Sequence[str]) -> str:
    if not items:
        return ""
    more = ", …" if len(items) > _SHOWN else ""
    return f" ({', '.join(items[:_SHOWN])}{more})"
