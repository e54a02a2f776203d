"""libtiff, which Pillow reads compressed TIFF files by: silent, and kept from what costs too much.

Pillow forbids libtiff to print warnings, but not errors, which it prints past Python to the
standard error, one for each row that it cannot read: a file of 222 bytes would write 300 MB into
the server's log, and take 20 seconds for it.
"""

import ctypes
import re
from contextlib import suppress
from pathlib import Path

from PIL import Image
from PIL.TiffImagePlugin import (
    COMPRESSION,
    STRIPBYTECOUNTS,
    TILEBYTECOUNTS,
    TILELENGTH,
    TILEWIDTH,
    TiffImageFile,
)

_JPEG = 7
#: None, CCITT for fax and scans, LZW, JPEG, Deflate and PackBits; nobody scans by the others.
_COMPRESSIONS = (1, 2, 3, 4, 5, _JPEG, 8, 32773, 32946)

#: Pixels that a tile may have although the picture has fewer: no common program makes larger ones.
_USUAL_TILE = 2048 * 2048


def silence() -> None:
    """Let libtiff print no errors: that there was one, its decoder returns to Pillow."""
    Image.preinit()  # loads the library
    with suppress(OSError):  # outside Linux there is no such list of what is loaded
        for path in set(re.findall(r"/\S*libtiff\S*\.so\S*", Path("/proc/self/maps").read_text())):
            library = ctypes.CDLL(path)
            library.TIFFSetErrorHandler(None)
            library.TIFFSetErrorHandlerExt(None)


def is_plain(image: TiffImageFile, n_scans: int, n_bytes: int) -> bool:
    """Return whether decoding costs no more work and memory than the size in pixels suggests.

    Parameters
    ----------
    image : TiffImageFile
    n_scans : int
        How many scans of JPEG are in the file.
    n_bytes : int
        Of the file.
    """
    tags = image.tag_v2
    compression = tags.get(COMPRESSION, 1)
    if compression not in _COMPRESSIONS or not _has_usual_tiles(image):
        return False
    lengths = tags.get(STRIPBYTECOUNTS) or tags.get(TILEBYTECOUNTS) or ()
    # parts that lie over one another would each have the scans of all
    return compression != _JPEG or (sum(lengths) <= n_bytes and n_scans <= 4 * len(lengths))


def _has_usual_tiles(image: TiffImageFile) -> bool:
    """Return whether a tile, which is unpacked as a whole, is hardly larger than the picture."""
    width, length = (image.tag_v2.get(tag, 0) for tag in (TILEWIDTH, TILELENGTH))
    return bool(width * length <= max(_USUAL_TILE, image.width * image.height))
