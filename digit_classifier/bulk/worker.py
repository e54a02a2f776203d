"""The task of a worker: classify the images of a shard, and write its file once and whole.

Each image becomes a row: a prediction, a reading of all digits, or an error.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from digit_classifier import __version__
from digit_classifier.bulk import storage
from digit_classifier.bulk.formats import ANSWERED, FORMATS, Row
from digit_classifier.bulk.shards import Item, Shard
from digit_classifier.errors import BulkError, InputError, OutOfTimeError
from digit_classifier.framed_images import FramedImage
from digit_classifier.inference import DigitClassifier, Prediction
from digit_classifier.prediction import Reading
from digit_classifier.preprocessing.framing import Framed
from digit_classifier.settings import Settings

Answer = Prediction | Reading | InputError
Answers = Sequence[Answer]

#: Images per matrix product, and the bytes of their files after which a batch ends early. Both are
#: fixed, since the last bits of a row depend on them: the same shard gives the same bytes.
BATCH, BATCH_BYTES = 128, 16 * 1024 * 1024

#: Held while a worker's thread loads the model that all of them share.
_loading = threading.Lock()

#: Directory of the model in the run's output, so that workers need no model files of their own.
MODEL_DIRECTORY = "_model"

#: Number of images that are named for each error code.
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
        failed: dict[str, list[str]] = {}
        for row in rows:
            if row["error_code"] is not None:
                failed.setdefault(row["error_code"], []).append(row["name"] or row["source"])
        return cls(
            index=index,
            n_images=len(rows),
            n_accepted=sum(row["accepted"] is True for row in rows),
            n_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            errors={code: len(names) for code, names in failed.items()},
            examples={code: tuple(names[:N_EXAMPLES]) for code, names in failed.items()},
        )


def classify_shard(job: Job, shard: Shard) -> ShardResult:
    """Write the file of a shard, unless an earlier run or a lost worker has written all of it."""
    url = storage.join(job.out, job.shard_name(shard.index))
    fs, path = storage.locate(url)
    with suppress(FileNotFoundError, ValueError):
        content = fs.cat_file(path)
        # checked, since a store without rename may have half a file
        result = ShardResult.from_rows(shard.index, FORMATS[job.format].decode(content), content)
        # development versions reported slow images as out of time: those are classified again
        if result.n_images == shard.chunk.count and OutOfTimeError.code not in result.errors:
            return result
    with _loading:  # lru_cache would let several threads load it at the same time
        classifier = _load_classifier(job)
    rows = list(rows_of(shard, classifier, all_digits=job.all_digits))
    content = FORMATS[job.format].encode(rows)
    storage.write_atomic(url, content)
    return ShardResult.from_rows(shard.index, rows, content)


@lru_cache(maxsize=1)  # of the last job: a cluster's workers stay for the next run
def _load_classifier(job: Job) -> DigitClassifier:
    """Load the model, once per process; each process uses one core, also for linear algebra."""
    if job.release != __version__:
        raise BulkError(f"A worker has release {__version__}, the run is one of {job.release}.")
    threadpool_limits(1)  # NumPy is imported already, so an environment variable has no effect
    fs, path = storage.locate(job.model_url)
    # safetensors reads files of this machine only
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
    # it may have been replaced while the run was interrupted
    if classifier.model.version != job.model_version:
        raise BulkError(f"The model at {job.model_url} is not the one that the run began with.")
    return classifier


def rows_of(
    shard: Shard, classifier: DigitClassifier, *, all_digits: bool = False
) -> Iterator[Row]:
    """Yield the rows of a shard, with one batch of images in memory at a time.

    Raises
    ------
    BulkError
        `all_digits` was given for an input of single framed digits.
    """
    items = shard.read_items(classifier.limits.max_bytes)
    predict: Callable[[DigitClassifier, Iterable[Any]], Answers]
    if not shard.source.framed:
        predict = _read_all if all_digits else DigitClassifier.predict_batch
    elif not all_digits:
        predict = _predict_framed
    else:
        raise BulkError(
            f"{shard.source.name} has one framed digit an image; read it without --read."
        )
    while batch := _classify_batch(items, classifier, predict):
        for name, answer in batch:
            # all columns of the format, in its order, whether the image was read or not
            row: Row = {
                "source": _text(shard.source.name),
                "name": _text(name),
                **dict.fromkeys(ANSWERED[all_digits]),
                "model_name": classifier.model.name,
                "model_version": classifier.model.version,
                "error_code": None,
                "error_detail": None,
            }
            if isinstance(answer, InputError):
                # the frames of the traceback refer to the image file, and form a reference cycle
                answer.__traceback__ = answer.__cause__ = answer.__context__ = None
                row |= {"error_code": answer.code, "error_detail": str(answer)}
            else:
                values = answer.as_json().items()
                row |= {name: value for name, value in values if name in ANSWERED[all_digits]}
            yield row


def _classify_batch(
    items: Iterator[Item],
    classifier: DigitClassifier,
    predict: Callable[[DigitClassifier, Iterable[Any]], Answers],
) -> list[tuple[str | None, Answer]]:
    """Read the next images as the classifier asks for them; an unreadable one keeps its place."""
    # `predict` iterates over the contents of the readable images alone, and returns their answers
    # in order; `found` has the others, too.
    found: list[tuple[str | None, InputError | None]] = []

    def contents() -> Iterator[Any]:
        n_bytes = 0
        for item in islice(items, BATCH):
            is_error = isinstance(item.content, InputError)
            found.append((item.name, item.content if is_error else None))  # type: ignore[arg-type]
            if not is_error:
                yield item.content
            # counted after it: a single image that is larger is a batch of its own
            n_bytes += len(item.content) if isinstance(item.content, bytes) else 0
            if n_bytes >= BATCH_BYTES:
                return

    answers = iter(predict(classifier, contents()))
    return [(name, next(answers) if error is None else error) for name, error in found]


def _predict_framed(classifier: DigitClassifier, digits: Iterable[NDArray[np.uint8]]) -> Answers:
    """Classify framed digits, which need neither decoding nor preprocessing."""
    framed = list(digits)
    if not framed:
        return []
    # the first is enough: all digits of an input have one size
    metadata = classifier.model.metadata
    if framed[0].shape != metadata.image_shape:
        raise BulkError(
            f"The framed digits of an input have {framed[0].shape} pixels, the model's "
            f"{metadata.image_shape}; images of other sizes are read from image files."
        )
    return [*classifier.predict_framed_images([FramedImage(Framed(digit)) for digit in framed])]


def _read_all(classifier: DigitClassifier, contents: Iterable[bytes]) -> Answers:
    """Read all digits of image files, one file after the other."""
    answers: list[Answer] = []
    for content in contents:
        try:
            answers.append(classifier.read(content))
        except InputError as exc:
            answers.append(exc)
    return answers


def _text(name: str | None) -> str | None:
    r"""Escape bytes that are not UTF-8 as \xff: no output format can hold them."""
    if name is None:
        return None
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
