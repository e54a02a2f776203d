"""What a file holds beside its pixels, or too often: what costs much, and is not looked at here."""

import re

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from digit_classifier.preprocessing.decode.libtiff import is_plain

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
_MARKER, _IS_SCAN = re.compile(rb"\xff([^\xff\0])"), b"\xda"

#: The frames of an AVIF together have at most so many times its pixels: colour, transparency and a
#: thumbnail have less than three. Tiles go beyond the edges of small pictures.
_AVIF_MAX_FRAMES, _AVIF_SPARE_PIXELS = 4, 1 << 20


def without_extras(content: bytes) -> bytes:
    """Leave out of a PNG what is not needed for its pixels; return other files as they are."""
    if not content.startswith(_PNG):
        return content
    kept, start = [_PNG], len(_PNG)
    while start + 12 <= len(content):
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


def is_plain_inside(image: Image.Image, content: bytes, n_frame_pixels: int = 0) -> bool:
    """Return whether decoding costs no more than the size in pixels suggests.

    Parameters
    ----------
    image : Image
    content : bytes
    n_frame_pixels : int
        Of an AVIF, as `avif.count_frame_pixels` finds them.
    """
    if image.format == "AVIF":
        most = _AVIF_MAX_FRAMES * image.width * image.height + _AVIF_SPARE_PIXELS
        return n_frame_pixels <= most
    if isinstance(image, TiffImageFile):
        return is_plain(image, content.count(START_OF_SCAN), len(content))
    if not isinstance(image, JpegImageFile) or has_one_scan(image, content):
        return True
    n_scans = content.count(START_OF_SCAN)
    return n_scans <= min(MAX_SCANS, _MAX_SCANNED_PIXELS // (image.width * image.height))


def has_one_scan(image: JpegImageFile, content: bytes) -> bool:
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
