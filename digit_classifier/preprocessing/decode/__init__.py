"""decode: the bytes of an image file to one grayscale array.

Trust bytes, not names: the format is detected by content, from a short list of formats, and the
size is judged on the header, before any pixel is decoded.
"""

import logging
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
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
    NoInkError,
    TooManyPixelsError,
    UnsupportedImageError,
)
from digit_classifier.preprocessing.decode.avif import count_frame_pixels, is_avif
from digit_classifier.preprocessing.decode.gray import MIN_REDUCED_SIDE, to_gray
from digit_classifier.preprocessing.decode.guards import (
    PixelBudget,
    has_more_frames,
    is_plain_inside,
    pixel_cost,
    silence_libtiff,
    without_extras,
)
from digit_classifier.preprocessing.measures import contrast_range

#: Imported here, or Pillow would import all its readers to find them.
_READERS = {
    "PNG": PngImagePlugin,
    "JPEG": JpegImagePlugin,
    "GIF": GifImagePlugin,
    "BMP": BmpImagePlugin,
    "TIFF": TiffImagePlugin,
    "WEBP": WebPImagePlugin,
    "AVIF": AvifImagePlugin,
}
#: AVIF only where Pillow was built with it.
FORMATS = tuple(name for name in _READERS if name != "AVIF" or AvifImagePlugin.SUPPORTED)

#: Longest side in pixels, the limit of most formats.
_MAX_SIDE = 65_535

#: Gray levels: a frame with a smaller range is blank.
_BLANK_MAX_RANGE = 8

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
    RuntimeError,
    ArithmeticError,
    struct.error,
    zlib.error,
)

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
#: A PDF or an SVG begins with its mark, but for white space, comments or a declaration.
_START_BYTES = 1024

#: The first element is ``svg``; groups that give nothing back take no time on hostile files.
_SVG = re.compile(
    rb"[\xef\xbb\xbf\xfe\xff]*+(?><\?.*?\?>|<!--.*?-->|<![^>]*+>|\s)*+<svg\b",
    re.DOTALL | re.IGNORECASE,
)

# Pillow only warns of an image between one and two times its own pixel limit.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Its remarks on damaged metadata would let a caller write into the server's log.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("PIL").setLevel(logging.CRITICAL)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # one picture does not take all cores
silence_libtiff()


@dataclass(frozen=True, kw_only=True)
class DecodeLimits:
    """What is accepted.

    Parameters
    ----------
    max_bytes : int
        Of the file.
    max_pixels : int
        Width × height of a gray picture. One in colour, a WebP or an AVIF may have a third as
        many, since it takes more memory; see `pixel_cost`.
    min_side : int
        In pixels.
    """

    max_bytes: int = 1024 * 1024
    max_pixels: int = 40_000_000
    min_side: int = 8


