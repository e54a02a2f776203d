"""The application's one classifier, loaded when it starts."""

from typing import cast

from flask import Flask, current_app

from digit_classifier.inference import DigitClassifier

_KEY = "digit_classifier"


def init_app(app: Flask, classifier: DigitClassifier) -> None:
    """Give the application its classifier."""
    app.extensions[_KEY] = classifier


def current_classifier() -> DigitClassifier:
    """Return the classifier of the application that handles the current request."""
    return cast(DigitClassifier, current_app.extensions[_KEY])
