"""Images in batches that the service takes in one request."""

from collections.abc import Iterable, Iterator

Named = tuple[str | None, bytes]

#: Half of what the service takes by default, which leaves room for what surrounds the files.
MAX_BYTES = 16 * 1024 * 1024


def batches_of(
    images: Iterable[Named], max_items: int, max_bytes: int = MAX_BYTES
) -> Iterator[list[Named]]:
    """Cut a stream of images into batches, holding one at a time.

    Parameters
    ----------
    images : iterable of (name, content)
    max_items, max_bytes : int
        A batch has at most so many images, and bytes; an image that is larger comes alone.

    Raises
    ------
    ValueError
        A batch of no images was asked for.
    """
    if max_items < 1:
        raise ValueError("A batch has one image at least.")
    batch: list[Named] = []
    n_bytes = 0
    for name, content in images:
        if batch and (len(batch) == max_items or n_bytes + len(content) > max_bytes):
            yield batch
            batch, n_bytes = [], 0
        batch.append((name, content))
        n_bytes += len(content)
    if batch:
        yield batch
