"""The application's classifiers, loaded when it starts; ``?model=NAME`` chooses one."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from flask import Flask, current_app, request

from digit_classifier.errors import InputError, ModelNotFoundError
from digit_classifier.framed_images import FramedImage
from digit_classifier.inference import DigitClassifier, Prediction
from digit_classifier.prediction import Reading
from digit_classifier.web.lifecycle import observe_reading

_KEY, _NUMBERS_KEY = "digit_classifier", "numbers_classifier"


# A subclass, and not calls in the views: so no view can forget to record a reading.
class RecordingClassifier(DigitClassifier):
    """A classifier that records its answers, and its errors, in the current request."""

    def predict_with_image(
        self, content: bytes, *, inspect: bool = False
    ) -> tuple[Prediction, FramedImage]:
        """Read the digit of one image file; see `DigitClassifier.predict_with_image`."""
        try:
            prediction, image = super().predict_with_image(content, inspect=inspect)
        except InputError as exc:
            observe_reading(content, exc)
            raise
        observe_reading(content, prediction)
        return prediction, image

    def read(self, content: bytes) -> Reading:
        """Read all digits of one image file; see `DigitClassifier.read`."""
        try:
            reading = super().read(content)
        except InputError as exc:
            observe_reading(content, exc)
            raise
        observe_reading(content, reading)
        return reading

    def predict_pixels(self, text: str, *, inspect: bool = False) -> Prediction:
        """Read the digit of gray levels; see `DigitClassifier.predict_pixels`."""
        try:
            prediction = super().predict_pixels(text, inspect=inspect)
        except InputError as exc:
            observe_reading(text.encode(), exc)
            raise
        observe_reading(text.encode(), prediction)
        return prediction

    def predict_batch(
        self,
        contents: Iterable[bytes],
        *,
        time_limit: float | None = None,
        pixel_limit: int | None = None,
    ) -> list[Prediction | InputError]:
        """Read the digits of many image files; see `DigitClassifier.predict_batch`."""
        contents = list(contents)  # an iterator would be used up when the answers are recorded
        answers = super().predict_batch(contents, time_limit=time_limit, pixel_limit=pixel_limit)
        for content, answer in zip(contents, answers, strict=True):
            observe_reading(content, answer)
        return answers


def init_app(app: Flask, classifiers: Mapping[str, DigitClassifier], numbers_model: str) -> None:
    """Give the application its classifiers by name.

    Where a request chooses none, the first one reads single digits, and `numbers_model` numbers.

    Raises
    ------
    ModelNotFoundError
        There is no model `numbers_model`.
    """
    app.extensions[_KEY] = {
        name: RecordingClassifier(classifier.model, classifier.framing, classifier.limits)
        for name, classifier in classifiers.items()
    }
    # the setting may be a file's path, whose stem is the model's name
    app.extensions[_NUMBERS_KEY] = find_classifier(app.extensions[_KEY], Path(numbers_model).stem)


def all_classifiers() -> Mapping[str, DigitClassifier]:
    """Return the classifiers of the application that handles the current request."""
    found: Mapping[str, DigitClassifier] = current_app.extensions[_KEY]
    return found


def default_classifier() -> DigitClassifier:
    """Return the classifier for single digits, for requests that choose none."""
    return next(iter(all_classifiers().values()))  # a dict keeps the order of load_classifiers


def default_numbers_classifier() -> DigitClassifier:
    """Return the classifier for numbers, for requests that choose none."""
    found: DigitClassifier = current_app.extensions[_NUMBERS_KEY]
    return found


def current_classifier(
    default: Callable[[], DigitClassifier] = default_classifier,
) -> DigitClassifier:
    """Return the classifier that the current request chooses by ``?model=NAME``, or the default.

    Raises
    ------
    ModelNotFoundError
    """
    args = request.args
    return find_classifier(all_classifiers(), args["model"]) if "model" in args else default()


def find_classifier(classifiers: Mapping[str, DigitClassifier], name: str) -> DigitClassifier:
    """Return the classifier of that name.

    Raises
    ------
    ModelNotFoundError
    """
    if name not in classifiers:
        raise ModelNotFoundError.of(name, classifiers)
    return classifiers[name]
