"""What a picture costs to decode, judged before any of it is decoded.

Three guards. A file may hold more than its pixels, or hold them too often: what costs much and is
not looked at here is left out or refused. libtiff, by which Pillow reads compressed TIFF files, is
kept from what costs too much, and silent. And a pixel costs more in some formats than in others,
whatever of the picture is looked at: Pillow holds all of it, a byte a pixel for gray levels and
palettes, four for colours and transparency. With the costs here, a picture of most formats takes
four thirds of a byte for each of the pixels that one may have, 53 MB for 40 million.
"""

import ctypes
import re
from contextlib import suppress
from pathlib import Path

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    ROWSPERSTRIP,
    SAMPLESPERPIXEL,
    STRIPBYTECOUNTS,
    TILEBYTECOUNTS,
    TILELENGTH,
    TILEWIDTH,
    TiffImageFile,
)

from digit_classifier.errors import OutOfTimeError

_PNG = b"\x89PNG\r\n\x1a\n"
#: Beside the pixels, a palette, transparency and the orientation. Not the texts and profiles that
#: are compressed, of which each may unpack to a megabyte, and not the further frames.
_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf")

START_OF_SCAN = b"\xff\xda"
#: Each scan of a JPEG passes over the whole picture again, and an empty one has ten bytes: a file
#: of a megabyte could take four minutes. Progressive files have about ten.
MAX_SCANS = 100
#: Of all scans together: 10 in a picture of 40 megapixels.
_MAX_SCANNED_PIXELS = 400_000_000
_MARKER = re.compile(rb"\xff([^\xff\0])")
_IS_SCAN = b"\xda"

#: The frames of an AVIF together have at most so many times its pixels: colour, transparency and a
#: thumbnail have less than three.
_AVIF_MAX_FRAMES = 4
#: Pixels that they have besides, at most: tiles go beyond the edges of small pictures.
_AVIF_SPARE_PIXELS = 1 << 20

_JPEG = 7
#: None, CCITT for fax and scans, LZW, JPEG, Deflate and PackBits; nobody scans by the others.
_TIFF_COMPRESSIONS = (1, 2, 3, 4, 5, _JPEG, 8, 32773, 32946)

#: Pixels that a tile may have although the picture has fewer: no common program makes larger ones.
_USUAL_TILE = 2048 * 2048

#: WebP and AVIF take up to 16 bytes a pixel, and cannot be decoded reduced; a GIF takes twice the
#: time of others.
_COST_OF_FORMAT = {"WEBP": 3, "AVIF": 3, "GIF": 2}
#: Pillow decodes run-length BMPs in Python: one of 25 kB took 7 seconds.
_COST_OF_RUN_LENGTHS = 40

_BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}
_BYTES_OF_OTHER_MODES = 4
_COST_OF_BYTE = 3 / 4

_ORIENTATION, _UPRIGHT = 274, 1
#: Of a TIFF, in which a strip or a tile is unpacked as a whole.
_SMALL_PART = 1 / 8


class PixelBudget:
    """What all images of a batch may have in pixels, of which each image takes its own.

    Parameters
    ----------
    n_pixels : int
    """

    def __init__(self, n_pixels: int) -> None:
        self._left = n_pixels

    def spend(self, n_pixels: int) -> None:
        """Take as many pixels.

        Raises
        ------
        OutOfTimeError
            There are not so many left.
        """
        if n_pixels > self._left:
            raise OutOfTimeError(
                "The images before this one have too many pixels; send fewer at once."
            )
        self._left -= n_pixels


def without_extras(content: bytes) -> bytes:
    """Leave out of a PNG what is not needed for its pixels; return other files as they are."""
    if not content.startswith(_PNG):
        return content
    kept, start = [_PNG], len(_PNG)
    while start + 12 <= len(content):
        # a chunk: length, type, data and checksum, of which the length counts the data alone
        end = start + 12 + int.from_bytes(content[start : start + 4], "big")
        if content[start + 4 : start + 8] in _CHUNKS:
            kept.append(content[start:end])
        start = end
    return b"".join(kept)


def has_more_frames(image: Image.Image, content: bytes) -> bool:
    """Return whether there are frames or pages behind the first."""
    if content.startswith(_PNG):  # whose reader is not shown them, see `without_extras`
        return b"acTL" in content
    return bool(getattr(image, "is_animated", False))


