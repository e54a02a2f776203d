"""What a worker does: a shard's images to its file, once and whole."""

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

#: A worker's threads wait for one of them to load the model.
_loading = threading.Lock()

#: The model of a run lies in its output: a worker needs the package, and no model of its own.
MODEL_FOLDER = "_model"


@dataclass(frozen=True)
class Job:
    """What all shards of a run have in common.

    Attributes
    ----------
    out : str
        Path or URL of the output's folder.
    format : str
    model_name, model_version : str
    release : str
        Of this package.
    framing, max_bytes, max_pixels
        As in the settings.
    """

    out: str
    format: str
    model_name: str
    model_version: str
    release: str
    framing: Literal["auto", "center"]
    max_bytes: int
    max_pixels: int

    @property
    def model_url(self) -> str:
        """Where the model lies."""
        return storage.join(self.out, f"{MODEL_FOLDER}/{self.model_name}.safetensors")

    def shard_name(self, index: int) -> str:
        """Return the name of a shard's file: as many digits as sort a hundred million."""
        return f"part-{index:08}{FORMATS[self.format].suffix}"


@dataclass(frozen=True)
class Record:
    """What a finished shard holds.

    Attributes
    ----------
    index, n_images, n_accepted, n_bytes : int
    sha256 : str
        Of its file.
    errors : dict of str to int
        How many images have each code.
    """

    index: int
    n_images: int
    n_accepted: int
    n_bytes: int
    sha256: str
    errors: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, index: int, rows: Sequence[Row], content: bytes) -> "Record":
        """Count the rows of a file."""
        codes = (row["error_code"] for row in rows)
        return cls(
            index=index,
            n_images=len(rows),
            n_accepted=sum(row["accepted"] is True for row in rows),
            n_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            errors=dict(Counter(code for code in codes if code is not None)),
        )


def classify_shard(job: Job, shard: Shard) -> Record:
    """Write the file of a shard, unless it is there and whole; either way the same record."""
    url = storage.join(job.out, job.shard_name(shard.index))
    record = _finished(job, shard, url)
    if record is None:
        with _loading:
            classifier = _classifier(job)
        rows = list(rows_of(shard, classifier))
        content = FORMATS[job.format].encode(rows)
        storage.write_whole(url, content)
        record = Record.of(shard.index, rows, content)
    return record


def _finished(job: Job, shard: Shard, url: str) -> Record | None:
    """Read a file that is there: an earlier run may have written it, or a worker that was lost.

    Development versions gave up slow pictures as out of time; a shard with such rows is read again.
    """
    fs, path = storage.locate(url)
    try:
        content = fs.cat_file(path)
        rows = FORMATS[job.format].decode(content)
    except (FileNotFoundError, ValueError):
        return None
    record = Record.of(shard.index, rows, content)
    is_whole = record.n_images == shard.piece.count and OutOfTimeError.code not in record.errors
    return record if is_whole else None


@lru_cache(maxsize=1)
def _classifier(job: Job) -> DigitClassifier:
    """Load the model, once a process; each process is one core's, linear algebra and all."""
    if job.release != __version__:
        raise BulkError(f"A worker has release {__version__}, the run is one of {job.release}.")
    threadpool_limits(1)
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
