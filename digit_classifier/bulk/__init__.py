"""Millions of images on the cores of one machine or of many, by Dask.

The way of a run: :mod:`sources` finds out what the inputs are and lists their images,
:mod:`shards` cuts the listing, :mod:`run` hands the shards to the workers, a bounded number at a
time, :mod:`worker` reads and classifies one and writes its file. Neither an image nor a row
travels through the scheduler. All of it comes with the extra ``distributed``.
"""

from digit_classifier.errors import MissingPackageError

try:
    import distributed  # noqa: F401
    import fsspec  # noqa: F401
    import pyarrow as pa  # noqa: F401
except ImportError as exc:
    raise MissingPackageError(
        "Bulk runs need Dask, fsspec and pyarrow: pip install 'digit-classifier[distributed]'."
    ) from exc
