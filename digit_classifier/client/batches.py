"""Images in batches that the service takes in one request."""

from collections.abc import Iterable, Iterator

from digit_classifier.client.answers import Refusal

Named = tuple[str | None, bytes]

#: Half of what the service takes by default, which leaves room for what surrounds the files.
MAX_BYTES = 16 * 1024 * 1024


def batches_of(
    images: Iterable[Named | Refusal], max_items: int, max_bytes: int = MAX_BYTES
) -> Iterator[list[Named | Refusal]]:
    """Cut a stream of images into batches, holding one at a time.

    Parameters
    ----------
    images : iterable of (name, content) or Refusal
        A refusal, of a file that cannot be read, has no bytes.
    max_items, max_bytes : int
        A batch has at most so many images, and bytes; an image that is larger comes alone.

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
        if batch and (len(batch) == max_items or n_bytes + size > max_bytes):
            yield batch
            batch, n_bytes = [], 0
        batch.append(image)
        n_bytes += size
    if batch:
        yield batch
