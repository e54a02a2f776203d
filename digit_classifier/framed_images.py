"""From the bytes of an image, or from gray levels as text, to a framed digit."""

import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from digit_classifier.errors import InputError, NoInkError, OutOfTimeError, PixelsError
from digit_classifier.prediction import ImageFacts
from digit_classifier.preprocessing.decode import DecodeLimits, decode_image
from digit_classifier.preprocessing.decode.guards import PixelBudget
from digit_classifier.preprocessing.framing import (
    MIN_CONTRAST,
    Framed,
    Framing,
    frame,
    frame_center,
)
from digit_classifier.preprocessing.measures import Gray, contrast_range
from digit_classifier.scenes import MIN_SIDE, reduce_for_proposals

#: Pixels: a digit with a shorter longest side has lost detail if its picture was reduced.
_DETAILED_INK_SIDE = 24

#: A number in ASCII; Python's own ``float`` would take "1_0", "nan" and digits of other scripts. No
#: two parts of it match the same digits, or a long value would take time by its square.
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


@dataclass(frozen=True)
class FramedImage:
    """A framed digit, the image that it comes from, and how long that took.

    Attributes
    ----------
    framed : Framed
    image : ImageFacts or None
        None for gray levels written as text.
    decode_ms, frame_ms : float
    is_detailed : bool
        Whether the file has no more detail than was decoded.
    gray : ndarray of shape (height, width), uint8, or None
        The decoded picture; None in a batch, whose pictures would take much memory.
    reduced : ndarray of shape (height, width), uint8, or None
        The picture reduced, for other ways to frame it; None if the framing is ``"center"``.
    steps : mapping of str to ndarray, or None
        Results of the steps by their names; None if the image was framed as a whole.
    no_ink : NoInkError or None
        The error of a picture in which no ink was found; its central square is framed instead.
    """

    framed: Framed
    image: ImageFacts | None = None
    decode_ms: float = 0.0
    frame_ms: float = 0.0
    is_detailed: bool = True
    gray: Gray | None = None
    reduced: Gray | None = None
    steps: Mapping[str, Gray] | None = None
    no_ink: NoInkError | None = None


def frame_image(content: bytes, limits: DecodeLimits, framing: Framing) -> FramedImage:
    """Decode an image file and frame the digit on it.

    Raises
    ------
    InputError
        The file cannot be decoded, or no ink was found.
    """
    image = frame_or_keep(content, limits, framing)
    if image.no_ink is not None:
        raise image.no_ink
    return image


def frame_or_keep(
    content: bytes, limits: DecodeLimits, framing: Framing, budget: PixelBudget | None = None
) -> FramedImage:
    """Decode an image file and frame the digit on it; keep a picture in which no ink was found.

    Other ways to frame that picture may find ink, unless it is blank, or so small that it has room
    for the digit alone: these are errors.

    Where the digit is tiny in a large picture, the file is decoded once more, with more detail. If
    that loses the digit, as thin strokes may be lost in a finer average, the first result stays.

    Raises
    ------
    InputError
        The file cannot be decoded, or no ink can be found.
    """
    first = _decode_and_frame(content, limits, framing, budget, detailed=False)
    ink_side = first.framed.ink_side
    if first.is_detailed or ink_side is None or ink_side >= _DETAILED_INK_SIDE:
        return first
    try:
        second = _decode_and_frame(content, limits, framing, budget, detailed=True)
    except (NoInkError, OutOfTimeError):  # out of time: the batch has too few pixels left
        return first
    if second.framed.ink_side is None:
        return first
    return replace(
        second,
        decode_ms=first.decode_ms + second.decode_ms,
        frame_ms=first.frame_ms + second.frame_ms,
    )


