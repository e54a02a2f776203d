"""Images as text: the data URL of a canvas's ``toDataURL``, or base64 of any flavour."""

from base64 import b64decode
from string import whitespace
from typing import Annotated, Any, TypedDict
from urllib.parse import unquote, unquote_to_bytes

import msgspec
from msgspec import Meta

from digit_classifier.errors import BrokenImageError, NoFileError

ImageText = Annotated[str, Meta(description="A data URL, or base64.")]

#: The URL-safe alphabet to the usual one; line breaks, which MIME and many tools add, are dropped.
_TO_USUAL = str.maketrans({"-": "+", "_": "/"} | dict.fromkeys(whitespace))
_MAX_REASON = 200  # characters


class ImageJson(TypedDict):
    """An image as text."""

    image: ImageText


def image_of_text(text: str) -> bytes:
    """Decode an image that came as a data URL (RFC 2397) or as base64.

    The media type of a data URL is ignored: a format is detected by its content.

    Raises
    ------
    BrokenImageError
    """
    text = text.strip()
    if text[:5].lower() != "data:":
        return decode_base64(text)
    head, comma, data = text.partition(",")
    if not comma:
        raise BrokenImageError("This data URL has no comma, behind which its data would be.")
    if not "".join(head.split()).lower().endswith((";base64", ";+base64")):
        return unquote_to_bytes(data)
    return decode_base64(unquote(data) if "%" in data else data)


def decode_base64(text: str) -> bytes:
    """Decode base64, with or without line breaks and padding, in both alphabets (RFC 4648).

    Raises
    ------
    BrokenImageError
    """
    digits = text.translate(_TO_USUAL).rstrip("=")
    try:
        return b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except ValueError as exc:
        raise BrokenImageError(f"This is not base64: {exc}.") from exc


def image_of_json(body: bytes) -> bytes:
    """Return the image that a JSON object has as its member ``image``, or that a JSON string is.

    Raises
    ------
    NoFileError
        There is no such member.
    BrokenImageError
        It is neither a data URL nor base64.
    """
    kind: Any = ImageJson | str
    try:
        document = msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        reason = str(exc)[:_MAX_REASON]  # it may quote what was sent, however long that is
        raise NoFileError(
            f'The JSON has no image: {reason}. Send {{"image": "<data URL or base64>"}}.'
        ) from exc
    return image_of_text(document if isinstance(document, str) else document["image"])
