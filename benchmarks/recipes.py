"""Compare recipes on held-out training digits; the table in docs/training.md.

``python benchmarks/recipes.py --epochs 20`` trains every candidate from the same seed on the same
digits, with the cosine over those epochs, and prints its errors on the 5,000 digits held out, in
both polarities, and their negative log-likelihood after calibration, which chance moves less than
it does the errors. The test set plays no part.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from digit_classifier.datasets import Mnist, load_mnist
from digit_classifier.preprocessing.vectorize import InputScaling
from digit_classifier.settings import load_settings
from digit_classifier.training.augmentation import UNDISTURBED
from digit_classifier.training.calibration import fit_temperature, negative_log_likelihood
from digit_classifier.training.evaluation import logits_of
from digit_classifier.training.recipes import RECIPES, Recipe
from digit_classifier.training.trainer import Trainer

MLP, SOFTMAX = RECIPES["mlp"], RECIPES["softmax"]
#: What the other perceptrons differ from by one thing each.
PLAIN = replace(MLP, augmentation=UNDISTURBED)

CANDIDATES = {
    "mlp": MLP,
    "mlp, nothing but distorted": PLAIN,
    "the same, not put on black": replace(PLAIN, scaling=InputScaling()),
    "the same, learning rate 0.003": replace(PLAIN, learning_rate=3e-3),
    "the same, batches of 128, learning rate 0.0011": replace(
        PLAIN, batch_size=128, learning_rate=1.1e-3
    ),
    "the same, no label smoothing": replace(PLAIN, label_smoothing=0.0),
    "the same, dropout 0.1": replace(PLAIN, dropout=0.1),
    "the same, SGD with Nesterov momentum, learning rate 0.02": replace(
        PLAIN, optimizer="sgd", learning_rate=0.02
    ),
    "the same, elastic alpha 20-38, half of the strokes changed, by -0.7 to 1": replace(
        PLAIN,
        augmentation=replace(
            UNDISTURBED, elastic_alpha=(20, 38), stroke_share=0.5, stroke_width=(-0.7, 1.0)
        ),
    ),
    "softmax": SOFTMAX,
    "softmax, with the augmentation of mlp": replace(SOFTMAX, augmentation=MLP.augmentation),
}


@click.command()
@click.option("--epochs", default=20, show_default=True, help="With the cosine over all of them.")
@click.option("--seed", default=0, show_default=True)
@click.option("--only", help="The candidates whose names contain this.")
def main(epochs: int, seed: int, only: str | None) -> None:
    """Train every candidate and print its validation figures."""
    data = load_mnist(load_settings().data_dir)
    for name, candidate in CANDIDATES.items():
        if only is None or only in name:
            figures = ", ".join(_figures(replace(candidate, epochs=epochs), data, seed))
            click.echo(f"{name}: {figures}")


def _figures(recipe: Recipe, data: Mnist, seed: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "checkpoint.safetensors"
        trainer = Trainer("candidate", recipe, data, seed=seed, checkpoint=checkpoint)
        trainer.run()
    scores = trainer.validate()
    yield f"{scores.n_errors} / {scores.n_errors_inverted} errors of {scores.n_images:,}"
    both = np.concatenate([trainer.X_validation, 255 - trainer.X_validation])
    labels = np.tile(trainer.y_validation, 2)
    logits = logits_of(trainer.trained_network(), both, recipe.scaling)
    loss = negative_log_likelihood(logits, labels, fit_temperature(logits, labels))
    yield f"negative log-likelihood {loss:.4f}"


if __name__ == "__main__":
    main()
