"""``digit-classifier models``."""

import sys
from pathlib import Path

import click

from digit_classifier.errors import ModelError
from digit_classifier.settings import load_settings


@click.group()
def models() -> None:
    """Look at the trained models."""


@models.command("list")
def list_() -> None:
    """List the models that can be used, each verified.

    The exit status is 1 if one cannot be used, which its line says.
    """
    from digit_classifier.models.store import list_models, read_model_file

    # all are listed, whatever is wrong with one: the operator looks for the one to use instead
    all_read = True
    for name, path in list_models(load_settings().models_dir).items():
        try:
            model = read_model_file(path, name)
        except ModelError as exc:
            click.echo(f"{name}  error: {exc}")
            all_read = False
            continue
        measured = "not measured"
        if test := model.metadata.figures.get("test"):
            accuracy, inverted = test["accuracy"], test["accuracy_inverted"]
            measured = f"MNIST test accuracy {accuracy:.2%} / {inverted:.2%} inverted"
        click.echo(
            f"{name}  {model.version}  {model.metadata.classifier}  "
            f"{model.n_parameters:,} parameters  {measured}"
        )
    sys.exit(0 if all_read else 1)


@models.command()
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the picture goes.  [default: model.png in the model's folder of models]",
)
def show(name: str, output: Path | None) -> None:
    """Draw what the model's first layer looks for, and print its layers.

    Red speaks for it, blue against it. Softmax regression has a filter for each digit, a perceptron
    for each unit, a convolutional network for each channel.
    """
    from digit_classifier.evaluation.filters_plot import draw_filters
    from digit_classifier.models.store import SUFFIX, load_model, model_file

    settings = load_settings()
    model = load_model(name, settings.models_dir)
    picture = draw_filters(model.classifier, model.metadata.image_shape)
    if picture is None:
        raise click.ClickException(f"A {model.metadata.classifier!r} has no filters to be seen.")
    # not beside a shipped model, in the package: its next release would remove the picture
    path = Path(name) if name.endswith(SUFFIX) else model_file(name, settings.models_dir)
    target = output or path.with_suffix(".png")
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.save(target, "PNG")
    for layer in model.classifier.architecture:
        click.echo("  ".join(str(value) for value in layer.values()))
    click.echo(f"Wrote {target}.")


@models.command()
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: NAME.onnx]",
)
def export(name: str, output: Path | None) -> None:
    """Write the model as ONNX, for other engines.

    It takes framed digits and gives calibrated probabilities; docs/estimators.md describes both.
    """
    from digit_classifier.models.onnx_export import export_onnx
    from digit_classifier.models.store import load_model

    model = load_model(name, load_settings().models_dir)
    target = output or Path(f"{model.name}.onnx")
    export_onnx(model, target)
    click.echo(f"Wrote {target}.")
