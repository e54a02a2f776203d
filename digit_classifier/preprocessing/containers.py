"""What a file holds beside its pixels, or too often: what costs much, and is not looked at here."""

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from digit_classifier.preprocessing.libtiff import is_plain

_PNG = b"\x89PNG\r\n\x1a\n"
#: Beside the pixels, a palette, transparency and the orientation. Not the texts and profiles that
#: are compressed, of which each may unpack to a megabyte, and not the further frames.
_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf")

START_OF_SCAN = b"\xff\xda"
#: Each scan of a JPEG passes over the whole picture again, and an empty one has ten bytes: a file
#: of a megabyte could take four minutes. Progressive files have about ten.
MAX_SCANS = 100


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


def is_plain_inside(image: Image.Image, content: bytes) -> bool:
    """Tell whether decoding costs what the size in pixels lets one expect."""
    if isinstance(image, TiffImageFile):
        return is_plain(image, content.count(START_OF_SCAN), len(content))
    return image.format not in {"JPEG", "MPO"} or content.count(START_OF_SCAN) <= MAX_SCANS
