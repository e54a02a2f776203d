"""Pictures in the forms that programs have them: bytes, files, Pillow images, arrays."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable


@runtime_checkable
class PillowImage(Protocol):
    """An image of Pillow's."""

    format: str | None
    save: Callable[..., None]


@runtime_checkable
class ArrayLike(Protocol):
    """An array of NumPy's, or of a library with NumPy's interface."""

    __array_interface__: dict[str, Any]


#: An image file's bytes, its path, or the open file; or pixels, of Pillow or in an array.
Image = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO | PillowImage | ArrayLike


def named_content(image: Image) -> tuple[str | None, bytes]:
    """Return an image file's content, and its name where it has one.

    Parameters
    ----------
    image : bytes, path, binary file, Pillow image or array
        An array has the shape (height, width), or (height, width, 3) or (height, width, 4) in
        colour, and the type uint8.

    Raises
    ------
    OSError
        The file cannot be read.
    TypeError
        Anything else, such as a file that is open for text, or an array of another type.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        return None, bytes(image)
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return path.name, path.read_bytes()
    if isinstance(image, PillowImage):
        return None, _encode(image)
    if isinstance(image, ArrayLike):
        return None, _encode(_image_of_array(image))
    if not hasattr(image, "read"):
        raise TypeError(
            f"A picture is bytes, a path, a binary file, a Pillow image or an array, not "
            f"{type(image).__name__}."
        )
    content = image.read()
    if not isinstance(content, bytes):
        raise TypeError('The file is open for text; open it by open(path, "rb").')
    name = getattr(image, "name", None)
    return Path(name).name if isinstance(name, str) else None, content


def _encode(image: Any) -> bytes:
    file = BytesIO()
    # the formats of scanners hold what PNG does not
    image.save(file, "TIFF" if image.mode in {"CMYK", "F", "LAB", "YCbCr", "HSV"} else "PNG")
    return file.getvalue()


def _image_of_array(array: Any) -> Any:
    try:
        from PIL import Image as Pillow
    except ImportError as exc:
        raise TypeError("An array is sent as a picture by Pillow: pip install pillow.") from exc
    interface = array.__array_interface__
    shape, kind = tuple(interface["shape"]), interface["typestr"][1:]
    is_picture = len(shape) == 2 or (len(shape) == 3 and shape[2] in {3, 4})
    if kind != "u1" or not is_picture:
        raise TypeError(
            "An array has the type uint8, from 0 to 255, and the shape (height, width) or "
            f"(height, width, 3 or 4), not {interface['typestr']} and {shape}."
        )
    return Pillow.fromarray(array)
