"""Read pictures of numbers with this project, Tesseract and RapidOCR, side by side.

::

    python -m benchmarks.numbers --numbers DIR

`DIR` has a ``manifest.csv`` as ``digit-classifier evaluate --numbers`` takes it. Tesseract takes
part where its command is installed (Debian: ``apt-get install tesseract-ocr``), RapidOCR where its
package is (``pip install rapidocr-onnxruntime``; its models come with it). Every engine gets the
bytes of the file, uses one thread, and keeps the digits of what it reads alone.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from digit_classifier.environment import use_one_thread

use_one_thread()
os.environ["OMP_THREAD_LIMIT"] = "1"  # Tesseract's

from digit_classifier.errors import InputError  # noqa: E402, after the number of threads is set
from digit_classifier.evaluation.numbers import (  # noqa: E402
    Outcome,
    evaluate_numbers,
    read_manifest,
)
from digit_classifier.inference import DigitClassifier  # noqa: E402
from digit_classifier.settings import Settings  # noqa: E402

#: Times a text's height: boxes of RapidOCR whose middles are as near are in one row.
ROW_HEIGHT = 0.5

Read = Callable[[bytes], Outcome]


def ours() -> Read:
    """Read with the shipped model for numbers."""
    classifier = DigitClassifier.load(Settings().numbers_model)

    def read(content: bytes) -> Outcome:
        try:
            reading = classifier.read(content)
        except InputError:
            return Outcome()
        return Outcome(reading.text, reading.confidence, reading.accepted)

    return read


def tesseract() -> Read:
    """Read with Tesseract: a block of text that has digits alone."""
    command = shutil.which("tesseract")
    if command is None:
        raise ImportError("tesseract")
    options = ["stdin", "stdout", "--psm", "6", "-c", "tessedit_char_whitelist=0123456789"]

    def read(content: bytes) -> Outcome:
        done = subprocess.run(  # noqa: S603, the command is Tesseract's
            [command, *options], input=content, capture_output=True, check=False
        )
        return Outcome(_rows(done.stdout.decode("utf-8", "replace").splitlines()), 1.0, True)

    return read


def rapidocr() -> Read:
    """Read with RapidOCR, PP-OCR's models behind ONNX Runtime."""
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)

    def read(content: bytes) -> Outcome:
        found, _ = engine(content)
        rows: list[list[tuple[float, float, str]]] = []
        for corners, text, _confidence in sorted(
            found or [], key=lambda box: min(y for _, y in box[0])
        ):
            ys = [y for _, y in corners]
            middle, height = sum(ys) / len(ys), max(ys) - min(ys)
            if not rows or middle - rows[-1][0][0] > ROW_HEIGHT * height:
                rows.append([])
            rows[-1].append((middle, corners[0][0], text))
        return Outcome(
            _rows(
                "".join(text for _, _, text in sorted(row, key=lambda box: box[1])) for row in rows
            ),
            1.0,
            True,
        )

    return read


def _rows(lines: Iterator[str] | list[str]) -> str:
    digits = (re.sub(r"\D", "", line, flags=re.ASCII) for line in lines)
    return "\n".join(line for line in digits if line)


@click.command()
@click.option(
    "--numbers",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="A folder of labelled pictures, as digit-classifier evaluate --numbers takes it.",
)
def main(directory: Path) -> None:
    """Read numbers with three engines and print how right and how fast each is."""
    labelled = read_manifest(directory)
    kinds = sorted({item.kind for item in labelled})
    click.echo(f"| engine | all | digits wrong | {' | '.join(kinds)} | touching | ms a picture |")
    click.echo("|---" * (len(kinds) + 5) + "|")
    for name, make in (("ours", ours), ("Tesseract", tesseract), ("RapidOCR", rapidocr)):
        try:
            read = make()
        except ImportError as exc:
            click.echo(f"{name} is not installed ({exc}).", err=True)
            continue
        started = time.process_time() + sum(os.times()[2:4])
        figures = evaluate_numbers(labelled, read)
        seconds = time.process_time() + sum(os.times()[2:4]) - started
        shares = [figures["by_kind"][kind]["accuracy"] for kind in kinds]
        cells = [
            f"{figures['accuracy']:.1%}",
            f"{figures['digit_error_rate']:.1%}",
            *(f"{share:.1%}" for share in shares),
            f"{figures['touching']['accuracy']:.1%}",
            f"{1000 * seconds / len(labelled):.0f}",
        ]
        click.echo(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
