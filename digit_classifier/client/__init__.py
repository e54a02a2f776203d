"""A Python client of the service, which only needs its address.

>>> from digit_classifier.client import Client
>>> client = Client("http://127.0.0.1:5000")

docs/client.md has examples.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar, runtime_checkable

from digit_classifier.client.answers import (
    Answer,
    Explained,
    Explanation,
    Model,
    ModelId,
    ReadDigit,
    Reading,
    Refusal,
    Row,
    Step,
)
from digit_classifier.client.transport import (
    ClientError,
    NoAnswerError,
    ProblemError,
    Transport,
    UnexpectedAnswerError,
    answer_or_refusal,
    parse_response,
)

__all__ = [
    "UNREADABLE_FILE",
    "Answer",
    "Client",
    "ClientError",
    "Explained",
    "Explanation",
    "Image",
    "Model",
    "ModelId",
    "NoAnswerError",
    "ProblemError",
    "ReadDigit",
    "Reading",
    "Refusal",
    "Row",
    "Step",
    "UnexpectedAnswerError",
]

T = TypeVar("T")


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

#: The code of a file that could not be read, and was not sent.
UNREADABLE_FILE = "unreadable_file"


class Client:
    """Reads digits by a running service; safe to share between threads.

    Parameters
    ----------
    url : str
        Of the service, such as ``"http://127.0.0.1:5000"``.
    api_key : str, optional
        Where the service wants one.
    timeout : float, default=60
        Seconds without a connection or a byte of the answer.
    retries : int, default=5
        How often a request is sent again, with growing pauses or those that the service asks for:
        without a connection, and after 429, 502, 503 and 504.
    """

    def __init__(
        self, url: str, *, api_key: str | None = None, timeout: float = 60, retries: int = 5
    ) -> None:
        self._url = url.rstrip("/")
        self._transport = Transport(timeout, retries, api_key)
        # for ready(): a service that is not ready answers 503, which would be tried again
        self._without_retries = Transport(timeout, 0, api_key)

    def classify(self, image: Image, *, model: str | None = None) -> Answer:
        """Read the digit of one image.

        Parameters
        ----------
        image : bytes, path, binary file, Pillow image or array
        model : str, optional
            By default the service's.

        Raises
        ------
        ProblemError
            The service refused; its ``code`` gives the reason.
        NoAnswerError, UnexpectedAnswerError
        OSError
            The file cannot be read.
        TypeError
            It is not an image; see :func:`named_content`.
        """
        return self._send_image("/api/v1/classify", Answer, image, model)

    def read(self, image: Image, *, model: str | None = None) -> Reading:
        """Read all digits of one image, row by row.

        Parameters and errors are those of :meth:`classify`.
        """
        return self._send_image("/api/v1/read", Reading, image, model)

    def explain(self, image: Image, *, model: str | None = None, steps: bool = False) -> Explained:
        """Read the digit of one image, and return the answer with its explanation.

        Parameters and errors are those of :meth:`classify`, besides:

        Parameters
        ----------
        steps : bool, default=False
            Return a picture of each step of preprocessing, too.
        """
        explain = "steps" if steps else "1"
        return self._send_image("/api/v1/classify", Explained, image, model, explain=explain)

    def classify_many(
        self, images: Iterable[Image], *, model: str | None = None, batch_size: int = 64
    ) -> Iterator[Answer | Refusal]:
        """Read the digits of many images, a batch at a time.

        Only the images of one batch are held at a time: the iterable may be endless.

        Parameters
        ----------
        images : iterable of bytes, paths, binary files, Pillow images or arrays
        model : str, optional
            By default the service's.
        batch_size : int, default=64
            At most this many in a request, and fewer where they are large.

        Yields
        ------
        Answer or Refusal
            One an image, in their order. A file that cannot be read is a `Refusal` without a
            status, of the code ``"unreadable_file"``.

        Raises
        ------
        ClientError
            A whole batch was not answered.
        TypeError
            One of them is not an image.
        ValueError
            `batch_size` is less than 1.
        """

        def named_or_refused(image: Image) -> Named | Refusal:
            try:
                return named_content(image)
            except OSError as exc:
                name = str(exc.filename or "") or None
                reason = f"The file cannot be read: {exc.strerror or exc}."
                return Refusal(status=None, code=UNREADABLE_FILE, detail=reason, name=name)

        for batch in batches_of(map(named_or_refused, images), batch_size):
            sent = [image for image in batch if not isinstance(image, Refusal)]
            answers = self._classify_batch(sent, model) if sent else iter(())
            for image in batch:
                yield image if isinstance(image, Refusal) else next(answers)

    def _classify_batch(self, images: list[Named], model: str | None) -> Iterator[Answer | Refusal]:
        try:
            entries = self._call(
                "POST",
                "/api/v1/classify/batch",
                list[dict[str, Any]],
                params={"model": model},
                # a part of a form without a file name would be a text
                files=[("images", (name or "image", content)) for name, content in images],
            )
        except ProblemError as exc:
            # batches_of sends a large image alone: if it is too large, the others go on
            if len(images) > 1 or exc.code != "file_too_large":
                raise
            ((name, _),) = images
            return iter([Refusal(status=exc.status, code=exc.code, detail=exc.detail, name=name)])
        # by position, since names may be equal or missing
        if len(entries) != len(images):
            raise UnexpectedAnswerError(
                f"{self._url}: {len(entries)} answers to {len(images)} images."
            )
        named = zip(images, entries, strict=True)
        return iter([answer_or_refusal(entry | {"name": name}) for (name, _), entry in named])

    def models(self) -> list[Model]:
        """Return the models that ``model=`` chooses among.

        Raises
        ------
        ProblemError, NoAnswerError, UnexpectedAnswerError
        """
        return self._call("GET", "/api/v1/models", list[Model])

    def status(self) -> dict[str, Any]:
        """Return the service's status; its Apache allows this from named networks only.

        Raises
        ------
        ProblemError, NoAnswerError, UnexpectedAnswerError
        """
        return self._call("GET", "/status", dict[str, Any])

    def ready(self) -> bool:
        """Return whether the service reports that it reads digits right.

        Raises
        ------
        NoAnswerError
        """
        return self._without_retries.send("GET", f"{self._url}/readyz").status_code == HTTPStatus.OK

    def _send_image(
        self, path: str, kind: type[T], image: Image, model: str | None, **query: str
    ) -> T:
        _, content = named_content(image)
        answer: T = self._call(
            "POST",
            path,
            kind,
            params={"model": model, **query},
            data=content,
            # any type would do: the service judges by content
            headers={"Content-Type": "application/octet-stream"},
        )
        return answer

    def _call(self, method: str, path: str, kind: Any, **arguments: Any) -> Any:
        return parse_response(self._transport.send(method, self._url + path, **arguments), kind)


def named_content(image: Image) -> Named:
    """Return an image file's content, and its name where it has one.

    Parameters
    ----------
    image : bytes, path, binary file, Pillow image or array
        An array has the shape (height, width), or (height, width, 3) or (height, width, 4) in
        colour, and the type uint8.

    Returns
    -------
    name : str or None
    content : bytes

    Raises
    ------
    OSError
        The file cannot be read.
    TypeError
        The image is something else, such as a file that is open for text or an array of another
        type, or Pillow is missing for an array.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        return None, bytes(image)
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return path.name, path.read_bytes()
    # by protocols, since neither Pillow nor NumPy need be installed
    if isinstance(image, PillowImage):
        return None, _encode(image)
    if isinstance(image, ArrayLike):
        try:
            from PIL import Image as Pillow
        except ImportError as exc:
            raise TypeError("An array is sent as a picture by Pillow: pip install pillow.") from exc
        interface = image.__array_interface__
        shape, kind = tuple(interface["shape"]), interface["typestr"][1:]
        is_picture = len(shape) == 2 or (len(shape) == 3 and shape[2] in {3, 4})
        if kind != "u1" or not is_picture:
            raise TypeError(
                "An array has the type uint8, from 0 to 255, and the shape (height, width) or "
                f"(height, width, 3 or 4), not {interface['typestr']} and {shape}."
            )
        return None, _encode(Pillow.fromarray(image))
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
        A refusal, of a file that cannot be read, counts as 0 bytes.
    max_items : int
        A batch has at most so many images, and `MAX_BYTES`; an image that is larger comes alone.

    Yields
    ------
    list of (name, content) or Refusal

    Raises
    ------
    ValueError
        `max_items` is less than 1.
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
    if image.mode in {"HSV", "La", "RGBa"}:  # no file format has these
        image = image.convert("RGB" if image.mode == "HSV" else image.mode.upper())
    file = BytesIO()
    # TIFF takes the modes that PNG does not
    is_png = image.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
    image.save(file, "PNG" if is_png else "TIFF")
    return file.getvalue()
