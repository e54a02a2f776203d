"""``digit-classifier models``."""

from typing import Any

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
        click.echo(
            f"{name}  {model.version}  {model.metadata.classifier}  "
            f"{model.n_parameters:,} parameters  {_figures(model.metadata.figures)}"
        )


def _figures(figures: dict[str, Any]) -> str:
    test = figures.get("test")
    if test is None:
        return "not measured"
    accuracy, inverted = test["accuracy"], test["accuracy_inverted"]
    return f"MNIST test accuracy {accuracy:.2%} / {inverted:.2%} inverted"
