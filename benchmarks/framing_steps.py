"""What each step of framing is worth: accuracy with all steps, and without one at a time.

``python -m benchmarks.framing_steps --digits DIR`` prints the figures of docs/preprocessing.md: the
sets of digits from elsewhere, as in ``foreign_digits.py``, and drawn pictures of the kinds that are
hard to frame, each with ten digits by several hands. One step after another is left out of the
pipeline of scikit-learn transformers.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from tqdm import tqdm

from benchmarks.hard_pictures import HARD_PICTURES, draw_hard
from benchmarks.pictures import Picture, foreign_sets, labels_of
from digit_classifier.errors import NoInkError
from digit_classifier.evaluation import markdown_table
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import load_model
from digit_classifier.preprocessing.decode import LOCAL_FILE_LIMITS, decode
from digit_classifier.preprocessing.framing import STEPS, frame_center
from digit_classifier.preprocessing.steps.ink import InkNotFoundError
from digit_classifier.preprocessing.transformers import framing_pipeline
from digit_classifier.settings import load_settings

#: Never left out: without them the result is not 28×28, or does not show the whole digit.
NEEDED = ("shrink", "crop_to_ink", "fit_box", "center_of_mass")
N_HANDS = 3

Grays = list[NDArray[np.uint8]]


@click.command()
@click.option(
    "--digits",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of sets.  [default: load_digits alone]",
)
@click.option("--model", default="mlp", show_default=True)
def main(digits: Path | None, model: str) -> None:
    """Print two tables: the sets of digits from elsewhere, and the drawn hard pictures."""
    classifier = DigitClassifier(load_model(model, load_settings().models_dir))
    click.echo(_table(classifier, foreign_sets(digits)) + "\n")
    click.echo(_table(classifier, _drawn_sets()))


def _drawn_sets() -> dict[str, list[Picture]]:
    return {
        kind: [
            Picture(draw_hard(kind, digit, seed), digit)
            for digit in range(10)
            for seed in range(N_HANDS)
        ]
        for kind in HARD_PICTURES
    }


def _table(classifier: DigitClassifier, sets: dict[str, list[Picture]]) -> str:
    """Return a row per set: the accuracy with all steps, and its change in points without each."""
    omitted = [step for step in STEPS if step not in NEEDED]
    header = ["set", "all steps", *omitted]
    return markdown_table(header, list(_rows(classifier, sets, omitted)))


def _rows(
    classifier: DigitClassifier, sets: dict[str, list[Picture]], omitted: Sequence[str]
) -> Iterator[list[str]]:
    whole = framing_pipeline()
    ways = [framing_pipeline().set_params(**{step: "passthrough"}) for step in omitted]
    for name, pictures in tqdm(sets.items(), leave=False, disable=None):
        grays = [decode(picture.content, LOCAL_FILE_LIMITS) for picture in pictures]
        labels = labels_of(pictures)
        accuracy = _accuracy(classifier, whole, grays, labels)
        changes = [_accuracy(classifier, way, grays, labels) - accuracy for way in ways]
        yield [name, f"{accuracy:.1%}", *(f"{100 * change:+.1f}" for change in changes)]


def _accuracy(
    classifier: DigitClassifier, framing: Pipeline, grays: Grays, labels: NDArray[np.int64]
) -> float:
    framed = [_framed(framing, gray) for gray in grays]
    is_read = np.array([image is not None for image in framed])
    images = np.stack([np.zeros((28, 28), np.uint8) if f is None else f for f in framed])
    read = classifier.predict_proba(images).argmax(axis=1)
    return float(((read == labels) & is_read).mean())


def _framed(framing: Pipeline, gray: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Frame one picture as `frame` does; None where there is no ink."""
    try:
        (image,) = framing.transform([gray])
    except InkNotFoundError:
        image = frame_center(gray)
    except NoInkError:
        return None
    found: NDArray[np.uint8] = image
    return found


if __name__ == "__main__":
    main()
