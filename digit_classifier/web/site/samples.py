"""Digits to try the service with: MNIST's test set, where it is installed, and ten to download."""

from typing import cast

from flask import Blueprint, Flask, Response, current_app

from digit_classifier.datasets.samples import MnistTestSet, zip_samples

blueprint = Blueprint("samples", __name__)

_KEY = "digit_classifier_test_set"


def init_app(app: Flask, test_set: MnistTestSet) -> None:
    """Give the application its test set."""
    app.extensions[_KEY] = test_set


def current_test_set() -> MnistTestSet:
    """Return the test set of the application that handles the current request."""
    return cast(MnistTestSet, current_app.extensions[_KEY])


@blueprint.get("/samples.zip")
def download() -> Response:
    """Give ten digits, one of each class."""
    response = Response(zip_samples(current_test_set()), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", filename="samples.zip")
    return response