def is_plain_inside(image: Image.Image, content: bytes, n_frame_pixels: int) -> bool:
    """Return whether decoding costs no more than the size in pixels suggests.

    Parameters
    ----------
    image : Image
    content : bytes
    n_frame_pixels : int
        Of an AVIF, as `avif.count_frame_pixels` finds them; 0 of other files.
    """
    if image.format == "AVIF":
        most = _AVIF_MAX_FRAMES * image.width * image.height + _AVIF_SPARE_PIXELS
        return n_frame_pixels <= most
    if isinstance(image, TiffImageFile):
        tags = image.tag_v2
        compression = tags.get(COMPRESSION, 1)
        # a tile is unpacked as a whole
        width, length = (tags.get(tag, 0) for tag in (TILEWIDTH, TILELENGTH))
        has_usual_tiles = width * length <= max(_USUAL_TILE, image.width * image.height)
        if compression not in _TIFF_COMPRESSIONS or not has_usual_tiles:
            return False
        lengths = tags.get(STRIPBYTECOUNTS) or tags.get(TILEBYTECOUNTS) or ()
        # each part may have a scan for each of its components, of which JPEG has four at most;
        # parts that lie over one another would each have the scans of all
        return compression != _JPEG or (
            sum(lengths) <= len(content) and content.count(START_OF_SCAN) <= 4 * len(lengths)
        )
    if not isinstance(image, JpegImageFile) or _has_one_scan(image, content):
        return True
    # in all of the file: counting those of a thumbnail only makes the guard stricter
    n_scans = content.count(START_OF_SCAN)
    return n_scans <= min(MAX_SCANS, _MAX_SCANNED_PIXELS // (image.width * image.height))


def _has_one_scan(image: JpegImageFile, content: bytes) -> bool:
    """Return whether the first scan of a JPEG holds all of the picture."""
    if "progressive" in image.info:
        return False
    start = 2
    while (marker := _MARKER.search(content, start)) is not None:
        start = marker.end()
        if marker[1] == _IS_SCAN:
            return content[start + 2] == image.layers
        start += int.from_bytes(content[start : start + 2], "big")
    return False


def silence_libtiff() -> None:
    """Let libtiff print no errors: that there was one, its decoder returns to Pillow.

    Pillow forbids libtiff to print warnings, but not errors, which it prints past Python to the
    standard error, one for each row that it cannot read: a file of 222 bytes would write 300 MB
    into the server's log, and take 20 seconds for it.
    """
    Image.preinit()  # loads the library
    with suppress(OSError):  # outside Linux there is no such list of what is loaded
        for path in set(re.findall(r"/\S*libtiff\S*\.so\S*", Path("/proc/self/maps").read_text())):
            library = ctypes.CDLL(path)
            library.TIFFSetErrorHandler(None)
            library.TIFFSetErrorHandlerExt(None)


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
        # decoded reduced, unless the coefficients of all components are to be kept
        sizes = [vertical * horizontal for _, vertical, horizontal, _ in image.layer]
        return 1 if _has_one_scan(image, content) else max(1, sum(sizes) / max(1, *sizes))
    if image.format in _COST_OF_FORMAT:
        return _COST_OF_FORMAT[image.format]
    tiles = getattr(image, "tile", [])
    codecs = [tile.codec_name for tile in tiles]
    if codecs == ["raw"]:
        return 1  # the file is as large as its pixels
    if codecs == ["bmp_rle"]:
        return _COST_OF_RUN_LENGTHS
    n_bytes: float = _BYTES_OF_MODE.get(image.mode, _BYTES_OF_OTHER_MODES)
    if n_bytes == _BYTES_OF_OTHER_MODES and any(";16" in str(tile.args) for tile in tiles):
        n_bytes *= 2  # in the file, where unpacking them takes twice the time
    if isinstance(image, TiffImageFile):
        # libtiff unpacks a strip or a tile as a whole, and Pillow turns a picture by a copy
        tags = image.tag_v2
        rows = min(tags.get(ROWSPERSTRIP, image.height), image.height)
        n_at_once = tags.get(TILEWIDTH, image.width) * tags.get(TILELENGTH, rows)
        at_once = n_at_once / (image.width * image.height)
        bits = tags.get(BITSPERSAMPLE, (1,))[0] * tags.get(SAMPLESPERPIXEL, 1)
        n_bytes *= 1 if tags.get(_ORIENTATION, _UPRIGHT) == _UPRIGHT else 2
        n_bytes += bits / 8 * min(1, at_once) if at_once > _SMALL_PART else 0
    return max(1, _COST_OF_BYTE * n_bytes)
