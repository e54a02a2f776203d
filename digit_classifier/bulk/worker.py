"""The task of a worker: classify the images of a shard, and write its file once and whole."""

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from threadpoolctl import threadpool_limits

from digit_classifier import __version__
from digit_classifier.bulk import storage
from digit_classifier.bulk.formats import FORMATS
from digit_classifier.bulk.rows import Row, rows_of
from digit_classifier.bulk.shards import Shard
from digit_classifier.errors import BulkError, OutOfTimeError
from digit_classifier.inference import DigitClassifier
from digit_classifier.settings import Settings

#: Held while a worker's thread loads the model that all of them share.
_loading = threading.Lock()

#: The run's output contains the model, so that workers need no model files of their own.
MODEL_DIRECTORY = "_model"

#: Images of each error that are named.
N_EXAMPLES = 3


@dataclass(frozen=True)
class Job:
    """What all shards of a run share.

    Attributes
    ----------
    out : str
        Path or URL of the output directory.
    format : str
    model_name, model_version : str
    release : str
        Version of this package.
    framing, max_bytes, max_pixels
        As in the settings.
    all_digits : bool
        Whether all digits of an image are read instead of one.
    """

    out: str
    format: str
    model_name: str
    model_version: str
    release: str
    framing: Literal["auto", "center"]
    max_bytes: int
    max_pixels: int
    all_digits: bool

    @property
    def model_url(self) -> str:
        """Path or URL of the model file."""
        return storage.join(self.out, f"{MODEL_DIRECTORY}/{self.model_name}.safetensors")

    def shard_name(self, index: int) -> str:
        """Return the name of a shard's file; eight digits keep the names sorted."""
        return f"part-{index:08}{FORMATS[self.format].suffix}"


@dataclass(frozen=True)
class ShardResult:
    """Counts and checksum of a finished shard.

    Attributes
    ----------
    index, n_images, n_accepted, n_bytes : int
    sha256 : str
        Checksum of its file.
    errors : dict of str to int
        Number of images by error code.
    examples : dict of str to tuple of str
        The first names of images by error code.
    """

    index: int
    n_images: int
    n_accepted: int
    n_bytes: int
    sha256: str
    errors: dict[str, int] = field(default_factory=dict)
    examples: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def from_rows(cls, index: int, rows: Sequence[Row], content: bytes) -> "ShardResult":
        """Count the rows of a file."""
        codes = (row["error_code"] for row in rows)
        examples: dict[str, tuple[str, ...]] = {}
        for row in rows:
            named = examples.get(row["error_code"] or "", ())
            if row["error_code"] is not None and len(named) < N_EXAMPLES:
                examples[row["error_code"]] = (*named, row["name"] or row["source"])
        return cls(
            index=index,
            n_images=len(rows),
            n_accepted=sum(row["accepted"] is True for row in rows),
            n_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            errors=dict(Counter(code for code in codes if code is not None)),
            examples=examples,
        )


def classify_shard(job: Job, shard: Shard) -> ShardResult:
    """Write the file of a shard, unless a whole one exists; the result is the same."""
    url = storage.join(job.out, job.shard_name(shard.index))
    result = _read_finished(job, shard, url)
    if result is None:
        with _loading:
            classifier = _load_classifier(job)
        rows = list(rows_of(shard, classifier, all_digits=job.all_digits))
        content = FORMATS[job.format].encode(rows)
        storage.write_atomic(url, content)
        result = ShardResult.from_rows(shard.index, rows, content)
    return result


def _read_finished(job: Job, shard: Shard, url: str) -> ShardResult | None:
    """Return the result of an existing whole file, written by an earlier run or a lost worker.

    Development versions reported slow images as out of time; such a shard is classified again.
    """
    fs, path = storage.locate(url)
    try:
        content = fs.cat_file(path)
        rows = FORMATS[job.format].decode(content)
    except (FileNotFoundError, ValueError):
        return None
    result = ShardResult.from_rows(shard.index, rows, content)
    is_whole = result.n_images == shard.chunk.count and OutOfTimeError.code not in result.errors
    return result if is_whole else None


@lru_cache(maxsize=1)
def _load_classifier(job: Job) -> DigitClassifier:
    """Load the model, once per process. Each process uses one core, also for linear algebra."""
    if job.release != __version__:
        raise BulkError(f"A worker has release {__version__}, the run is one of {job.release}.")
    threadpool_limits(1)  # NumPy is imported already, so an environment variable has no effect
    fs, path = storage.locate(job.model_url)
    with TemporaryDirectory() as folder:
        copy = Path(folder) / f"{job.model_name}.safetensors"
        fs.get_file(path, str(copy))
        settings = Settings(
            model=str(copy),
            framing=job.framing,
            max_upload_bytes=job.max_bytes,
            max_image_pixels=job.max_pixels,
        )
        classifier = DigitClassifier.from_settings(settings)
    if classifier.model.version != job.model_version:
        raise BulkError(f"The model at {job.model_url} is not the one that the run began with.")
    return classifier
