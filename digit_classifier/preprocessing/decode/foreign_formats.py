"""Formats that are recognized but not read, each with what its owner can do."""

import re

from digit_classifier.preprocessing.decode.avif import is_avif

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
#: A PDF or an SVG begins with its mark, but for white space, comments or a declaration.
_START_BYTES = 1024

#: The first element is ``svg``; groups that give nothing back take no time on hostile files.
_SVG = re.compile(
    rb"[\xef\xbb\xbf\xfe\xff]*+(?><\?.*?\?>|<!--.*?-->|<![^>]*+>|\s)*+<svg\b",
    re.DOTALL | re.IGNORECASE,
)

_HEIC_HINT = (
    "HEIC pictures are not read here. Save it as JPEG: an iPhone takes JPEG by Settings, Camera, "
    "Formats, Most Compatible."
)
_JPEG_XL_HINT = "JPEG XL pictures are not read here. Save it as JPEG or PNG."
_PDF_HINT = (
    "PDF documents are not read here. Send a page as a picture: a screenshot, or what "
    "'pdftoppm -r 200 -png' makes of it."
)
_SVG_HINT = "SVG drawings are not read here. Export it as PNG."
_AVIF_HINT = "AVIF pictures are not read by this installation. Save it as JPEG or PNG."


def explain_foreign_format(content: bytes) -> str | None:
    """Return what to do with a file of a known format that is not read here, or None.

    Parameters
    ----------
    content : bytes
        A file that no reader has taken.
    """
    start = content[:_START_BYTES]
    if start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        return _HEIC_HINT
    if is_avif(start):
        return _AVIF_HINT
    if start.startswith(_JPEG_XL):
        return _JPEG_XL_HINT
    if b"%PDF-" in start:
        return _PDF_HINT
    return _SVG_HINT if _SVG.match(start.replace(b"\0", b"")) else None  # UTF-16 as well