#: Of files of one's own, such as photos straight from the camera.
LOCAL_FILE_LIMITS = DecodeLimits(max_bytes=64 * 1024 * 1024)


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
    is_detailed : bool
        Whether decoding the file again could not bring out more.
    """

    gray: NDArray[np.uint8]
    format: str
    width: int
    height: int
    is_detailed: bool

    @property
    def shown_shape(self) -> tuple[int, int]:
        """Height and width of the whole picture as shown, turned as its EXIF orientation says."""
        height, width = self.gray.shape
        is_turned = (width - height) * (self.width - self.height) < 0
        return (self.width, self.height) if is_turned else (self.height, self.width)


def decode(content: bytes, limits: DecodeLimits) -> NDArray[np.uint8]:
    """Decode an image file to one grayscale array; see `decode_image`."""
    return decode_image(content, limits).gray


def decode_image(
    content: bytes,
    limits: DecodeLimits,
    *,
    detailed: bool = False,
    min_side: int = MIN_REDUCED_SIDE,
    budget: PixelBudget | None = None,
) -> Decoded:
    """Decode an image file.

    The first frame, turned as its EXIF orientation says. Colour becomes luminance (ITU-R BT.601)
    unless ink and paper differ much more in red, green or blue alone; what is transparent becomes
    paper that the ink stands out from.

    Parameters
    ----------
    content : bytes
        A PNG, JPEG, GIF, BMP, TIFF, WebP or AVIF file.
    limits : DecodeLimits
    detailed : bool, default=False
        Keep up to ten million pixels, for a digit that is small in a large picture. Otherwise a
        picture whose longest side has at least twice `min_side` is reduced.
    min_side : int, default=320
        Pixels that a reduced picture keeps on its longest side, at least.
    budget : PixelBudget, optional
        From which the image's pixels are taken before any is decoded.

    Returns
    -------
    Decoded

    Raises
    ------
    EmptyFileError, FileTooLargeError, UnsupportedImageError, BrokenImageError,
    TooManyPixelsError, ImageTooSmallError, OutOfTimeError
    NoInkError
        The first of several frames is blank: a later one is never looked at.
    """
    if not content:
        raise EmptyFileError("The file is empty.")
    if len(content) > limits.max_bytes:
        raise FileTooLargeError.of(len(content), limits.max_bytes)
    try:
        n_frame_pixels = count_frame_pixels(content) if is_avif(content) else 0
        file = BytesIO(without_extras(content))
        with Image.open(file, formats=FORMATS) as image:
            # nothing is decoded before the header and the structure of the file have passed
            cost = pixel_cost(image, content)
            _check_size(image, limits, cost)
            width, height = image.size
            if budget is not None:
                budget.spend(round(width * height * cost))
            if not is_plain_inside(image, content, n_frame_pixels):
                raise BrokenImageError("The image is made in a way that is not read here.")
            gray = to_gray(image, detailed=detailed, min_side=min_side)
            gray.load()  # a PNG's EXIF may stand behind its pixels
            if gray.info:  # else there is none, which takes as long to find out as all else
                ImageOps.exif_transpose(gray, in_place=True)
            levels = np.asarray(gray)
            if contrast_range(levels) < _BLANK_MAX_RANGE and has_more_frames(image, content):
                raise NoInkError(
                    "The first frame of this file is blank, and no other frame is read: send the "
                    "one with the digit as a picture of its own."
                )
            is_detailed = detailed or max(gray.size) == max(width, height)
            return Decoded(levels, image.format or "", width, height, is_detailed)
    except UnidentifiedImageError as exc:
        raise UnsupportedImageError(
            _explain_foreign_format(content)
            or f"This file is not an image in a format that is read here: {', '.join(FORMATS)}."
        ) from exc
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as exc:
        raise TooManyPixelsError(_too_many_pixels(limits)) from exc
    except _DECODER_ERRORS as exc:
        raise BrokenImageError("The image is damaged or incomplete.") from exc


def _check_size(image: Image.Image, limits: DecodeLimits, cost: float) -> None:
    width, height = image.size
    if width * height * cost > limits.max_pixels:
        raise TooManyPixelsError(_too_many_pixels(limits, cost))
    if max(width, height) > _MAX_SIDE:
        raise TooManyPixelsError(
            f"The image is {width}×{height} pixels; each side may have at most {_MAX_SIDE:,}."
        )
    if min(width, height) < limits.min_side:
        raise ImageTooSmallError(
            f"The image is {width}×{height} pixels; each side needs at least {limits.min_side}."
        )


def _too_many_pixels(limits: DecodeLimits, cost: float = 1) -> str:
    of_kind = "" if cost == 1 else " in this format and colour mode"
    most = int(limits.max_pixels / cost)
    return f"The image has too many pixels; at most {most:,} are accepted{of_kind}."


def _explain_foreign_format(content: bytes) -> str | None:
    """Return what to do with a file of a known format that is not read here, or None.

    Parameters
    ----------
    content : bytes
        A file that no reader has taken.
    """
    start = content[:_START_BYTES]
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        return (
            "HEIC pictures are not read here. Save it as JPEG: an iPhone takes JPEG by Settings, "
            "Camera, Formats, Most Compatible."
        )
    if is_avif(start):
        reason = (
            "This AVIF picture is damaged, or far too large."
            if "AVIF" in FORMATS
            else "AVIF pictures are not read by this installation."
        )
        return f"{reason} Save it as JPEG or PNG."
    if start.startswith(_JPEG_XL):
        return "JPEG XL pictures are not read here. Save it as JPEG or PNG."
    if b"%PDF-" in start:
        return (
            "PDF documents are not read here. Send a page as a picture: a screenshot, or what "
            "'pdftoppm -r 200 -png' makes of it."
        )
    if _SVG.match(start.replace(b"\0", b"")):  # UTF-16 as well
        return "SVG drawings are not read here. Export it as PNG."
    return None
