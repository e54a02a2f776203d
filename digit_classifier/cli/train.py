"""``digit-classifier data``, ``train`` and ``models``: MNIST, training, and the trained models."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digit_classifier.errors import ModelError, ModelNotFoundError, UnknownClassifierError
from digit_classifier.settings import Settings, load_settings

if TYPE_CHECKING:
    from digit_classifier.datasets import Mnist
    from digit_classifier.models.model import Model

_DEFAULT_CLASSIFIER = "mlp"


@click.group()
def data() -> None:
    """Fetch MNIST and look at it."""


@data.command()
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, path_type=Path),
    help="Take them from here instead of downloading them: a folder of the four IDX files, "
    "torchvision's, Keras's mnist.npz, or the folder of mnist_train.csv and mnist_test.csv.",
)
def fetch(source: Path | None) -> None:
    """Bring the four MNIST files, verified, into the data folder."""
    from digit_classifier.datasets.fetch import fetch_mnist

    directory = load_settings().data_dir
    fetch_mnist(directory, source=source, report=click.echo)
    click.echo(f"MNIST is in {directory}.")


@data.command("show")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--augmented", is_flag=True, help="As training sees them: distorted, half inverted.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Chooses the digits."
)
def show_digits(output: Path, augmented: bool, seed: int) -> None:
    """Write a sheet of training digits as a picture."""
    from digit_classifier.datasets import load_mnist
    from digit_classifier.training.augmentation import draw_preview

    sheet = draw_preview(load_mnist(load_settings().data_dir), augmented=augmented, seed=seed)
    try:
        sheet.save(output)
    except ValueError as exc:  # of an unknown suffix
        raise click.BadParameter(
            "the name must end as a picture's does, such as .png.", param_hint="--output"
        ) from exc
    click.echo(f"Wrote {output}.")


@click.command()
@click.option(
    "--classifier",
    help="softmax, mlp, cnn, or another of digit_classifier.models.  "
    "[default: that of --name, or mlp]",
)
@click.option("--name", help="Name of the trained model.  [default: the classifier's]")
@click.option(
    "--weights",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the model to this file (.safetensors) instead of the folder of models.",
)
@click.option(
    "--epochs",
    "--num-epochs",
    type=click.IntRange(min=0),
    help="Instead of the recipe's; 0 with --start-from only reduces ranks and calibrates.",
)
@click.option("--batch-size", type=click.IntRange(min=1), help="Instead of the recipe's.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Its peak, instead of the recipe's.",
)
@click.option(
    "--start-from",
    metavar="MODEL",
    help="Begin with the parameters of this model, a name or a file, instead of random ones.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    help="Stop after so many epochs without a better validation accuracy; keep the best.",
)
@click.option(
    "--data",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Train on the labelled pictures of this folder ('<label>_*', or one subfolder a label), "
    "framed as uploads are, instead of MNIST.",
)
@click.option("--add-mnist", is_flag=True, help="Train on --data and MNIST; MNIST's test counts.")
@click.option(
    "--second-opinion",
    metavar="MODEL",
    help="Let the model ask this shipped one where it is unsure of a digit, as mlp and cnn do.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),  # scikit-learn's limits
    default=0,
    show_default=True,
    help="Of every random number of the run.",
)
@click.option("--resume", is_flag=True, help="Continue from the checkpoint of the same run.")
def train(
    *,
    classifier: str | None,
    name: str | None,
    weights: Path | None,
    seed: int,
    start_from: str | None,
    resume: bool,
    directory: Path | None,
    add_mnist: bool,
    **overrides: Any,
) -> None:
    """Train a classifier: the networks on augmented and partly inverted digits of MNIST.

    --data trains on one's own pictures instead, of which a tenth is held out for the test.

    --name alone trains that model again, with the classifier that it has.

    Ctrl-C leaves a checkpoint of the last finished epoch; --resume goes on from there. A finished
    run leaves none.
    """
    from digit_classifier.models import classifier_class
    from digit_classifier.models.store import SUFFIX, load_model, model_file

    if name is not None and weights is not None:
        raise click.UsageError("--name and --weights both say where the model goes; give one.")
    if add_mnist and directory is None:
        raise click.UsageError("--add-mnist adds it to --data, which is missing.")
    if overrides["epochs"] == 0 and start_from is None:
        raise click.UsageError("--epochs 0 trains nothing: it needs --start-from.")
    settings = load_settings()
    classifier = classifier or _classifier_of(name, settings)
    try:  # before the data is read, which takes seconds
        classifier_class(classifier)
    except UnknownClassifierError as exc:
        raise click.BadParameter(str(exc), param_hint="--classifier") from exc
    if weights is not None and weights.suffix != SUFFIX:
        raise click.BadParameter(f"the file's name must end in {SUFFIX}.", param_hint="--weights")
    path = weights or model_file(name or classifier, settings.models_dir)
    # before it is trained: the file may be the one that is written
    start = None if start_from is None else load_model(start_from, settings.models_dir)
    data = None  # MNIST
    if directory is not None:
        from digit_classifier.datasets import load_mnist
        from digit_classifier.training.train import training_data

        mnist = load_mnist(settings.data_dir) if add_mnist else None
        data = training_data(directory, settings.framing, mnist, click.echo)
    train_into(
        path,
        classifier,
        seed=seed,
        data=data,
        # options that were not given: the recipe has its own values
        overrides={key: value for key, value in overrides.items() if value is not None},
        start=start,
        resume=resume,
    )


def train_into(
    path: Path,
    classifier: str,
    data: "Mnist | None" = None,
    *,
    seed: int = 0,
    overrides: dict[str, Any] | None = None,
    start: "Model | None" = None,
    resume: bool = False,
) -> None:
    """Train, by default on the settings' MNIST, and print the result; Ctrl-C exits with 130."""
    from digit_classifier.datasets import load_mnist
    from digit_classifier.training.train import checkpoint_of, train_model

    try:
        metadata = train_model(
            classifier,
            # freed by train_model: a call with **options would keep it until the end
            data or load_mnist(load_settings().data_dir),
            path,
            seed=seed,
            overrides=overrides,
            start=start,
            resume=resume,
        )
    except KeyboardInterrupt:
        # there is no checkpoint before the first epoch, nor of a model that is fitted in one call
        kept = "Nothing is kept of it."
        if checkpoint_of(path).exists():
            kept = f"{checkpoint_of(path)} has the finished epochs; --resume continues."
        click.echo(f"\nInterrupted. {kept}")
        sys.exit(130)  # as a shell reports SIGINT: 128 + 2
    test = metadata.figures["test"]
    click.echo(f"test_accuracy: {test['accuracy']:.4f} white on black")
    click.echo(f"test_accuracy: {test['accuracy_inverted']:.4f} black on white")
    click.echo(f"Saved {path}.")


