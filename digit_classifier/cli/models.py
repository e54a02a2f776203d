"""``digit-classifier models``."""

import click

from digit_classifier.settings import load_settings


@click.group()
def models() -> None:
    """Look at the trained models."""


@models.command("list")
def list_() -> None:
    """List the models that can be used, each verified."""
    from digit_classifier.model_store import list_models, read_model_file

    for name, path in list_models(load_settings().models_dir).items():
        model = read_model_file(path, name)
        test = model.metadata.figures["test"]
        click.echo(
            f"{name}  {model.version}  {model.metadata.classifier}  "
            f"{model.network.parameters.size:,} parameters  "
            f"MNIST test accuracy {test['accuracy']:.2%} / {test['accuracy_inverted']:.2%} inverted"
        )
