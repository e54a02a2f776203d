"""An opened picture of any mode to one gray channel, reduced to what later steps look at.

Colour becomes luminance (ITU-R BT.601) unless ink and paper differ much more in red, green or blue
alone; what is transparent becomes paper that the ink stands out from.
"""

from collections.abc import Callable, Iterator
from math import ceil, sqrt
from typing import cast

import numpy as np
from PIL import Image, ImageStat

#: Pixels that a reduced picture keeps on its longest side, at least: nearly twice what framing
#: works at for most. A camera's 4000 become 333, or 500 as a JPEG; every later step would cost time
#: and memory for more.
MIN_REDUCED_SIDE = 320
#: Pixels of a picture that is decoded in detail, at most: a sheet of A4 at 300 dpi has 8.7 million.
_MAX_DETAILED_PIXELS = 10_000_000

#: Pixels that are converted at once.
_BAND_PIXELS = 1 << 18

#: Significant bits of 16-bit pictures.
_DEPTHS = (8, 10, 12, 14, 16)

_HALF_OPAQUE = 127.5

#: Colours are compared on about so many samples a side.
_SAMPLES = 192
#: Times the contrast of the luminance that a colour has which is taken instead.
_MUCH_BETTER = 2
_MAX_CONTRAST = 255


def to_gray(image: Image.Image, *, detailed: bool, min_side: int) -> Image.Image:
    """Return the gray levels of a picture, mode L, with its EXIF in ``info``."""
    factor = _reduction(image.size, detailed=detailed, min_side=min_side)
    if factor > 1:
        # libjpeg reduces while it decodes: by 8, 4 or 2, as far as the factor allows
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))
        factor = _reduction(image.size, detailed=detailed, min_side=min_side)
    if image.mode.startswith(("I", "F")):
        return _deep_to_gray(image, factor)
    # many opaque pictures have an alpha channel: only one that is used changes what is read
    if image.has_transparency_data and any(
        _alpha(band).getextrema() != (255, 255) for band in _bands(image, factor)
    ):
        return _on_paper(image, factor)
    gray = _reduce(image, factor, lambda band: _in_mode(band, "L"))
    if image.mode in {"L", "LA", "1"} or _MUCH_BETTER * _contrast(gray) >= _MAX_CONTRAST:
        return gray  # no colour can have so much more contrast
    if (colour := _telling_colour(image)) is None:
        return gray
    return _reduce(image, factor, lambda band: _in_mode(band, "RGB", "RGBA").getchannel(colour))


def _reduction(size: tuple[int, int], *, detailed: bool, min_side: int) -> int:
    """Return the whole factor that a picture is reduced by."""
    if detailed:
        return ceil(sqrt(size[0] * size[1] / _MAX_DETAILED_PIXELS))
    return max(1, max(size) // min_side)


def _reduce(
    image: Image.Image, factor: int, convert: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """Convert and reduce a picture by bands, so that a large one is never in memory twice."""
    if factor == 1:
        return convert(image)
    bands = [convert(band).reduce(factor) for band in _bands(image, factor)]
    reduced = Image.new(bands[0].mode, (bands[0].width, sum(band.height for band in bands)))
    top = 0
    for band in bands:
        reduced.paste(band, (0, top))
        top += band.height
    reduced.info = image.info  # holds the EXIF orientation
    return reduced


def _bands(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    """Cut a picture into bands, whose rows are a multiple of the factor but for the last."""
    image.load()  # a TIFF may be turned by it
    n_rows = max(1, _BAND_PIXELS // (image.width * factor)) * factor
    if n_rows >= image.height:
        yield image  # which a crop would copy
        return
    for top in range(0, image.height, n_rows):
        yield image.crop((0, top, image.width, min(top + n_rows, image.height)))


def _in_mode(image: Image.Image, *modes: str) -> Image.Image:
    """Convert a picture to the first of some modes, unless it has one of them."""
    return image if image.mode in modes else image.convert(modes[0])  # which would copy


def _alpha(image: Image.Image) -> Image.Image:
    return _in_mode(image, "RGBA", "LA").getchannel("A")


def _telling_colour(image: Image.Image) -> int | None:
    """Return which of red, green and blue separates ink and paper much better than luminance.

    Yellow on white differs in the blue alone, and red on green may have the same luminance.
    """
    step = max(1, max(image.size) // _SAMPLES)
    width, height = image.size
    # single pixels: converting all of them would take memory for the whole picture
    size = max(1, width // step), max(1, height // step)
    sample = image.resize(size, Image.Resampling.NEAREST).convert("RGB")
    contrasts = [_contrast(band) for band in sample.split()]
    best = contrasts.index(max(contrasts))
    return best if contrasts[best] > _MUCH_BETTER * _contrast(sample.convert("L")) else None


def _contrast(band: Image.Image) -> int:
    # Pillow finds both extremes in a tenth of the time that NumPy takes
    low, high = cast("tuple[int, int]", band.getextrema())  # as it has one channel
    return high - low


def _deep_to_gray(image: Image.Image, factor: int) -> Image.Image:
    """Scale 16-bit values by the range of their significant bits, and others by their own range."""
    has_16_bits = image.mode.startswith("I;16")
    reduced = _reduce(image, factor, lambda band: band.convert("I") if has_16_bits else band)
    finite = np.nan_to_num(np.asarray(reduced, dtype=np.float32), posinf=0.0, neginf=0.0)
    values = finite.astype(np.float64)  # the range of single floats does not fit in one
    low, high = float(values.min()), float(values.max())
    if has_16_bits:
        # many cameras and scanners fill the low bits alone
        low, high = 0.0, next(float((1 << bits) - 1) for bits in _DEPTHS if high < 1 << bits)
    scaled = (values - low) * (255 / max(high - low, 1.0))
    gray = Image.fromarray(scaled.round().astype(np.uint8))
    gray.info = image.info  # holds the EXIF orientation
    return gray


def _on_paper(image: Image.Image, factor: int) -> Image.Image:
    """Lay a picture with transparency on paper.

    Where most of it is opaque, that is paper already, and the rest gets its shade. Otherwise the
    opaque part is ink, and gets white paper if it is dark and black paper if it is light: black on
    a transparent canvas is not black on black.
    """
    gray = _reduce(image, factor, lambda band: _in_mode(band, "RGBA", "LA").convert("L"))
    alpha = _reduce(image, factor, _alpha)
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