def _classifier_of(name: str | None, settings: Settings) -> str:
    """Return the classifier of an existing model of that name, or the default one."""
    from digit_classifier.models import CLASSIFIERS
    from digit_classifier.models.store import load_model

    if name is None or name in CLASSIFIERS:
        return name or _DEFAULT_CLASSIFIER
    try:
        return load_model(name, settings.models_dir).metadata.classifier
    except ModelNotFoundError:
        return _DEFAULT_CLASSIFIER


@click.group()
def models() -> None:
    """Look at the trained models."""


@models.command("list")
def list_() -> None:
    """List the models that can be used, each verified.

    The exit status is 1 if one cannot be used, which its line says.
    """
    from digit_classifier.models.store import list_models, load_model

    # an unusable model does not end the list: the operator looks for another one to use
    all_read = True
    models_dir = load_settings().models_dir
    for name in list_models(models_dir):
        try:
            model = load_model(name, models_dir)
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


@models.command("show")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the picture goes.  [default: model.png in the model's folder of models]",
)
def show_filters(name: str, output: Path | None) -> None:
    """Draw what the model's first layer looks for, and print its layers.

    Red speaks for it, blue against it. Softmax regression has a filter for each digit, a perceptron
    for each unit, a convolutional network for each channel.
    """
    from digit_classifier.models.store import SUFFIX, load_model, model_file
    from digit_classifier.neural_network.inspection import draw_filters

    settings = load_settings()
    model = load_model(name, settings.models_dir)
    picture = draw_filters(model.classifier, model.metadata.image_shape)
    if picture is None:
        raise click.ClickException(f"A {model.metadata.classifier!r} has no filters to be seen.")
    # not beside a shipped model, in the package: the next release would remove the picture
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
