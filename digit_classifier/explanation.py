"""Explanations as pictures: the steps of preprocessing, the attribution to pixels, and boxes.

The answer is passed in and not computed again, except by `show_steps`.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digit_classifier.errors import NoInkError
from digit_classifier.framed_images import FramedImage
from digit_classifier.inference import DigitClassifier
from digit_classifier.neural_network.inspection import integrated_gradients
from digit_classifier.neural_network.layers import Array
from digit_classifier.prediction import Prediction, Reading
from digit_classifier.preprocessing.decode import decode_image
from digit_classifier.preprocessing.framing import frame_center, run_steps
from digit_classifier.preprocessing.measures import Gray
from digit_classifier.preprocessing.steps.box import resize
from digit_classifier.preprocessing.steps.ink import InkNotFoundError
from digit_classifier.preprocessing.vectorize import attribute_to_pixels, input_images, vectorize

#: Digits of a number with a lower confidence are marked as doubtful.
DOUBTFUL = 0.8

#: Pixels: side of the square that each step's picture fits into, the margin around it, and the
#: height of its caption.
_SIDE, _MARGIN, _CAPTION = 168, 8, 16
#: Gray levels of the margins and of the captions.
_DESK, _LETTERS = 56, 235

#: Colours, which colour-blind people can distinguish, of pixels that speak for and against an
#: answer, and the share of its brightness that the ink keeps under them.
_FOR, _AGAINST, _INK = (255, 150, 50), (80, 150, 255), 0.3

#: Pixels: longest side of a picture with boxes, at most; a small one is enlarged to half of that.
_BOXED_SIDE = 640
_BOX_WIDTH = 2
#: Indices of the boxes' colours in the palette of such a picture, after its gray levels.
_SURE_BOX, _DOUBTFUL_BOX = 254, 255


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
    """Explain a prediction and its image, from :meth:`DigitClassifier.predict_with_image`."""
    results = _steps_of(classifier, image)
    steps: list[Step] = []
    last = results["decode"]
    for name, levels in results.items():
        picture = Image.fromarray(levels)
        picture.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)  # which enlarges nothing
        changed = not steps or not np.array_equal(levels, last)
        height, width = levels.shape
        steps.append(Step(name, width, height, changed, as_png(picture)))
        last = levels
    metadata = classifier.model.metadata
    framed = resize(last, *metadata.image_shape)
    vector, blank = vectorize(np.stack([framed, np.zeros_like(framed)]), metadata.input_scaling)
    target = metadata.class_labels.index(prediction.digit)
    attributed = integrated_gradients(
        classifier.model.classifier, vector, blank, target, metadata.temperature
    )
    saliency: Array | None = None if attributed is None else attributed.reshape(framed.shape)
    if saliency is not None and metadata.input_scaling.upright:
        # the network saw the digit upright, the overlay shows it as framed
        (seen,) = input_images(framed[np.newaxis], replace(metadata.input_scaling, upright=False))
        saliency = attribute_to_pixels(saliency, seen)
    return Explanation(
        framed_png=as_png(Image.fromarray(framed)),
        saliency=None if saliency is None else tuple(map(tuple, saliency.tolist())),
        overlay_png=None if saliency is None else as_png(overlay(framed, saliency)),
        steps=tuple(steps),
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
    """Draw a box around each digit of an image file that was read: blue, or orange if doubtful.

    Raises
    ------
    InputError
        The file cannot be decoded.
    """
    decoded = decode_image(content, classifier.limits, min_side=_BOXED_SIDE)
    height, width = decoded.shown_shape
    digits = [digit for row in reading.rows for digit in row.digits]
    picture = with_boxes(
        decoded.gray,
        [(digit.box, digit.confidence < DOUBTFUL) for digit in digits],
        decoded.shown_shape,
    )
    return PictureWithBoxes(as_png(picture), width, height)


def _steps_of(classifier: DigitClassifier, image: FramedImage) -> dict[str, Gray]:
    """Return the result of each step, from the decoded image to the framed digit."""
    if image.gray is None:
        raise ValueError("An image of a batch cannot be explained: its pixels were not kept.")
    if image.steps is not None:
        return {"decode": image.gray, **image.steps}
    return _run_steps(classifier, image.gray)


def _run_steps(classifier: DigitClassifier, gray: Gray) -> dict[str, Gray]:
    steps: dict[str, Gray] = {"decode": gray}
    if classifier.framing == "center":
        return {**steps, "center": frame_center(gray)}
    try:
        steps.update(run_steps(gray))
    except InkNotFoundError:
        steps["center"] = frame_center(gray)
    except NoInkError:
        pass  # the prediction reports it; `steps` has the results up to the step that failed
    return steps


def overlay(framed: NDArray[np.number], saliency: NDArray[np.floating]) -> Image.Image:
    """Colour a framed digit by what spoke for the answer (orange) and against it (blue).

    Parameters
    ----------
    framed : ndarray of shape (height, width)
        0-255.
    saliency : ndarray of shape (height, width)
        Positive where a pixel speaks for the answer.
    """
    # the root: a stroke that did a quarter of the strongest is still seen
    strength = np.sqrt(np.abs(saliency) / max(float(np.abs(saliency).max()), 1e-9))[..., np.newaxis]
    colours = np.where(saliency[..., np.newaxis] > 0, _FOR, _AGAINST)
    ink = framed[..., np.newaxis] * _INK
    return Image.fromarray((ink + strength * (colours - ink)).astype(np.uint8))


def with_boxes(
    gray: Gray,
    boxes: Iterable[tuple[tuple[int, int, int, int], bool]],
    shape: tuple[int, int],
) -> Image.Image:
    """Draw boxes on a gray picture: blue, or orange around what is doubtful.

    Parameters
    ----------
    gray : ndarray of shape (height, width), uint8
    boxes : iterable of (box, is_doubtful)
        Each box is left, top, width and height.
    shape : tuple of 2 ints
        Height and width of the picture whose pixels the boxes are in, which may be larger.

    Returns
    -------
    Image
        With a palette of gray levels and two colours.
    """
    longest = max(gray.shape)
    factor = min(max(longest, _BOXED_SIDE // 2), _BOXED_SIDE) / longest
    height, shown_width = (max(1, round(side * factor)) for side in gray.shape)
    method = Image.Resampling.BOX if shown_width < gray.shape[1] else Image.Resampling.BICUBIC
    picture = Image.fromarray(gray).resize((shown_width, height), method)
    levels = np.minimum(np.asarray(picture), _SURE_BOX - 1)
    # each rounded by itself: of a thin picture, one is far from the other
    down, along = picture.height / shape[0], picture.width / shape[1]
    for box, is_doubtful in boxes:
        left, box_width = box[0] * along, box[2] * along
        top, box_height = box[1] * down, box[3] * down
        # around the digit and not over it, where the picture has room
        rows = [max(0, math.floor(top) - _BOX_WIDTH), math.ceil(top + box_height) + _BOX_WIDTH]
        columns = [max(0, math.floor(left) - _BOX_WIDTH), math.ceil(left + box_width) + _BOX_WIDTH]
        framed = levels[slice(*rows), slice(*columns)]
        inside = framed[_BOX_WIDTH:-_BOX_WIDTH, _BOX_WIDTH:-_BOX_WIDTH].copy()
        framed[:] = _DOUBTFUL_BOX if is_doubtful else _SURE_BOX
        framed[_BOX_WIDTH:-_BOX_WIDTH, _BOX_WIDTH:-_BOX_WIDTH] = inside
    boxed = Image.fromarray(levels)
    # red, green and blue of each gray level, then the two colours
    boxed.putpalette([*(level for level in range(_SURE_BOX) for _ in "rgb"), *_AGAINST, *_FOR])
    return boxed


def as_png(picture: Image.Image) -> bytes:
    """Encode a picture."""
    png = BytesIO()
    picture.save(png, "PNG", optimize=True)
    return png.getvalue()


def side_by_side(steps: Mapping[str, Gray]) -> Image.Image:
    """Put the steps' pictures in a row, each under its name and beside its size.

    Parameters
    ----------
    steps : mapping of str to ndarray
        Result of each step, as :func:`.framing.run_steps` yields it.
    """
    from PIL import ImageDraw  # here, since it loads fonts, which the service does not need

    row = Image.new(
        "L", (len(steps) * (_SIDE + _MARGIN) + _MARGIN, _SIDE + 2 * _MARGIN + _CAPTION), _DESK
    )
    draw = ImageDraw.Draw(row)
    for index, (name, levels) in enumerate(steps.items()):
        left = _MARGIN + index * (_SIDE + _MARGIN)
        height, width = levels.shape
        draw.text((left, _MARGIN // 2), f"{name} {width}x{height}", fill=_LETTERS)
        factor = _SIDE / max(width, height)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        # enlarged pixels stay visible
        method = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BOX
        row.paste(Image.fromarray(levels).resize(size, method), (left, _MARGIN + _CAPTION))
    return row
