"""Compare augmentations on held-out training digits; the table in docs/training.md.

``python benchmarks/augmentation.py --epochs 40`` trains every candidate from the same seed on the
same digits and prints its validation errors in both polarities. The test set plays no part.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from digit_classifier.datasets import load_mnist
from digit_classifier.settings import load_settings
from digit_classifier.training.augmentation import Augmentation
from digit_classifier.training.recipes import RECIPES
from digit_classifier.training.trainer import Trainer

CANDIDATES = {
    "mlp, as shipped": RECIPES["mlp"],
    "mlp, elastic alpha 20-38, half of the strokes changed, by -0.7 to 1": replace(
        RECIPES["mlp"],
        augmentation=Augmentation(
            elastic_alpha=(20, 38), stroke_share=0.5, stroke_width=(-0.7, 1.0)
        ),
    ),
    "softmax, as in its recipe": RECIPES["softmax"],
    "softmax, with the distortions of mlp": replace(
        RECIPES["softmax"], augmentation=RECIPES["mlp"].augmentation
    ),
}


@click.command()
@click.option("--epochs", default=40, show_default=True, help="With the cosine over all of them.")
@click.option("--seed", default=0, show_default=True)
def main(epochs: int, seed: int) -> None:
    """Train every candidate and print its validation errors."""
    data = load_mnist(load_settings().data_dir)
    for name, candidate in CANDIDATES.items():
        recipe = replace(candidate, epochs=epochs)
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "checkpoint.safetensors"
            trainer = Trainer(name, recipe, data, seed=seed, checkpoint=checkpoint)
            trainer.run()
        scores = trainer.validate()
        click.echo(f"{name}: {scores.n_errors} / {scores.n_errors_inverted} of {scores.n_images}")


if __name__ == "__main__":
    main()
