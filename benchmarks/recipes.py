"""Compare recipes on held-out training digits; the table in docs/training.md.

``python -m benchmarks.recipes --epochs 20`` trains every candidate from the same seed on the same
digits, with the cosine over those epochs, and prints its errors on the 5,000 digits held out, in
both polarities, and their negative log-likelihood after calibration, which chance moves less than
it does the errors. With ``--digits DIR`` also the share read of digits from elsewhere, as in
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
from digit_classifier.evaluation.metrics import fit_temperature, logits_of, negative_log_likelihood
from digit_classifier.preprocessing.decode import LOCAL_FILE_LIMITS, decode
from digit_classifier.preprocessing.framing import frame
from digit_classifier.preprocessing.vectorize import InputScaling
from digit_classifier.settings import load_settings
from digit_classifier.training.augmentation import GEOMETRIC_ONLY
from digit_classifier.training.epoch_training_run import EpochTrainingRun
from digit_classifier.training.recipes import RECIPES, Recipe

Digits = tuple[NDArray[np.uint8], NDArray[np.int64]]

MLP, SOFTMAX = RECIPES["mlp"], RECIPES["softmax"]
#: The perceptron without its last three forms, which docs/training.md measured most others without.
WITHOUT_LAST_FORMS = replace(
    MLP,
    augmentation=replace(MLP.augmentation, curled_share=0, shrunk_share=0, shortened_share=0),
)
#: What the other perceptrons differ from by one thing each.
PLAIN = replace(
    MLP, augmentation=replace(GEOMETRIC_ONLY, stretched_share=0), n_negatives=0, negative_share=0
)

CANDIDATES = {
    "mlp": MLP,
    "mlp, shown digits alone": replace(MLP, n_negatives=0, negative_share=0),
    "mlp, without curled and small-looped 9s and short 4s": WITHOUT_LAST_FORMS,
    "mlp, without any form that MNIST lacks": replace(
        WITHOUT_LAST_FORMS,
        augmentation=replace(
            WITHOUT_LAST_FORMS.augmentation, flagged_share=0, barred_share=0, hooked_share=0
        ),
    ),
    "mlp, upright": replace(MLP, scaling=replace(MLP.scaling, upright=True)),
    "mlp, never stretched": replace(MLP, augmentation=replace(MLP.augmentation, stretched_share=0)),
    "mlp, never scanned": replace(
        MLP,
        augmentation=replace(
            MLP.augmentation, coarse_share=0, hard_share=0, blurred_share=0, stained_share=0
        ),
    ),
    "mlp, nothing but distorted": PLAIN,
    "the same, not put on black": replace(PLAIN, scaling=InputScaling()),
    "the same, no label smoothing": replace(PLAIN, label_smoothing=0.0),
    "softmax": SOFTMAX,
    "softmax, with the augmentation of mlp": replace(SOFTMAX, augmentation=MLP.augmentation),
}


@click.command()
@click.option("--epochs", default=20, show_default=True, help="With the cosine over all of them.")
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
            images[index] = frame(decode(picture.content, LOCAL_FILE_LIMITS)).image
        except InputError:
            labels[index] = -1  # whatever is read, it is wrong
    return images, labels


def _figures(recipe: Recipe, data: Mnist, seed: int, foreign: Digits | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint.safetensors"
        trainer = EpochTrainingRun("candidate", recipe, data, seed=seed, checkpoint=checkpoint)
        trainer.run()
    scores = trainer.validate()
    yield f"{scores.n_errors} / {scores.n_errors_inverted} errors of {scores.n_images:,}"
    both = np.concatenate([trainer.X_validation, 255 - trainer.X_validation])
    labels = np.tile(trainer.y_validation, 2)
    logits = logits_of(trainer.trained_classifier(), both, recipe.scaling)
    loss = negative_log_likelihood(logits, labels, fit_temperature(logits, labels))
    yield f"negative log-likelihood {loss:.4f}"
    if foreign is not None:
        images, expected = foreign
        read = logits_of(trainer.trained_classifier(), images, recipe.scaling).argmax(axis=1)
        yield f"{(read == expected).mean():.1%} of {len(expected):,} foreign digits"


if __name__ == "__main__":
    main()
