"""decode: the bytes of an image file to one grayscale array.

Trust bytes, not names: the format is told by the content, from a short list of formats, and the
size is judged on the header, before any pixel is decoded.
"""

import struct
import threading
import warnings
import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    ImageStat,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from digit_classifier.errors import (
    BrokenImageError,
    EmptyFileError,
    FileTooLargeError,
    ImageTooSmallError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from digit_classifier.preprocessing import libtiff
from digit_classifier.preprocessing.containers import is_plain_inside, without_extras

#: Imported here, or Pillow would import all its readers to find them.
_READERS = {
    "PNG": PngImagePlugin,
    "JPEG": JpegImagePlugin,
    "GIF": GifImagePlugin,
    "BMP": BmpImagePlugin,
    "TIFF": TiffImagePlugin,
    "WEBP": WebPImagePlugin,
}
FORMATS = tuple(_READERS)

#: Longest side: what most formats can tell of. A strip of millions of rows is no picture.
_MAX_SIDE = 65_535

#: A picture is reduced by a whole factor where at least this many pixels remain on its longest
#: side, twice those that framing works at: nothing later looks at more, and every later step
#: would cost time and memory for it. A camera's 4000 pixels become 667, or 1000 as a JPEG.
_ENOUGH = 640

_HALF_OPAQUE = 127.5

#: Colours are compared on about so many samples a side; one is taken instead of the luminance where
#: it has so many times the contrast.
_SAMPLES, _MUCH_BETTER = 192, 2

#: Held while a WebP is decoded, which takes 16 bytes a pixel, thrice what others do: one at a time.
_WEBP = threading.Lock()

#: What Pillow's decoders raise on damaged files.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    struct.error,
    zlib.error,
)

# Pillow only warns of an image between one and two times its own pixel limit.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Its remarks on damaged metadata would let a caller write into the server's log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
libtiff.silence()


@dataclass(frozen=True, kw_only=True)
class DecodeLimits:
    """What is accepted.

    Parameters
    ----------
    max_bytes : int
        Of the file.
    max_pixels : int
        Width × height.
    min_side : int
        In pixels.
    """

    max_bytes: int = 1024 * 1024
    max_pixels: int = 40_000_000
    min_side: int = 8


@dataclass(frozen=True)
class Decoded:
    """A decoded image file.

    Attributes
    ----------
    gray : ndarray of shape (height, width), uint8
    format : str
        One of `FORMATS`.
    width, height : int
        As the file's header has them, before it was turned or reduced.
    """

    gray: NDArray[np.uint8]
    format: str
    width: int
    height: int


def decode(content: bytes, limits: DecodeLimits) -> NDArray[np.uint8]:
    """Decode an image file to one grayscale array; see `decode_image`."""
    return decode_image(content, limits).gray


def decode_image(content: bytes, limits: DecodeLimits) -> Decoded:
    """Decode an image file.

    The first frame, turned as its EXIF orientation says. Colour becomes luminance (ITU-R BT.601)
    unless ink and paper differ much more in red, green or blue alone; what is transparent becomes
    paper that the ink stands out from.

    Parameters
    ----------
    content : bytes
        A PNG, JPEG, GIF, BMP, TIFF or WebP file.
    limits : DecodeLimits

    Returns
    -------
    Decoded

    Raises
    ------
    EmptyFileError, FileTooLargeError, UnsupportedImageError, BrokenImageError,
    TooManyPixelsError, ImageTooSmallError
    """
    if not content:
        raise EmptyFileError("The file is empty.")
    if len(content) > limits.max_bytes:
        raise FileTooLargeError(
            f"The file has {len(content):,} bytes; at most {limits.max_bytes:,} are accepted."
        )
    try:
        file = BytesIO(without_extras(content))
        with _alone(content), Image.open(file, formats=FORMATS) as image:
            _check_size(image, limits)
            width, height = image.size
            if not is_plain_inside(image, content):
                raise BrokenImageError("The image is made in a way that is not read here.")
            _draft(image)
            gray = _to_gray(image)
            gray.load()  # a PNG's EXIF may stand behind its pixels
            if gray.info:  # else there is none, which takes as long to find out as all else
                ImageOps.exif_transpose(gray, in_place=True)
            return Decoded(np.asarray(gray), image.format or "", width, height)
    except UnidentifiedImageError as exc:
        raise UnsupportedImageError(
            f"This file is not an image in a format that is read here: {', '.join(FORMATS)}."
        ) from exc
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as exc:
        raise TooManyPixelsError(_too_many_pixels(limits)) from exc
    except _DECODER_ERRORS as exc:
        raise BrokenImageError("The image is damaged or incomplete.") from exc


