"""The client: the service's own calls, as methods."""

import os
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from digit_classifier.client.answers import Answer, Model, Reading, Refusal
from digit_classifier.client.batches import batches_of
from digit_classifier.client.errors import UnexpectedAnswerError
from digit_classifier.client.transport import Transport, answer_or_refusal, understand

#: The bytes of an image file, its path, or the open file.
Image = bytes | str | os.PathLike[str] | BinaryIO

T = TypeVar("T")


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
        self._asks_once = Transport(timeout, 0, api_key)

    def classify(self, image: Image, *, model: str | None = None) -> Answer:
        """Read the digit of one image.

        Parameters
        ----------
        image : bytes, path or binary file
        model : str, optional
            By default the service's.

        Raises
        ------
        ProblemError
            The service refused; its ``code`` gives the reason.
        NoAnswerError, UnexpectedAnswerError
        OSError
            The file cannot be read.
        """
        return self._send_image("/api/v1/classify", Answer, image, model)

    def read(self, image: Image, *, model: str | None = None) -> Reading:
        """Read all digits of one image, row by row.

        Parameters
        ----------
        image : bytes, path or binary file
        model : str, optional
            By default the service's.

        Raises
        ------
        ProblemError
            The service refused; its ``code`` says why.
        NoAnswerError, UnexpectedAnswerError
        OSError
            The file cannot be read.
        """
        return self._send_image("/api/v1/read", Reading, image, model)

    def classify_many(
        self, images: Iterable[Image], *, model: str | None = None, batch_size: int = 64
    ) -> Iterator[Answer | Refusal]:
        """Read the digits of many images, a batch at a time.

        The images are fetched as their answers are asked for, and no more of them are held than a
        batch has: the iterable may be endless.

        Parameters
        ----------
        images : iterable of bytes, paths or binary files
        model : str, optional
            By default the service's.
        batch_size : int, default=64
            At most this many in a request, and fewer where they are large.

        Yields
        ------
        Answer or Refusal
            One an image, in their order.

        Raises
        ------
        ClientError
            A whole batch was not answered.
        OSError
            A file cannot be read.
        """
        for batch in batches_of(map(named_content, images), batch_size):
            entries = self._call(
                "POST",
                "/api/v1/classify/batch",
                list[dict[str, Any]],
                params={"model": model},
                files=[("images", (name or "image", content)) for name, content in batch],
            )
            if len(entries) != len(batch):
                raise UnexpectedAnswerError(f"{len(entries)} answers to {len(batch)} images.")
            for (name, _), entry in zip(batch, entries, strict=True):
                yield answer_or_refusal(entry | {"name": name})

    def models(self) -> list[Model]:
        """Return the models that ``model=`` chooses among."""
        return self._call("GET", "/api/v1/models", list[Model])

    def status(self) -> dict[str, Any]:
        """Return the service's status; its Apache allows this from named networks only."""
        return self._call("GET", "/status", dict[str, Any])

    def ready(self) -> bool:
        """Tell whether the service reads digits right, by its own account.

        Raises
        ------
        NoAnswerError
            It is not there at all.
        """
        return self._asks_once.send("GET", f"{self._url}/readyz").status_code == HTTPStatus.OK

    def _send_image(self, path: str, kind: type[T], image: Image, model: str | None) -> T:
        _, content = named_content(image)
        answer: T = self._call(
            "POST",
            path,
            kind,
            params={"model": model},
            data=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        return answer

    def _call(self, method: str, path: str, kind: Any, **arguments: Any) -> Any:
        return understand(self._transport.send(method, self._url + path, **arguments), kind)


def named_content(image: Image) -> tuple[str | None, bytes]:
    """Return an image file's content, and its name where it has one."""
    if isinstance(image, bytes):
        return None, image
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        return path.name, path.read_bytes()
    name = getattr(image, "name", None)
    return Path(name).name if isinstance(name, str) else None, image.read()
