"""How long one picture takes by its size, in this process; a part of benchmarks.cost."""

import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import click
import numpy as np
from PIL import Image

from benchmarks.peer_environments import NO_MODELS
from digit_classifier.datasets.samples import MnistTestSet
from digit_classifier.evaluation import markdown_table
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import load_model
from digit_classifier.preprocessing.decode import LOCAL_FILE_LIMITS
from digit_classifier.settings import load_settings

SIZES = (*((side, side) for side in (28, 64, 128, 320, 640, 1280, 2048)), (4000, 3000))
FORMATS: dict[str, dict[str, int]] = {"PNG": {"compress_level": 1}, "JPEG": {"quality": 85}}
STAGES = ("decode", "frame", "network")
SECONDS, MIN_CALLS = 0.1, 3  # of each measurement, at least

Record = dict[str, Any]


def photograph(digit: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Write a light digit in dark ink on paper, in uneven light and with a sensor's noise."""
    width, height = size
    side = min(size)
    rng = np.random.default_rng(0)
    ink = np.zeros((height, width, 1), np.float32)
    top, left = (height - side) // 2, (width - side) // 2
    enlarged = digit.resize((side, side), Image.Resampling.BICUBIC)
    ink[top : top + side, left : left + side, 0] = np.asarray(enlarged) / np.float32(255)
    light = np.linspace(1, 0.7, width, dtype=np.float32)[:, np.newaxis]
    paper = np.array([214, 208, 196], np.float32) * light  # (width, 3)
    picture = paper + ink * (np.array([52, 48, 80], np.float32) - paper)
    picture += 4 * rng.standard_normal(picture.shape, np.float32)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def measure(n_rounds: int) -> list[Record]:
    """Return a record a size and format, with the milliseconds of each stage."""
    classifier = DigitClassifier(load_model("mlp", NO_MODELS), limits=LOCAL_FILE_LIMITS)
    test_set = MnistTestSet(load_settings().data_dir)
    digit = Image.open(BytesIO(test_set.picture(0)))
    files = {
        (size, name): _encoded(photograph(digit, size), name) for size in SIZES for name in FORMATS
    }
    found: dict[Any, list[dict[str, float]]] = defaultdict(list)
    for _ in range(n_rounds):
        for case, content in files.items():
            found[case].extend(_calls(classifier, content, test_set.label(0)))
    return [
        {"width": size[0], "height": size[1], "format": name, "n_bytes": len(files[size, name])}
        | {what: statistics.median(call[what] for call in calls) for what in (*STAGES, "total")}
        for (size, name), calls in found.items()
    ]


def _encoded(picture: Image.Image, name: str) -> bytes:
    file = BytesIO()
    picture.save(file, name, **FORMATS[name])
    return file.getvalue()


def _calls(classifier: DigitClassifier, content: bytes, label: int) -> Iterator[dict[str, float]]:
    """Read a picture over and over, and yield what each stage took; it must be read aright."""
    end, count = time.perf_counter() + SECONDS, 0
    while count < MIN_CALLS or time.perf_counter() < end:
        prediction = classifier.predict(content)
        if prediction.digit != label:
            raise click.ClickException(f"A {label} is read as {prediction.digit}.")
        stages = {stage: getattr(prediction.stages, f"{stage}_ms") for stage in STAGES}
        yield {**stages, "total": prediction.elapsed_ms}
        count += 1


def tables(records: list[Record]) -> str:
    """Return the milliseconds by size, format and stage as Markdown."""
    rows = [
        [
            f"{record['width']}×{record['height']}",
            record["format"],
            f"{record['n_bytes'] / 1000:,.1f} kB",
            *(f"{record[what]:,.2f}" for what in (*STAGES, "total")),
        ]
        for record in records
    ]
    return markdown_table(["pixels", "format", "file", *STAGES, "total, ms"], rows)
