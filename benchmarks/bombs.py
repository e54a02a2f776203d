"""What small files cost that ask for much: ``python -m benchmarks.bombs`` prints a table.

Each is sent to a process of its own, which has read a small file of each format before: the time is
that of the processor, the memory what is added to the process's peak.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from digit_classifier.errors import InputError
from digit_classifier.evaluation import markdown_table
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import load_model
from tests.fuzz.bombs import ARCHIVES, COSTLY, FILES
from tests.fuzz.corpus import corpus
from tests.web.serving import make_app

NO_MODELS = Path(tempfile.gettempdir()) / "no-models"


def send_file(classifier: DigitClassifier, content: bytes) -> str:
    """Read a file, and return the code of the error."""
    try:
        return str(classifier.predict(content).digit)
    except InputError as exc:
        return exc.code


def prepare(is_archive: bool) -> Callable[[bytes], str]:
    """Get a process ready for a file, and return what takes it."""
    if not is_archive:
        classifier = DigitClassifier(load_model("mlp", NO_MODELS))
        for content in corpus():
            send_file(classifier, content)
        return lambda content: send_file(classifier, content)
    client = make_app(NO_MODELS, Path(os.devnull)).test_client()
    client.get("/readyz")

    def post(content: bytes) -> str:
        path, kind = "/api/v1/classify/batch", "application/zip"
        answer = client.post(path, data=content, content_type=kind).get_json()
        problems = answer if isinstance(answer, list) else [answer]
        return ", ".join({problem["code"] for problem in problems})

    return post


def measure_here(kind: str) -> None:
    """Measure the file on the standard input, and print what it cost."""
    send = prepare(kind == "archive")
    content = sys.stdin.buffer.read()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before, started = memory("VmRSS"), time.process_time()
    code = send(content)
    milliseconds = 1000 * (time.process_time() - started)
    click.echo(json.dumps({"code": code, "ms": milliseconds, "mb": memory("VmHWM") - before}))


def memory(field: str) -> float:
    """Return a field of what the kernel tells of this process's memory, in MB."""
    status = Path("/proc/self/status").read_text("ascii")
    (kibibytes,) = re.findall(rf"{field}:\s+(\d+) kB", status)
    return int(kibibytes) * 1024 / 1e6


def measure(content: bytes, kind: str) -> dict[str, float | str]:
    """Measure a file in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.bombs", "--here", kind]
    finished = subprocess.run(  # noqa: S603, our own command
        command, input=content, capture_output=True, check=True
    )
    # whatever a library prints would be in the server's log
    return json.loads(finished.stdout) | {"log": len(finished.stderr)}


@click.command()
@click.option("--here", type=click.Choice(["file", "archive"]), hidden=True)
def main(here: str | None) -> None:
    """Print the table."""
    if here:
        measure_here(here)
        return
    refused, archives = (
        {name: make for name, (make, _) in bombs.items()} for bombs in (FILES, ARCHIVES)
    )
    rows = []
    for kind, bombs in (("file", refused), ("archive", archives), ("file", COSTLY)):
        for name, make in bombs.items():
            content = make()
            size, cost = f"{len(content) / 1024:,.1f} KiB", measure(content, kind)
            figures = f"`{cost['code']}`", f"{cost['ms']:.0f} ms", f"{cost['mb']:.0f} MB"
            rows.append([name, size, *figures, f"{cost['log']} bytes"])
    click.echo(markdown_table(["file", "size", "answer", "time", "memory", "log"], rows))


if __name__ == "__main__":
    main()
