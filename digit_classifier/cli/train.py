"""``digit-classifier train``."""

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

from digit_classifier.errors import CheckpointError
from digit_classifier.settings import load_settings

if TYPE_CHECKING:
    from digit_classifier.training.recipes import Recipe


@click.command()
@click.option("--classifier", default="mlp", show_default=True, help="softmax, mlp or cnn.")
@click.option("--name", help="Name of the trained model.  [default: the classifier's]")
@click.option("--epochs", type=click.IntRange(min=1), help="Instead of the recipe's.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Instead of the recipe's.")
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    help="Stop after so many epochs without a better validation accuracy; keep the best.",
)
@click.option("--seed", default=0, show_default=True, help="Of every random number of the run.")
@click.option("--resume", is_flag=True, help="Continue from the checkpoint of the same run.")
def train(
    *,
    classifier: str,
    name: str | None,
    epochs: int | None,
    batch_size: int | None,
    patience: int | None,
    seed: int,
    resume: bool,
) -> None:
    """Train a classifier on augmented and partly inverted MNIST.

    Ctrl-C leaves a checkpoint of the last finished epoch; --resume goes on from there. A finished
    run leaves none.
    """
    from digit_classifier.datasets import load_mnist
    from digit_classifier.model_store import model_file, save_model
    from digit_classifier.training import checkpoint
    from digit_classifier.training.trainer import Trainer

    settings = load_settings()
    recipe = _recipe(classifier, epochs=epochs, batch_size=batch_size, patience=patience)
    path = model_file(name or classifier, settings.models_dir)
    saved = path.with_name(checkpoint.FILE_NAME)
    trainer = Trainer(
        classifier, recipe, load_mnist(settings.data_dir), seed=seed, checkpoint=saved
    )
    if saved.exists() and not resume:
        raise CheckpointError(
            f"{saved} is of an interrupted run: --resume continues it. Remove it to begin anew."
        )
    if resume:
        trainer.resume()
        click.echo(f"Resuming after epoch {len(trainer.state.history)} of {recipe.epochs}.")
    try:
        trainer.run()
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted. {saved} has the last finished epoch; --resume continues.")
        sys.exit(130)
    metadata = trainer.metadata()
    save_model(trainer.trained_network(), metadata, path)
    saved.unlink()
    test = metadata.figures["test"]
    click.echo(f"test_accuracy: {test['accuracy']:.4f} white on black")
    click.echo(f"test_accuracy: {test['accuracy_inverted']:.4f} black on white")
    click.echo(f"Saved {path}.")


def _recipe(classifier: str, **overrides: Any) -> "Recipe":
    from digit_classifier.training.recipes import RECIPES

    if classifier not in RECIPES:
        raise click.BadParameter(
            f"{classifier!r} is none of {', '.join(RECIPES)}.", param_hint="--classifier"
        )
    given = {key: value for key, value in overrides.items() if value is not None}
    return dataclasses.replace(RECIPES[classifier], **given)
