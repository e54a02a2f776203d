"""From the bytes of images to framed digits, one by one or many at once."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, ParamSpec, TypeVar

from digit_classifier.errors import InputError, OutOfTimeError
from digit_classifier.prediction import ImageFacts
from digit_classifier.preprocessing.decode import Decoded, DecodeLimits, decode_image
from digit_classifier.preprocessing.framing import Framed, Framing, frame, frame_together
from digit_classifier.preprocessing.plain import SIDES

P = ParamSpec("P")
R = TypeVar("R")


class FramedImage(NamedTuple):
    """A framed image, what it was, and how long it took to come so far."""

    framed: Framed
    image: ImageFacts | None
    decode_ms: float
    frame_ms: float


class _DecodedImage(NamedTuple):
    decoded: Decoded
    n_bytes: int
    decode_ms: float

    def as_framed(self, framed: Framed, frame_ms: float) -> FramedImage:
        facts = ImageFacts(
            self.decoded.format, self.decoded.width, self.decoded.height, self.n_bytes
        )
        return FramedImage(framed, facts, self.decode_ms, frame_ms)


def frame_image(content: bytes, limits: DecodeLimits, framing: Framing) -> FramedImage:
    """Decode an image file and frame what is on it.

    Raises
    ------
    InputError
    """
    return _frame(_decode(content, limits), framing)


def frame_images(
    contents: Iterable[bytes],
    limits: DecodeLimits,
    framing: Framing,
    time_limit: float | None = None,
) -> list[FramedImage | InputError]:
    """Decode many image files and frame what is on them.

    Small pictures wait for each other, to be framed together where that can be; others are framed
    when they are decoded, since hundreds of them take much memory.

    Parameters
    ----------
    contents : iterable of bytes
    limits : DecodeLimits
    framing : {"auto", "center"}
    time_limit : float, optional
        Seconds after which no further image is begun: an `OutOfTimeError` stands for it. Without
        one, the results do not depend on the machine's speed.

    Returns
    -------
    list of FramedImage or InputError
        One a file, in their order.
    """
    latest = math.inf if time_limit is None else time.perf_counter() + time_limit
    results: dict[int, FramedImage | InputError] = {}
    small: dict[int, _DecodedImage] = {}
    for number, content in enumerate(contents):
        image = _in_time(latest, _decode, content, limits)
        if isinstance(image, InputError):
            results[number] = image
        elif max(image.decoded.gray.shape) in SIDES:
            small[number] = image
        else:
            results[number] = _in_time(latest, _frame, image, framing)
    results |= _frame_together(small, framing)
    for number, image in small.items():
        if number not in results:
            results[number] = _in_time(latest, _frame, image, framing)
    return [results[number] for number in range(len(results))]


def _in_time(
    latest: float, step: Callable[P, R], *args: P.args, **named: P.kwargs
) -> R | InputError:
    """Do a step, unless it is too late for that; return the error where there is no result."""
    if time.perf_counter() > latest:
        return OutOfTimeError("The images before this one took too long; send fewer at once.")
    try:
        return step(*args, **named)
    except InputError as exc:
        return exc


def _frame_together(
    images: Mapping[int, _DecodedImage], framing: Framing
) -> dict[int, FramedImage]:
    """Frame those that can be framed together; each has an equal share of the time."""
    started = time.perf_counter()
    numbers = list(images)
    framed = frame_together([image.decoded.gray for image in images.values()], framing)
    frame_ms = ms_since(started) / max(1, len(framed))
    return {
        numbers[index]: images[numbers[index]].as_framed(result, frame_ms)
        for index, result in framed.items()
    }


def _decode(content: bytes, limits: DecodeLimits) -> _DecodedImage:
    started = time.perf_counter()
    decoded = decode_image(content, limits)
    return _DecodedImage(decoded, len(content), ms_since(started))


def _frame(image: _DecodedImage, framing: Framing) -> FramedImage:
    started = time.perf_counter()
    framed = frame(image.decoded.gray, framing)
    return image.as_framed(framed, ms_since(started))


def ms_since(started: float) -> float:
    """Milliseconds since `time.perf_counter` gave `started`."""
    return (time.perf_counter() - started) * 1000
