"""Time and memory of preprocessing by kind of picture; docs/operations.md has the times.

``OPENBLAS_NUM_THREADS=1 python -m benchmarks.preprocessing``, from the root of the clone, prints a
line a picture: its size in KiB; the median milliseconds of one core for decoding, for framing, and
for the least that one would write with Pillow alone (open, grayscale, 28×28); the ratio of the
first two to the third; and the MiB of memory that one request to ``/curl-api`` adds at its peak,
from the upload to the answer, in a service that has answered before.
"""

import multiprocessing
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

import click
import numpy as np
import typed_settings as ts
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from digit_classifier.preprocessing.decode import LOCAL_FILE_LIMITS, decode
from digit_classifier.preprocessing.framing import frame
from digit_classifier.settings import Settings
from digit_classifier.web import create_app
from tests.strokes import draw_digit, encode

MIN_CALLS = 5
#: A sheet of paper under a lamp, and the noise of a camera's sensor.
LIGHT = {
    "ink": (52, 48, 80), "paper": (214, 208, 196), "shade": 0.4, "vignette": 0.2, "noise": 14.0,
}  # fmt: skip


def pictures() -> Iterator[tuple[str, bytes]]:
    """Draw and encode each kind of picture, one after the other."""
    yield "28×28 PNG", encode(draw_digit(4), "PNG")
    canvas = draw_digit(3, size=(280, 280), paper=(0, 0, 0, 0))
    yield "280×280 PNG, transparent", encode(canvas, "PNG")
    yield "640×480 JPEG", encode(draw_digit(5, size=(640, 480), **LIGHT), "JPEG", quality=85)
    photo = draw_digit(2, size=(4000, 3000), **LIGHT)
    palette = photo.quantize(64)
    yield "12 Mpx JPEG", encode(photo, "JPEG", quality=88)
    yield "12 Mpx JPEG, progressive", encode(photo, "JPEG", quality=88, progressive=True)
    yield (
        "12 Mpx JPEG, progr. 4:4:4",
        encode(photo, "JPEG", quality=88, progressive=True, subsampling=0),
    )
    yield "12 Mpx WebP", encode(photo, "WebP", method=0)
    yield "12 Mpx PNG", encode(photo, "PNG", compress_level=1)
    yield "12 Mpx PNG, transparent", encode(photo.convert("RGBA"), "PNG", compress_level=1)
    yield "12 Mpx PNG, 16 bits", encode(_with_16_bits(photo), "PNG", compress_level=1)
    yield "12 Mpx PNG, palette", encode(palette, "PNG", compress_level=1)
    yield "12 Mpx GIF", encode(palette, "GIF")
    yield "12 Mpx TIFF", encode(photo, "TIFF", compression="tiff_lzw")
    yield "12 Mpx BMP", encode(photo, "BMP")


def _with_16_bits(photo: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)


def by_pillow(content: bytes) -> np.ndarray:
    """Do the least that gives 28×28 gray pixels of any picture."""
    with Image.open(BytesIO(content)) as image:
        return np.asarray(image.convert("L").resize((28, 28)))


def milliseconds(step: Callable[[], object], seconds: float) -> float:
    """Median processor time of a call, over as many as the seconds allow and a few at least."""
    step()
    times: list[float] = []
    while len(times) < MIN_CALLS or sum(times) < seconds:
        started = time.process_time()
        step()
        times.append(time.process_time() - started)
    return statistics.median(times) * 1000


def added_mebibytes(content: bytes) -> float:
    """Peak memory that a request with this file adds, measured in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, mp_context=context) as pool,
    ):
        file = Path(folder) / "picture"
        file.write_bytes(content)
        return pool.submit(_send, file).result()


def _send(file: Path) -> float:
    """Send the file to a service that has read a small one of its format before."""
    with Image.open(file) as image:
        small = encode(draw_digit(4, size=(64, 64), ink=(0, 0, 0)), image.format)
    settings = Settings(
        secret_key=ts.SecretStr("benchmark" * 4),
        models_dir=file.parent,
        max_upload_bytes=LOCAL_FILE_LIMITS.max_bytes,
    )
    client = create_app(settings).test_client()
    _post(client, _form(small))
    body = _form(file.read_bytes())
    before = _mebibytes("VmRSS")
    _post(client, body)
    return _mebibytes("VmHWM") - before


def _form(content: bytes) -> tuple[str, bytes]:
    return encode_multipart({"myfile": FileStorage(BytesIO(content), "picture")})


def _post(client: FlaskClient, form: tuple[str, bytes]) -> None:
    boundary, body = form
    content_type = f'multipart/form-data; boundary="{boundary}"'
    response = client.post("/curl-api", data=body, content_type=content_type)
    if response.status_code != HTTPStatus.OK:
        raise click.ClickException(response.text)


def _mebibytes(field: str) -> float:
    # not getrusage: its peak begins with that of the process that started this one
    status = Path("/proc/self/status").read_text()
    return int(re.findall(rf"{field}:\s+(\d+) kB", status)[0]) / 1024


def row(name: str, content: bytes, seconds: float) -> str:
    """Measure one picture, as a line of the table."""
    gray = decode(content, LOCAL_FILE_LIMITS)
    decoding = milliseconds(lambda: decode(content, LOCAL_FILE_LIMITS), seconds)
    framing = milliseconds(lambda: frame(gray), seconds)
    pillows = milliseconds(lambda: by_pillow(content), seconds)
    ratio = (decoding + framing) / pillows
    return (
        f"{name:<26} {len(content) / 1024:7.0f} {decoding:8.3f} {framing:7.3f} {pillows:8.3f}"
        f" {ratio:6.2f} {added_mebibytes(content):7.0f}"
    )


@click.command()
@click.option("--seconds", default=1.0, show_default=True, help="For the timing of each step.")
@click.option("--only", default="", help="Only the kinds of picture with this in their names.")
def main(seconds: float, only: str) -> None:
    """Print size, times, ratio to Pillow's and memory by kind of picture."""
    click.echo(
        f"{'':<26} {'KiB':>7} {'decode':>8} {'frame':>7} {'Pillow':>8} {'ratio':>6} {'memory':>7}"
    )
    for name, content in pictures():
        if only in name:
            click.echo(row(name, content, seconds))


if __name__ == "__main__":
    main()
