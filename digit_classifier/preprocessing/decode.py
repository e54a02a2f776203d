"""decode: the bytes of an image file to one grayscale array.

Trust bytes, not names: the format is told by the content, from a short list of formats, and the
size is judged on the header, before any pixel is decoded.
"""

import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from digit_classifier.errors import (
    BrokenImageError,
    EmptyFileError,
    FileTooLargeError,
    ImageTooSmallError,
    TooManyPixelsError,
    UnsupportedImageError,
)

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")

#: A picture is reduced by a whole factor where at least this many pixels remain on its longest
#: side: nothing later looks at more, and every later step would cost time and memory for it.
_ENOUGH = 1024

_MOSTLY, _MID_GRAY = 0.5, 127.5

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
    OverflowError,
    struct.error,
    zlib.error,
)

# Pillow only warns of an image between one and two times its own pixel limit.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Its remarks on damaged metadata would let a caller write into the server's log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


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
    min_side: int = 10


def decode(content: bytes, limits: DecodeLimits) -> NDArray[np.uint8]:
    """Decode an image file.

    The first frame, turned as its EXIF orientation says. Colour becomes luminance (ITU-R BT.601);
    what is transparent becomes paper that the ink stands out from.

    Parameters
    ----------
    content : bytes
        A PNG, JPEG, GIF, BMP, TIFF or WebP file.
    limits : DecodeLimits

    Returns
    -------
    ndarray of shape (height, width), uint8

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
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            _check_size(image, limits)
            image.draft("L", (_ENOUGH, _ENOUGH))  # a JPEG can be decoded reduced
            return np.asarray(ImageOps.exif_transpose(_to_gray(image)))
    except UnidentifiedImageError as exc:
        raise UnsupportedImageError(
            f"This file is not an image in a format that is read here: {', '.join(FORMATS)}."
        ) from exc
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as exc:
        raise TooManyPixelsError(_too_many_pixels(limits)) from exc
    except _DECODER_ERRORS as exc:
        raise BrokenImageError("The image is damaged or incomplete.") from exc


def _check_size(image: Image.Image, limits: DecodeLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise TooManyPixelsError(_too_many_pixels(limits))
    if min(width, height) < limits.min_side:
        raise ImageTooSmallError(
            f"The image is {width}×{height} pixels; each side needs at least {limits.min_side}."
        )


def _too_many_pixels(limits: DecodeLimits) -> str:
    return f"The image has too many pixels; at most {limits.max_pixels:,} are accepted."


def _to_gray(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return _deep_to_gray(image)
    if image.has_transparency_data:
        return _on_paper(image if image.mode == "RGBA" else image.convert("RGBA"))
    return _reduce(image.convert("L"))


def _reduce(image: Image.Image) -> Image.Image:
    factor = max(image.size) // _ENOUGH
    return image.reduce(factor) if factor > 1 else image


def _deep_to_gray(image: Image.Image) -> Image.Image:
    """Scale 16-bit values by their full range, and others, which have none, by their own."""
    has_16_bits = image.mode.startswith("I;16")
    reduced = _reduce(image.convert("I") if has_16_bits else image)
    values = np.nan_to_num(np.asarray(reduced, dtype=np.float32), posinf=0.0, neginf=0.0)
    low, high = (0.0, 65535.0) if has_16_bits else (float(values.min()), float(values.max()))
    return _as_image((values - low) * (255 / max(high - low, 1.0)), image)


def _on_paper(image: Image.Image) -> Image.Image:
    """Lay a picture with transparency on paper.

    Where most of it is opaque, that is paper already, and the rest gets its shade. Otherwise the
    opaque part is ink, and gets white paper if it is dark and black paper if it is light: black on
    a transparent canvas is not black on black.
    """
    gray = np.asarray(_reduce(image.convert("L")), dtype=np.float32)
    alpha = np.asarray(_reduce(image.getchannel("A")), dtype=np.float32) / 255
    total = float(alpha.sum())
    if alpha.mean() > _MOSTLY:
        paper = float(np.median(gray[alpha > _MOSTLY]))
    else:
        is_light = total > 0 and float((gray * alpha).sum()) / total > _MID_GRAY
        paper = 0.0 if is_light else 255.0
    return _as_image(gray * alpha + paper * (1 - alpha), image)


def _as_image(values: NDArray[np.floating], original: Image.Image) -> Image.Image:
    """Make a grayscale image of the values, with the original's EXIF and other information."""
    image = Image.fromarray(values.round().astype(np.uint8))
    image.info = original.info
    return image
