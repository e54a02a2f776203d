"""What a pixel costs to decode, in pixels of a plain gray picture, judged before any is decoded.

Pillow holds a whole picture, whatever of it is looked at: a byte a pixel for gray levels and
palettes, four for colours and transparency. With the costs here, a picture of most formats takes
four thirds of a byte for each of the pixels that one may have, 53 MB for 40 million.
"""

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    ROWSPERSTRIP,
    SAMPLESPERPIXEL,
    TILELENGTH,
    TILEWIDTH,
    TiffImageFile,
)

from digit_classifier.preprocessing.decode.containers import has_one_scan

#: WebP and AVIF take up to 16 bytes a pixel, and cannot be decoded reduced; a GIF takes twice the
#: time of others.
_OF_FORMAT = {"WEBP": 3, "AVIF": 3, "GIF": 2}
#: Pillow decodes run-length BMPs in Python: one of 25 kB took 7 seconds.
_OF_RUN_LENGTHS = 40

_BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
_BYTES_OF_OTHER_MODES = 4
_COST_OF_BYTE = 3 / 4

_ORIENTATION, _UPRIGHT = 274, 1
#: Of a TIFF, in which a strip or a tile is unpacked as a whole.
_SMALL_PART = 1 / 8


def pixel_cost(image: Image.Image, content: bytes) -> float:
    """Return how many pixels of a plain gray picture a pixel counts as, at least one.

    Parameters
    ----------
    image : Image
        Opened, and not loaded.
    content : bytes
        The file that it was opened from.
    """
    if isinstance(image, JpegImageFile):
        # decoded reduced, unless the coefficients of the whole picture are to be kept
        return 1 if has_one_scan(image, content) else max(1, _samples_per_pixel(image))
    if image.format in _OF_FORMAT:
        return _OF_FORMAT[image.format]
    tiles = getattr(image, "tile", [])
    codecs = [tile.codec_name for tile in tiles]
    if codecs == ["raw"]:
        return 1  # the file is as large as its pixels
    if codecs == ["bmp_rle"]:
        return _OF_RUN_LENGTHS
    n_bytes = _BYTES_OF_MODE.get(image.mode, _BYTES_OF_OTHER_MODES)
    if n_bytes == _BYTES_OF_OTHER_MODES and any(";16" in str(tile.args) for tile in tiles):
        n_bytes *= 2  # in the file, where unpacking them takes twice the time
    if isinstance(image, TiffImageFile):
        return max(1, _COST_OF_BYTE * _bytes_of_tiff(image, n_bytes))
    return max(1, _COST_OF_BYTE * n_bytes)


def _samples_per_pixel(image: JpegImageFile) -> float:
    """Return the coefficients of all components that there are for a pixel."""
    sizes = [vertical * horizontal for _, vertical, horizontal, _ in image.layer]
    return sum(sizes) / max(1, *sizes)


def _bytes_of_tiff(image: TiffImageFile, n_bytes: float) -> float:
    """Add what is unpacked at once, a strip or a tile, and the copy of a picture that is turned."""
    tags = image.tag_v2
    n_pixels = image.width * image.height
    rows = min(tags.get(ROWSPERSTRIP, image.height), image.height)
    at_once = tags.get(TILEWIDTH, image.width) * tags.get(TILELENGTH, rows) / n_pixels
    bits = tags.get(BITSPERSAMPLE, (1,))[0] * tags.get(SAMPLESPERPIXEL, 1)
    copies = 1 if tags.get(_ORIENTATION, _UPRIGHT) == _UPRIGHT else 2
    return n_bytes * copies + (bits / 8 * min(1, at_once) if at_once > _SMALL_PART else 0)
