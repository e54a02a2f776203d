"""Pictures of the most confident mistakes: the file beside what framing made of it."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from benchmarks.pictures import Picture
from benchmarks.readings import Readings
from digit_classifier.preprocessing.decode import DecodeLimits, decode
from digit_classifier.preprocessing.framing import frame

_COLUMNS, _ROWS = 5, 4
_THUMBNAIL = 224  # pixels of its longest side


def draw_worst(
    title: str, pictures: Sequence[Picture], readings: Readings, limits: DecodeLimits
) -> Figure:
    """Draw the misread pictures of a set, the most confident first.

    Of non-digits, whatever was read is wrong; of digits, the refused ones come last.
    """
    wrong = np.flatnonzero(~readings.is_right & (readings.is_read | (readings.labels >= 0)))
    worst = wrong[np.argsort(-readings.confidence[wrong], kind="stable")][: _COLUMNS * _ROWS]
    figure = Figure(figsize=(15, 8.5), layout="constrained")
    figure.suptitle(f"{title}: {len(wrong):,} of {len(pictures):,} misread, the worst first")
    axes = figure.subplots(_ROWS, 2 * _COLUMNS).reshape(-1, 2)
    for original, framed in axes:
        original.set_axis_off()
        framed.set_axis_off()
    for (original, framed), index in zip(axes, worst, strict=False):
        _draw_original(original, pictures[index].content)
        original.set_title(_caption(readings, index), fontsize=9, loc="left")
        if readings.is_read[index]:
            image = frame(decode(pictures[index].content, limits), "auto").image
            framed.imshow(image, cmap="gray", vmin=0, vmax=255)
    return figure


def _draw_original(axes: Axes, content: bytes) -> None:
    with Image.open(BytesIO(content)) as image:
        image.thumbnail((_THUMBNAIL, _THUMBNAIL))
        axes.imshow(ImageOps.exif_transpose(image).convert("RGBA"))


def _caption(readings: Readings, index: np.intp) -> str:
    label = readings.labels[index] if readings.labels[index] >= 0 else "no digit"
    if not readings.is_read[index]:
        return f"{label} → refused"
    doubt = "" if readings.accepted[index] else ", doubted"
    return f"{label} → {readings.digits[index]}  {readings.confidence[index]:.0%}{doubt}"
