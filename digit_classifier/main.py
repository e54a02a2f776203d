"""Training and prediction by the names of older services, in Python and as a command.

>>> from digit_classifier.main import Classifier
>>> Classifier().predict("digit_classifier/samples/4-7.png")
{'prediction': 7}

``Trainer()()`` trains the model that the settings name. ``python -m digit_classifier.main`` does
both: ``-t`` trains, ``-p FILE`` predicts, ``-c NAME`` selects the classifier. New programs use
``digit-classifier train`` and ``predict``.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from digit_classifier.cli import Command
from digit_classifier.environment import use_one_thread
from digit_classifier.settings import load_settings


class Trainer:
    """Trains a classifier when it is called.

    Parameters
    ----------
    classifier : str, optional
        Such as ``"mlp"`` or ``"MLPClassifier"``; by default the model that the settings name.
    **options
        ``seed``, ``resume`` and ``overrides`` of the recipe, see
        :func:`digit_classifier.training.train.train_model`.
    """

    def __init__(self, classifier: str | None = None, **options: Any) -> None:
        self.classifier, self.options = classifier, options

    def __call__(self) -> None:
        """Train, and save the model under the classifier's name in the directory of models."""
        from digit_classifier.cli.train import train_into
        from digit_classifier.models.store import model_file

        settings = load_settings()
        kind = _kind(self.classifier or settings.model)
        train_into(model_file(kind, settings.models_dir), kind, **self.options)


class Classifier:
    """Reads digits from image files.

    Parameters
    ----------
    model : str, optional
        Such as ``"mlp"`` or ``"MLPClassifier"``; by default the model that the settings name.
    """

    def __init__(self, model: str | None = None) -> None:
        from digit_classifier.cli.predict import local_classifier

        settings = load_settings()
        self._classifier = local_classifier(replace(settings, model=_kind(model or settings.model)))

    def predict(self, path: str | Path) -> dict[str, int]:
        """Read the digit on one image.

        Raises
        ------
        InputError
            The file is not a readable image.
        OSError
            The file cannot be read.
        """
        return {"prediction": self._classifier.predict(Path(path).read_bytes()).digit}


def _kind(name: str) -> str:
    # older services named classifiers by their class, CNNClassifier
    from digit_classifier.models import kind_of_class

    return kind_of_class(name)


# options, not subcommands: older services' scripts call it like this
@click.command(cls=Command)
@click.option("-t", "--train", is_flag=True, help="Train.")
@click.option("-c", "--classifier", help="mlp, softmax, cnn.  [default: the settings' model]")
@click.option(
    "-p",
    "--predict",
    "paths",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the digit on this image; may be repeated.",
)
def main(train: bool, classifier: str | None, paths: tuple[Path, ...]) -> None:
    """Train a classifier, or read digits with one."""
    if not train and not paths:
        raise click.UsageError("-t trains, -p FILE reads; one of them is needed.")
    if train:
        Trainer(classifier)()
    if paths:
        use_one_thread()
        reader = Classifier(classifier)
        for path in paths:
            click.echo(json.dumps(reader.predict(path)))


if __name__ == "__main__":
    main()
