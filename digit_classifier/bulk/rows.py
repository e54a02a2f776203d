"""The rows of a shard: a prediction, a reading of all digits, or an error for each image."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digit_classifier.bulk.shards import Shard
from digit_classifier.bulk.sources.base import Item
from digit_classifier.errors import BulkError, InputError
from digit_classifier.framed_images import FramedImage
from digit_classifier.inference import DigitClassifier, Prediction
from digit_classifier.numbers.reading import Reading
from digit_classifier.preprocessing.framing import Framed

Row = dict[str, Any]
Answer = Prediction | Reading | InputError
Answers = Sequence[Answer]

#: Images per matrix product, and the bytes of their files after which a batch ends early. Both are
#: fixed, since the last bits of a row depend on them: the same shard gives the same bytes.
BATCH, BATCH_BYTES = 128, 16 * 1024 * 1024

#: Columns of an answer, by whether all digits of an image are read.
ANSWERED = {
    False: ("prediction", "confidence", "accepted", "warnings", "probabilities"),
    True: ("text", "confidence", "accepted", "warnings", "rows"),
}


def rows_of(
    shard: Shard, classifier: DigitClassifier, *, all_digits: bool = False
) -> Iterator[Row]:
    """Read the images of a shard, with one batch in memory at a time.

    Parameters
    ----------
    shard : Shard
    classifier : DigitClassifier
    all_digits : bool, default=False
        Read all digits of each image instead of one.

    Raises
    ------
    BulkError
        `all_digits` was given for an input of single framed digits.
    """
    items = shard.read_items(classifier.limits.max_bytes)
    predict: Callable[[DigitClassifier, Iterable[Any]], Answers]
    if all_digits and shard.source.framed:
        raise BulkError(
            f"{shard.source.name} has one framed digit an image; read it without --read."
        )
    if all_digits:
        predict = _read_all
    else:
        predict = _predict_framed if shard.source.framed else DigitClassifier.predict_batch
    while batch := _classify(_next_batch(items), classifier, predict):
        for name, answer in batch:
            yield _row(shard.source.name, name, answer, classifier, ANSWERED[all_digits])


def _next_batch(items: Iterator[Item]) -> Iterator[Item]:
    n_bytes = 0
    for item in islice(items, BATCH):
        yield item
        n_bytes += len(item.content) if isinstance(item.content, bytes) else 0
        if n_bytes >= BATCH_BYTES:
            return


def _classify(
    items: Iterable[Item],
    classifier: DigitClassifier,
    predict: Callable[[DigitClassifier, Iterable[Any]], Answers],
) -> list[tuple[str | None, Answer]]:
    """Read images as the classifier asks for them; an unreadable one keeps its place."""
    # `predict` iterates over the contents of the readable images alone, and returns their answers
    # in order; `found` has the others, too.
    found: list[tuple[str | None, InputError | None]] = []

    def contents() -> Iterator[Any]:
        for item in items:
            is_error = isinstance(item.content, InputError)
            found.append((item.name, item.content if is_error else None))  # type: ignore[arg-type]
            if not is_error:
                yield item.content

    answers = iter(predict(classifier, contents()))
    return [(name, next(answers) if error is None else error) for name, error in found]


def _predict_framed(classifier: DigitClassifier, digits: Iterable[NDArray[np.uint8]]) -> Answers:
    """Classify framed digits, which need neither decoding nor preprocessing."""
    framed = list(digits)
    if not framed:
        return []
    metadata = classifier.model.metadata
    if framed[0].shape != metadata.image_shape:
        raise BulkError(
            f"The framed digits of an input have {framed[0].shape} pixels, the model's "
            f"{metadata.image_shape}; images of other sizes are read from image files."
        )
    return [*classifier.predict_framed_images([FramedImage(Framed(digit)) for digit in framed])]


def _read_all(classifier: DigitClassifier, contents: Iterable[bytes]) -> Answers:
    """Read all digits of image files, one file after the other."""

    def read(content: bytes) -> Answer:
        try:
            return classifier.read(content)
        except InputError as exc:
            return exc

    return [read(content) for content in contents]


def _row(
    source: str,
    name: str | None,
    answer: Answer,
    classifier: DigitClassifier,
    answered: Sequence[str],
) -> Row:
    row: Row = {
        "source": _text(source),
        "name": _text(name),
        **dict.fromkeys(answered),
        "model_name": classifier.model.name,
        "model_version": classifier.model.version,
        "error_code": None,
        "error_detail": None,
    }
    if isinstance(answer, InputError):
        # the frames of the traceback refer to the image file, and form a reference cycle
        answer.__traceback__ = answer.__cause__ = answer.__context__ = None
        return row | {"error_code": answer.code, "error_detail": str(answer)}
    values = answer.as_json().items()
    return row | {column: value for column, value in values if column in answered}


def _text(name: str | None) -> str | None:
    r"""Escape bytes that are not UTF-8 as \xff: no output format can hold them."""
    if name is None:
        return None
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
