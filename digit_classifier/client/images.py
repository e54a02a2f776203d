"""Pictures in the forms that programs have them, and in batches that the service takes."""

import os
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

from digit_classifier.client.answers import Refusal


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
#: A picture's name, where it has one, and an image file's content.
Named = tuple[str | None, bytes]

#: Half of what the service takes by default, which leaves room for what surrounds the files.
MAX_BYTES = 16 * 1024 * 1024


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
    # by what they have, since neither Pillow nor NumPy need be installed
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


def batches_of(
    images: Iterable[Named | Refusal], max_items: int
) -> Iterator[list[Named | Refusal]]:
    """Cut a stream of images into batches, holding one at a time.

    Parameters
    ----------
    images : iterable of (name, content) or Refusal
        A refusal, of a file that cannot be read, has no bytes.
    max_items : int
        A batch has at most so many images, and `MAX_BYTES`; an image that is larger comes alone.

    Raises
    ------
    ValueError
        A batch of no images was asked for.
    """
    if max_items < 1:
        raise ValueError("A batch has one image at least.")
    batch: list[Named | Refusal] = []
    n_bytes = 0
    for image in images:
        size = 0 if isinstance(image, Refusal) else len(image[1])
        if batch and (len(batch) == max_items or n_bytes + size > MAX_BYTES):
            yield batch
            batch, n_bytes = [], 0
        batch.append(image)
        n_bytes += size
    if batch:
        yield batch


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
