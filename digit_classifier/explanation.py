"""Explanations of a prediction: the steps of preprocessing, and the attribution to pixels.

The prediction itself is passed in, so that an explanation cannot change it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError
from digit_classifier.framed_images import FramedImage
from digit_classifier.inference import DigitClassifier
from digit_classifier.neural_network.inspection import integrated_gradients
from digit_classifier.neural_network.layers import Array
from digit_classifier.prediction import Prediction, Reading
from digit_classifier.preprocessing.decode import decode_image
from digit_classifier.preprocessing.explanation import (
    BOXED_SIDE,
    as_picture,
    as_png,
    overlay,
    side_by_side,
    thumbnail,
    with_boxes,
)
from digit_classifier.preprocessing.framing import frame_center, run_steps
from digit_classifier.preprocessing.steps.box import resize
from digit_classifier.preprocessing.steps.ink import InkNotFoundError
from digit_classifier.preprocessing.vectorize import attribute_to_pixels, input_images, vectorize

#: Digits of a number with a lower confidence are marked as doubtful.
DOUBTFUL = 0.8


@dataclass(frozen=True)
class Step:
    """The result of one step of preprocessing.

    Attributes
    ----------
    name : str
    width, height : int
        Size of the result, in pixels; the PNG may be smaller.
    changed : bool
        Whether the step changed the image.
    png : bytes
    """

    name: str
    width: int
    height: int
    changed: bool
    png: bytes


@dataclass(frozen=True)
class Explanation:
    """The explanation of a prediction.

    Attributes
    ----------
    framed_png : bytes
        The framed digit.
    saliency : tuple of tuples of float, or None
        Contribution of each input pixel, row by row, to the log-odds of the predicted class. None
        if the classifier has no gradients.
    overlay_png : bytes or None
        The saliency in colours over the framed digit.
    steps : tuple of Step
        From the decoded image to the framed digit.
    """

    framed_png: bytes
    saliency: tuple[tuple[float, ...], ...] | None
    overlay_png: bytes | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class PictureWithBoxes:
    """A picture with a box around each digit of a reading.

    Attributes
    ----------
    png : bytes
        At most 640 pixels per side.
    width, height : int
        Size of the original picture as shown, the unit of a reading's boxes.
    """

    png: bytes
    width: int
    height: int


def explain(classifier: DigitClassifier, prediction: Prediction, image: FramedImage) -> Explanation:
    """Explain a prediction.

    Parameters
    ----------
    classifier : DigitClassifier
    prediction : Prediction
    image : FramedImage
        Both from :meth:`DigitClassifier.predict_with_image`.
    """
    results = _steps_of(classifier, image)
    *_, last = results.values()
    framed = resize(last, *classifier.model.metadata.image_shape)
    saliency = _saliency(classifier, framed, prediction.digit)
    return Explanation(
        framed_png=as_png(as_picture(framed)),
        saliency=None if saliency is None else tuple(map(tuple, saliency.tolist())),
        overlay_png=None if saliency is None else as_png(overlay(framed, saliency)),
        steps=tuple(_steps(results)),
    )


def show_steps(classifier: DigitClassifier, content: bytes) -> bytes:
    """Show the result of each step of preprocessing for an image file.

    Returns
    -------
    bytes
        A PNG with the steps side by side, from the decoded image to the framed digit, or to the
        step that found no ink.

    Raises
    ------
    InputError
        The file cannot be decoded.
    """
    try:
        _, image = classifier.predict_with_image(content)
    except NoInkError:
        gray = decode_image(content, classifier.limits).gray
        return as_png(side_by_side(_run_steps(classifier, gray)))
    return as_png(side_by_side(_steps_of(classifier, image)))


def show_boxes(classifier: DigitClassifier, content: bytes, reading: Reading) -> PictureWithBoxes:
    """Draw a box around each digit of an image file: blue, or orange if it is doubtful.

    Parameters
    ----------
    classifier : DigitClassifier
    content : bytes
        The image file.
    reading : Reading
        The classifier's reading of it.

    Raises
    ------
    InputError
        The file cannot be decoded.
    """
    decoded = decode_image(content, classifier.limits, min_side=BOXED_SIDE)
    height, width = decoded.shown_shape
    digits = [digit for row in reading.rows for digit in row.digits]
    picture = with_boxes(
        decoded.gray,
        [(digit.box, digit.confidence < DOUBTFUL) for digit in digits],
        width,
    )
    return PictureWithBoxes(as_png(picture), width, height)


def _steps_of(classifier: DigitClassifier, image: FramedImage) -> dict[str, NDArray[Any]]:
    """Return what led to the framed digit, from the decoded image on."""
    if image.gray is None:
        raise ValueError("An image of a batch cannot be explained: its pixels were not kept.")
    if image.steps is not None:
        return {"decode": image.gray, **image.steps}
    return _run_steps(classifier, image.gray)


def _run_steps(classifier: DigitClassifier, gray: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    steps: dict[str, NDArray[Any]] = {"decode": gray}
    if classifier.framing == "center":
        return {**steps, "center": frame_center(gray)}
    try:
        steps.update(run_steps(gray))
    except InkNotFoundError:
        steps["center"] = frame_center(gray)
    except NoInkError:
        pass  # the prediction reports it; `steps` has the results up to the step that failed
    return steps


def _steps(results: dict[str, NDArray[Any]]) -> Iterator[Step]:
    previous = None
    for name, levels in results.items():
        height, width = levels.shape
        changed = previous is None or not np.array_equal(levels, previous)
        yield Step(name, width, height, changed, as_png(thumbnail(levels)))
        previous = levels


def _saliency(classifier: DigitClassifier, framed: NDArray[np.uint8], digit: int) -> Array | None:
    """Return the saliency of each pixel, shape (height, width)."""
    metadata = classifier.model.metadata
    both = np.stack([framed, np.zeros_like(framed)])
    vector, blank = vectorize(both, metadata.input_scaling)
    target = metadata.class_labels.index(digit)
    attributed = integrated_gradients(
        classifier.model.classifier, vector, blank, target, metadata.temperature
    )
    if attributed is None:
        return None
    saliency = attributed.reshape(framed.shape)
    if not metadata.input_scaling.upright:
        return saliency
    # the overlay shows the framed digit: what was attributed to the upright one is passed back
    (seen,) = input_images(framed[np.newaxis], replace(metadata.input_scaling, upright=False))
    return attribute_to_pixels(saliency, seen)
