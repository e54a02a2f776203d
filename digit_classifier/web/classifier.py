"""The application's classifiers, loaded when it starts; ``?model=NAME`` chooses another."""

from collections.abc import Mapping
from typing import cast

from flask import Flask, current_app, request

from digit_classifier.errors import ModelNotFoundError
from digit_classifier.inference import DigitClassifier
from digit_classifier.web.observation import observe_reading

_KEY = "digit_classifier"


def init_app(app: Flask, classifiers: Mapping[str, DigitClassifier]) -> None:
    """Give the application its classifiers by name; the first one answers by default."""
    for classifier in classifiers.values():
        classifier.observe = observe_reading
    app.extensions[_KEY] = classifiers


def all_classifiers() -> Mapping[str, DigitClassifier]:
    """Return the classifiers of the application that handles the current request."""
    return cast(Mapping[str, DigitClassifier], current_app.extensions[_KEY])


def default_classifier() -> DigitClassifier:
    """Return the one that answers where none is chosen."""
    return next(iter(all_classifiers().values()))


def current_classifier() -> DigitClassifier:
    """Return the one that the current request chooses by ``?model=NAME``, or the default.

    Raises
    ------
    ModelNotFoundError
        There is none of that name.
    """
    name = request.args.get("model")
    if name is None:
        return default_classifier()
    classifiers = all_classifiers()
    if name not in classifiers:
        raise ModelNotFoundError.of(name, classifiers)
    return classifiers[name]
