"""Digits with something else in the picture: how many are read right, by family of scenes.

``python -m benchmarks.scenes`` draws every family of ``tests/scenes`` in sixty forms and prints a
table; ``--only NAME`` takes the families whose name has that in it; ``--sheet FILE`` draws a
sheet with six forms of each family, and below each how it was read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import click
from PIL import Image, ImageDraw

from digit_classifier.errors import InputError
from digit_classifier.evaluation.tables import markdown_table
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import load_model
from digit_classifier.settings import load_settings
from tests.scenes import FAMILIES, FURTHER, draw_scene

N_FORMS, N_SHOWN = 60, 6
SIDE, CAPTION = 150, 14
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


def draw_sheet(
    pictures: Mapping[str, Sequence[bytes]], answers: Mapping[str, Sequence[Answer]]
) -> Image.Image:
    """Draw some pictures of each family in a row, and below each how it was read."""
    sheet = Image.new("RGB", (N_SHOWN * SIDE, len(pictures) * (SIDE + 2 * CAPTION)), DESK)
    draw = ImageDraw.Draw(sheet)
    for row, (family, contents) in enumerate(pictures.items()):
        top = row * (SIDE + 2 * CAPTION)
        draw.text((4, top), family, fill="white")
        for column, content in enumerate(contents[:N_SHOWN]):
            answer = answers[family][column]
            with Image.open(BytesIO(content)) as picture:
                picture.thumbnail((SIDE - 6, SIDE - 6))
                sheet.paste(picture.convert("RGB"), (column * SIDE, top + CAPTION))
            told = "no answer" if answer.digit is None else f"{answer.digit}"
            told += f" {answer.confidence:.0%}" + ("" if answer.accepted else ", not accepted")
            color = RIGHT if answer.is_right else WRONG
            draw.text((column * SIDE, top + CAPTION + SIDE - 6), told, fill=color)
    return sheet


@click.command()
@click.option("--model", default="mlp", show_default=True)
@click.option("--only", default="", help="Only the families with this in their names.")
@click.option("--seed", default=0, show_default=True, help="Of the drawings.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path))
def main(model: str, only: str, seed: int, sheet: Path | None) -> None:
    """Print two tables: the families that are to be read, and further ones."""
    classifier = DigitClassifier(load_model(model, load_settings().models_dir))
    pictures, answers = {}, {}
    for families in (FAMILIES, FURTHER):
        chosen = [family for family in families if only in family]
        for family in chosen:
            pictures[family] = [draw_scene(family, index, seed) for index in range(N_FORMS)]
            answers[family] = [
                read(classifier, content, index % 10)
                for index, content in enumerate(pictures[family])
            ]
        if chosen:
            click.echo(table({family: answers[family] for family in chosen}) + "\n")
    if sheet:
        draw_sheet(pictures, answers).save(sheet, optimize=True)


if __name__ == "__main__":
    main()