def _alone(content: bytes) -> AbstractContextManager[object]:
    """Wait for a WebP's turn."""
    return _WEBP if content[8:12] == b"WEBP" else nullcontext()


def _check_size(image: Image.Image, limits: DecodeLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels or max(width, height) > _MAX_SIDE:
        raise TooManyPixelsError(_too_many_pixels(limits))
    if min(width, height) < limits.min_side:
        raise ImageTooSmallError(
            f"The image is {width}×{height} pixels; each side needs at least {limits.min_side}."
        )


def _too_many_pixels(limits: DecodeLimits) -> str:
    return f"The image has too many pixels; at most {limits.max_pixels:,} are accepted."


def _draft(image: Image.Image) -> None:
    """Let a JPEG be decoded reduced: by 8, 4 or 2, as far as allowed."""
    factor = _factor(image)
    width, height = image.size
    image.draft(None, (max(1, width // factor), max(1, height // factor)))


def _to_gray(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _deep_to_gray(image)
    if image.has_transparency_data:
        image = image if image.mode in {"RGBA", "LA"} else image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            return _on_paper(image)
    if image.mode not in {"L", "LA", "1"} and (colour := _telling_colour(image)) is not None:
        colours = image if image.mode in {"RGB", "RGBA"} else image.convert("RGB")
        return _reduce(colours.getchannel(colour))
    return _reduce(image if image.mode == "L" else image.convert("L"))


def _telling_colour(image: Image.Image) -> int | None:
    """Return which of red, green and blue tells ink from paper, where luminance hardly does.

    Yellow on white differs in the blue alone, and red on green may have the same luminance.
    """
    step = max(1, max(image.size) // _SAMPLES)
    width, height = image.size
    size = max(1, width // step), max(1, height // step)
    sample = image.resize(size, Image.Resampling.NEAREST).convert("RGB")
    # Pillow finds the extremes of each colour in a tenth of the time that NumPy takes
    *contrasts, of_luminance = (
        high - low for low, high in (*sample.getextrema(), sample.convert("L").getextrema())
    )
    best = contrasts.index(max(contrasts))
    return best if contrasts[best] > _MUCH_BETTER * of_luminance else None


def _factor(image: Image.Image) -> int:
    return max(1, max(image.size) // _ENOUGH)


def _reduce(image: Image.Image) -> Image.Image:
    factor = _factor(image)
    return image.reduce(factor) if factor > 1 else image


def _deep_to_gray(image: Image.Image) -> Image.Image:
    """Scale 16-bit values by their full range, and others, which have none, by their own."""
    has_16_bits = image.mode.startswith("I;16")
    reduced = _reduce(image.convert("I") if has_16_bits else image)
    finite = np.nan_to_num(np.asarray(reduced, dtype=np.float32), posinf=0.0, neginf=0.0)
    values = finite.astype(np.float64)  # the range of single floats does not fit in one
    low, high = (0.0, 65535.0) if has_16_bits else (float(values.min()), float(values.max()))
    scaled = (values - low) * (255 / max(high - low, 1.0))
    gray = Image.fromarray(scaled.round().astype(np.uint8))
    gray.info = image.info  # holds the EXIF orientation
    return gray


def _on_paper(image: Image.Image) -> Image.Image:
    """Lay a picture with transparency on paper.

    Where most of it is opaque, that is paper already, and the rest gets its shade. Otherwise the
    opaque part is ink, and gets white paper if it is dark and black paper if it is light: black on
    a transparent canvas is not black on black.
    """
    gray, alpha = _reduce(image.convert("L")), _reduce(image.getchannel("A"))
    opacity = _mean(alpha)
    if opacity > _HALF_OPAQUE:
        opaque = alpha.point(lambda value: 255 * (value > _HALF_OPAQUE))
        return _laid_on(ImageStat.Stat(gray, opaque).median[0], gray, alpha)
    on_black = _laid_on(0, gray, alpha)
    is_light = _mean(on_black) > opacity / 2
    return on_black if is_light else _laid_on(255, gray, alpha)


def _laid_on(paper: int, gray: Image.Image, alpha: Image.Image) -> Image.Image:
    laid = Image.composite(gray, Image.new("L", gray.size, paper), alpha)
    laid.info = gray.info  # holds the EXIF orientation
    return laid


def _mean(image: Image.Image) -> float:
    return float(np.asarray(image).mean())
