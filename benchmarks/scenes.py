"""Digits with something else in the picture: how many are read right, by family of scenes.

``python -m benchmarks.scenes`` draws every family of ``tests/scenes`` in sixty forms and prints a
table; ``--only NAME`` takes the families whose name has that in it. ``--sheet FILE`` draws the
picture in docs/preprocessing.md: a form of each family, and beside it what the chosen proposal and
the runner-up make of it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from digit_classifier.errors import InputError
from digit_classifier.evaluation import markdown_table
from digit_classifier.framed_images import frame_or_keep
from digit_classifier.framing_choice import choose_proposal
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import load_model
from digit_classifier.scenes import plausibility_of_whole, propose
from digit_classifier.settings import load_settings
from tests.scenes import FAMILIES, FURTHER, draw_scene

N_FORMS = 60
N_COLUMNS, SIDE, FRAMED_SIDE, MARGIN, CAPTION = 4, 112, 84, 6, 14
DESK, RIGHT, WRONG = (70, 70, 74), (150, 230, 150), (255, 140, 120)


@dataclass(frozen=True)
class Answer:
    """What a picture was read as.

    Attributes
    ----------
    label : int
        What it shows.
    digit : int or None
        None where the answer is an error.
    accepted : bool
    confidence : float
    """

    label: int
    digit: int | None
    accepted: bool
    confidence: float

    @property
    def is_right(self) -> bool:
        """Whether the digit is the one shown, accepted or not."""
        return self.digit == self.label


def read(classifier: DigitClassifier, content: bytes, label: int) -> Answer:
    """Read one file."""
    try:
        prediction = classifier.predict(content)
    except InputError:
        return Answer(label, None, accepted=False, confidence=0.0)
    return Answer(label, prediction.digit, prediction.accepted, prediction.confidence)


def table(answers: Mapping[str, Sequence[Answer]]) -> str:
    """Count the answers of each family, and of all; answers that are not accepted count too."""
    rows = [_row(family, of_family) for family, of_family in answers.items()]
    pooled = [answer for of_family in answers.values() for answer in of_family]
    return markdown_table(
        ["scene", "pictures", "right", "right, accepted", "wrong", "wrong, accepted"],
        [*rows, _row("all", pooled)],
    )


def _row(name: str, answers: Sequence[Answer]) -> list[str]:
    counts = (
        len(answers),
        sum(answer.is_right for answer in answers),
        sum(answer.is_right and answer.accepted for answer in answers),
        sum(not answer.is_right for answer in answers),
        sum(not answer.is_right and answer.accepted for answer in answers),
    )
    return [name, *map(str, counts)]


def draw_sheet(classifier: DigitClassifier, families: Sequence[str]) -> Image.Image:
    """Draw a form of each family, with the chosen proposal and the runner-up beside it."""
    n_rows = -(-len(families) // N_COLUMNS)
    width, height = SIDE + 2 * FRAMED_SIDE + 3 * MARGIN, SIDE + 2 * CAPTION
    sheet = Image.new("RGB", (N_COLUMNS * width, n_rows * height), DESK)
    draw = ImageDraw.Draw(sheet)
    for index, family in enumerate(families):
        left, top = index % N_COLUMNS * width, index // N_COLUMNS * height
        content, label = draw_scene(family, index), index % 10
        draw.text((left, top), family, fill="white")
        with Image.open(BytesIO(content)) as picture:
            picture.thumbnail((SIDE, SIDE))
            sheet.paste(picture.convert("RGB"), (left, top + CAPTION))
        for place, (framed, probabilities) in enumerate(best_two(classifier, content)):
            x, y = left + SIDE + MARGIN + place * (FRAMED_SIDE + MARGIN), top + CAPTION
            shown = Image.fromarray(framed).resize((FRAMED_SIDE, FRAMED_SIDE))
            sheet.paste(shown.convert("RGB"), (x, y))
            caption = f"{probabilities.argmax()}: {probabilities.max():.0%}"
            color = RIGHT if probabilities.argmax() == label else WRONG
            draw.text((x, y + FRAMED_SIDE), caption, fill=color)
    return sheet


def best_two(
    classifier: DigitClassifier, content: bytes
) -> list[tuple[NDArray[np.uint8], NDArray[np.floating]]]:
    """Return the chosen proposal and the runner-up: framed, and what the network makes of it."""
    whole = frame_or_keep(content, classifier.limits, classifier.framing)
    proposals = propose(whole.reduced)
    of_whole = plausibility_of_whole(proposals) if whole.no_ink is None else -math.inf
    images = np.stack([whole.framed.image, *(p.framed.image for p in proposals)])
    probabilities = classifier.predict_proba(images)
    plausibilities = [of_whole, *(p.plausibility for p in proposals)]
    best = choose_proposal(probabilities, plausibilities).index
    others = [index for index in range(len(images)) if index != best]
    order = [best]
    if others:
        runner_up = choose_proposal(
            probabilities[others], [plausibilities[i] for i in others]
        ).index
        order.append(others[runner_up])
    return [(images[index], probabilities[index]) for index in order]


@click.command()
@click.option("--model", default="mlp", show_default=True)
@click.option("--only", default="", help="Only the families with this in their names.")
@click.option("--seed", default=0, show_default=True, help="Of the drawings.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path))
def main(model: str, only: str, seed: int, sheet: Path | None) -> None:
    """Print two tables: the families that are to be read, and further ones."""
    classifier = DigitClassifier(load_model(model, load_settings().models_dir))
    for families in (FAMILIES, FURTHER):
        answers = {}
        for family in (family for family in families if only in family):
            answers[family] = [
                read(classifier, draw_scene(family, index, seed), index % 10)
                for index in range(N_FORMS)
            ]
        if answers:
            click.echo(table(answers) + "\n")
    if sheet:
        chosen = [family for family in FAMILIES | FURTHER if only in family]
        draw_sheet(classifier, chosen).quantize(128).save(sheet, optimize=True)


if __name__ == "__main__":
    main()
