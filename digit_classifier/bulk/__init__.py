"""Millions of images on the cores of one machine or of many, by Dask.

How a run works: :mod:`sources` detects the kinds of the inputs and lists their images,
:mod:`shards` splits the listing, and :mod:`run` submits the shards to the workers, a bounded number
at a time. A :mod:`worker` reads and classifies the images of a shard and writes its file. Neither
images nor rows pass through the scheduler. The extra ``distributed`` installs what this needs.
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
