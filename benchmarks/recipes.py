"""Compare recipes on held-out training digits; the table in docs/training.md.

``python -m benchmarks.recipes --epochs 12`` trains every candidate from the same seed on the same
digits, with the cosine over those epochs, and judges it by the 5,000 digits held out: their
negative log-likelihood after calibration as they are and augmented, which chance moves less than it
does the errors, and the share of 400 rows of two to five of them that the reader of numbers reads
wholly right. With ``--digits DIR`` also the share read of digits from elsewhere, as in
``foreign_digits.py``. The test set plays no part.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.pictures import foreign_sets, labels_of
from digit_classifier.datasets import Mnist, load_mnist
from digit_classifier.errors import InputError
from digit_classifier.evaluation.calibration import fit_temperature, negative_log_likelihood
from digit_classifier.evaluation.metrics import logits_of
from digit_classifier.numbers.reader import PredictLogits, read_rows
from digit_classifier.preprocessing.decode import DecodeLimits, decode
from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.vectorize import InputScaling
from digit_classifier.settings import load_settings
from digit_classifier.training.augmentation import GEOMETRIC_ONLY
from digit_classifier.training.epoch_training_run import EpochTrainingRun
from digit_classifier.training.recipes import RECIPES, Recipe
from digit_classifier.training.synthesis.number_rows import compose

Digits = tuple[NDArray[np.uint8], NDArray[np.int64]]

LIMITS = DecodeLimits(max_bytes=64 * 1024 * 1024)
MLP, SOFTMAX = RECIPES["mlp"], RECIPES["softmax"]
WORLD = MLP.augmentation
#: What the other perceptrons differ from by one thing each.
PLAIN = replace(
    MLP,
    augmentation=replace(GEOMETRIC_ONLY, stretched_share=0),
    n_negatives=0,
    n_row_digits=0,
    n_row_pieces=0,
    negative_share=0,
)

CANDIDATES = {
    "mlp": MLP,
    "1024-512-256": replace(MLP, hidden_layer_sizes=(1024, 512, 256)),
    "label smoothing 0.05": replace(MLP, label_smoothing=0.05),
    "without pieces of rows": replace(MLP, n_row_digits=0, n_row_pieces=0),
    "digits alone": replace(MLP, n_negatives=0, n_row_digits=0, n_row_pieces=0, negative_share=0),
    "without other ways to write": replace(
        MLP,
        augmentation=replace(
            WORLD, flagged_share=0, barred_share=0, hooked_share=0, opened_share=0
        ),
    ),
    "never stretched": replace(MLP, augmentation=replace(WORLD, stretched_share=0)),
    "never scanned": replace(
        MLP,
        augmentation=replace(WORLD, coarse_share=0, hard_share=0, blurred_share=0, stained_share=0),
    ),
    "nothing but distorted": PLAIN,
    "the same, not put on black": replace(PLAIN, scaling=InputScaling()),
    "softmax": SOFTMAX,
    "softmax, with the augmentation of mlp": replace(SOFTMAX, augmentation=WORLD),
}
#: Times that the held-out digits are augmented, and rows that are composed of them.
N_AUGMENTED, N_ROWS = 3, 400


@click.command()
@click.option("--epochs", default=12, show_default=True, help="With the cosine over all of them.")
@click.option("--seed", default=0, show_default=True)
@click.option("--only", help="The candidates whose names contain this.")
@click.option(
    "--digits",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of sets of digits from elsewhere, to be read as well.",
)
def main(epochs: int, seed: int, only: str | None, digits: Path | None) -> None:
    """Train every candidate and print its validation figures."""
    data = load_mnist(load_settings().data_dir)
    foreign = _framed_digits(digits) if digits else None
    for name, candidate in CANDIDATES.items():
        if only is None or only in name:
            recipe = replace(candidate, epochs=epochs)
            click.echo(f"{name}: {', '.join(_figures(recipe, data, seed, foreign))}")


def _framed_digits(folder: Path) -> Digits:
    """Return all digits of all sets, framed, and their labels; -1 where nothing was found."""
    pictures = [picture for of_set in foreign_sets(folder).values() for picture in of_set]
    images, labels = np.zeros((len(pictures), 28, 28), np.uint8), labels_of(pictures)
    for index, picture in enumerate(pictures):
        try:
            images[index] = frame(decode(picture.content, LIMITS)).image
        except InputError:
            labels[index] = -1  # whatever is read, it is wrong
    return images, labels


def _figures(recipe: Recipe, data: Mnist, seed: int, foreign: Digits | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint.safetensors"
        trainer = EpochTrainingRun("candidate", recipe, data, seed=seed, checkpoint=checkpoint)
        trainer.run()
    trained, labels = trainer.trained_classifier(), trainer.y_validation
    logits = logits_of(trained, trainer.X_validation, recipe.scaling)
    yield f"{(logits.argmax(axis=1) != labels).sum()} errors of {len(labels):,}"
    temperature = fit_temperature(logits, labels)
    yield f"negative log-likelihood {negative_log_likelihood(logits, labels, temperature):.4f}"
    harder, labels = _augmented(trainer.X_validation, labels)
    logits = logits_of(trained, harder, recipe.scaling)
    temperature = fit_temperature(logits, labels)
    yield f"augmented {negative_log_likelihood(logits, labels, temperature):.4f}"
    rows = _rows(trainer.X_validation, trainer.y_validation)
    right = [
        text == _read(row, lambda images: logits_of(trained, images, recipe.scaling), temperature)
        for row, text in rows
    ]
    yield f"{np.mean(right):.1%} of {len(right)} rows"
    if foreign is not None:
        images, expected = foreign
        read = logits_of(trained, images, recipe.scaling).argmax(axis=1)
        yield f"{(read == expected).mean():.1%} of {len(expected):,} foreign digits"


def _augmented(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Digits:
    """Augment each image several times, the same for every candidate."""
    rng, repeated = np.random.default_rng(0), np.tile(labels, N_AUGMENTED).astype(np.int64)
    return WORLD(np.tile(images, (N_AUGMENTED, 1, 1)), repeated, rng), repeated


def _rows(
    images: NDArray[np.uint8], labels: NDArray[np.uint8]
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """Compose rows of digits, the same for every candidate, and yield each with its text."""
    rng = np.random.default_rng(1)
    for _ in range(N_ROWS):
        chosen = rng.integers(0, len(images), int(rng.integers(2, 6)))
        picture, _owners = compose(images[chosen], rng)
        yield 255 - picture, "".join(map(str, labels[chosen]))


def _read(row: NDArray[np.uint8], predict_logits: PredictLogits, temperature: float) -> str:
    try:
        read = read_rows(
            row, predict_logits, temperature=temperature, shown_shape=(row.shape[0], row.shape[1])
        )
    except InputError:
        return ""
    return "\n".join(
        "".join(str(digit.digit) for group in of_row.groups for digit in group)
        for of_row in read.rows
    )


if __name__ == "__main__":
    main()