def frame_images(
    contents: Iterable[bytes],
    limits: DecodeLimits,
    framing: Framing,
    time_limit: float | None,
    pixel_limit: int | None,
) -> Iterator[FramedImage | InputError]:
    """Decode many image files and frame the digits on them, one after the other.

    Parameters
    ----------
    contents : iterable of bytes
    limits : DecodeLimits
    framing : {"auto", "center"}
    time_limit : float or None
        Seconds after which an `OutOfTimeError` is yielded for each further image. Without a limit,
        the results do not depend on the machine's speed.
    pixel_limit : int or None
        Pixels of all images together, at most: an `OutOfTimeError` is yielded for each image that
        has more than are left.

    Yields
    ------
    FramedImage or InputError
        One for each file, in their order.
    """
    latest = math.inf if time_limit is None else time.perf_counter() + time_limit
    budget = None if pixel_limit is None else PixelBudget(pixel_limit)
    for content in contents:
        if time.perf_counter() > latest:
            yield OutOfTimeError("The images before this one took too long; send fewer at once.")
            continue
        try:
            # without the decoded picture: a batch of 256 would hold gigabytes
            yield replace(frame_or_keep(content, limits, framing, budget), gray=None)
        except InputError as exc:
            # the error would keep the picture: a WebP's decoder holds 8 bytes for each pixel
            exc.__cause__ = exc.__context__ = None
            yield exc.with_traceback(None)


def frame_pixels(text: str, shape: tuple[int, int], framing: Framing) -> FramedImage:
    """Frame the digit of gray levels written as text; without ink they stay as they are.

    Parameters
    ----------
    text : str
    shape : tuple of int
        Height and width.
    framing : {"auto", "center"}

    Raises
    ------
    PixelsError
    """
    started = time.perf_counter()
    gray = parse_pixels(text, shape)
    decode_ms, started = ms_since(started), time.perf_counter()
    try:
        framed = frame(gray, framing)
    except NoInkError:
        framed = Framed(gray, ("ink_unclear",))
    reduced = gray if framing == "auto" else None
    return FramedImage(framed, None, decode_ms, ms_since(started), reduced=reduced)


def parse_pixels(text: str, shape: tuple[int, int]) -> Gray:
    """Read comma-separated gray levels from 0 to 255, row after row.

    Parameters
    ----------
    text : str
    shape : tuple of int
        Height and width of the image.

    Returns
    -------
    ndarray of shape (height, width), uint8
        Rounded to whole levels.

    Raises
    ------
    PixelsError
        There are more or fewer values, or one is not a number or out of range.
    """
    values = text.split(",") if text.strip() else []
    if len(values) != shape[0] * shape[1]:
        raise PixelsError(
            f"{shape[0] * shape[1]} comma-separated values are needed, {shape[1]} for each of "
            f"{shape[0]} rows; there are {len(values)}."
        )
    levels = []
    for number, value in enumerate(values, 1):
        if not _NUMBER.fullmatch(value):
            # cut: a value may be as long as a request
            raise PixelsError(f"Value {number} is {value[:20]!r}, which is not a number.")
        level = float(value)
        if not 0 <= level <= 255:
            raise PixelsError(f"Value {number} is {value.strip()[:20]}; levels go from 0 to 255.")
        levels.append(level)
    return np.array(levels).round().astype(np.uint8).reshape(shape)


def ms_since(started: float) -> float:
    """Milliseconds since `time.perf_counter` gave `started`."""
    return (time.perf_counter() - started) * 1000


def _decode_and_frame(
    content: bytes,
    limits: DecodeLimits,
    framing: Framing,
    budget: PixelBudget | None,
    *,
    detailed: bool,
) -> FramedImage:
    started = time.perf_counter()
    decoded = decode_image(content, limits, detailed=detailed, budget=budget)
    decode_ms, started = ms_since(started), time.perf_counter()
    no_ink = None
    try:
        framed = frame(decoded.gray, framing)
    except NoInkError as exc:
        is_small = max(decoded.gray.shape) < MIN_SIDE
        if is_small or contrast_range(decoded.gray) < MIN_CONTRAST:
            raise
        no_ink = exc.with_traceback(None)  # its frames would keep the picture
        framed = Framed(frame_center(decoded.gray), is_clear=False)
    # the file's own width and height, not those of the reduced picture
    facts = ImageFacts(decoded.format, decoded.width, decoded.height, len(content))
    reduced = reduce_for_proposals(decoded.gray) if framing == "auto" else None
    return FramedImage(
        framed,
        facts,
        decode_ms,
        ms_since(started),
        decoded.is_detailed,
        gray=decoded.gray,
        reduced=reduced,
        no_ink=no_ink,
    )
