"""Draw how a number is read, by ``python -m benchmarks.number_path``, into docs/images.

The number is drawn by the project's own pen, its digits touching. The plot shows the candidate
cuts, each hypothesis as the network sees it, with its best digit and that one's probability, and
the best path through them.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image

from digit_classifier.models.store import PRETRAINED, read_model_file
from digit_classifier.numbers import score_hypotheses, skip_scores
from digit_classifier.numbers.foreground import local_contrast
from digit_classifier.numbers.hypotheses import Line, make_lines
from digit_classifier.numbers.path import find_path
from digit_classifier.numbers.rules import find_ink
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.training.synthesis import Points, parse_strokes, place, rasterize
from tests.strokes import FORMS

OUTPUT = Path(__file__).parents[1] / "docs" / "images" / "number_path.png"
NUMBER = "4989"
#: Pixels: height of a digit, its pen, and how far the next one begins after it.
HEIGHT, PEN, STEP = 120, 9, 72
COLUMNS = 12
BLUE = "#1f6feb"


def draw_number() -> NDArray[np.uint8]:
    """Draw the number dark on white, shape (height, width), its digits touching."""
    curves: list[Points] = []
    for index, digit in enumerate(NUMBER):
        middle = (90 + index * STEP, 100 + 4 * (-1) ** index)
        curves += place(parse_strokes(FORMS[int(digit)][0]), HEIGHT, middle)
    size = (2 * 90 + (len(NUMBER) - 1) * STEP, 200)
    return 255 - np.asarray(rasterize(curves, size, PEN, oversampling=2))


def main() -> None:
    """Write the plot."""
    mpl.use("Agg")
    model = read_model_file(PRETRAINED / "cnn" / "model.safetensors", "cnn")
    gray = draw_number()
    (line,) = make_lines(*find_ink(local_contrast(gray)))
    framed = np.stack([hypothesis.framed for hypothesis in line.hypotheses])
    logits = model.classifier.predict_logits(vectorize(framed, model.metadata.input_scaling))
    scores, probabilities = score_hypotheses(logits, model.metadata.temperature)
    path = find_path(line.hypotheses, scores, skip_scores(line))
    draw(gray, line, framed, probabilities, path.chosen).savefig(OUTPUT, dpi=110)
    with Image.open(OUTPUT) as picture:
        picture.quantize(64).save(OUTPUT, optimize=True)


def draw(
    gray: NDArray[np.uint8],
    line: Line,
    framed: NDArray[np.uint8],
    probabilities: NDArray[np.floating],
    chosen: list[int],
) -> plt.Figure:
    """Draw the picture with its segments above the hypotheses, those of the path in blue."""
    n_rows = -(-len(framed) // COLUMNS)
    figure = plt.figure(figsize=(9, 2.6 + 1.05 * n_rows), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[2.6, 1.05 * n_rows])
    axes = above.subplots()
    axes.imshow(gray, cmap="gray", vmin=0, vmax=255)
    for segment in line.segments:
        box = (segment.left, segment.top), segment.ink.shape[1], segment.ink.shape[0]
        axes.add_patch(Rectangle(*box, fill=False, edgecolor="#999", linestyle=":"))
    for index in chosen:
        box = line.hypotheses[index].box
        axes.add_patch(
            Rectangle((box.left, box.top), box.width, box.height, fill=False, edgecolor=BLUE)
        )
        digit = int(probabilities[index].argmax())
        axes.text(box.left + box.width / 2, box.top - 6, str(digit), color=BLUE, ha="center")
    axes.axis("off")
    tiles = below.subplots(n_rows, COLUMNS, squeeze=False).ravel()
    for index, tile in enumerate(tiles):
        tile.axis("off")
        if index < len(framed):
            best = probabilities[index].max()
            tile.imshow(255 - framed[index], cmap="gray", vmin=0, vmax=255)
            is_chosen = index in chosen
            tile.set_title(
                f"{probabilities[index].argmax()} {best:.0%}",
                fontsize=8,
                color=BLUE if is_chosen else "black",
                fontweight="bold" if is_chosen else "normal",
            )
    return figure


if __name__ == "__main__":
    main()
