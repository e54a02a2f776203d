"""Every error this package raises on purpose, in one tree.

::

    DigitClassifierError
    ├── SettingsError                 settings are missing or wrong
    ├── DatasetError
    │   ├── DatasetMissingError       a file of MNIST is not there
    │   ├── DatasetCorruptError       a file is not what it should be
    │   └── DownloadError             no mirror could be reached
    ├── ModelError
    │   ├── UnknownClassifierError    no kind of classifier has that name
    │   ├── ModelNotFoundError        no such model
    │   └── ModelCorruptError         a model file is damaged, altered or foreign
    ├── OverloadedError               more is asked for than can be answered
    ├── UnsoundError                  the process is not put together as it should be
    ├── SelfTestError                 the loaded model does not read the digit it must
    ├── BaselineError                 recorded figures cannot be read or compared with
    ├── CheckpointError               a training run cannot be resumed from its checkpoint
    ├── TrainingDivergedError         the loss of a training is not finite any more
    ├── MissingPackageError           a package that only this needs is not installed
    ├── BulkError                     a bulk run cannot begin, go on or be resumed
    └── InputError                    what the caller sent
        ├── NoFileError               nothing was sent
        ├── EmptyFileError            a file without content
        ├── FileTooLargeError         too many bytes
        ├── BadFormError              a multipart form that is malformed
        ├── BadBatchError             not a batch, or too long
        ├── OutOfTimeError            an image of a batch after too long a time, or too many pixels
        ├── BadPurposeError           a purpose of a reading that is not known
        ├── BadIndexError             an index of the test set that is not a whole number
        ├── IndexPastEndError         one that the test set does not reach
        ├── PixelsError               gray levels in text: too few, too many, or not numbers
        ├── TensorError               framed digits as numbers: of another shape, type or range
        └── ImageError
            ├── UnsupportedImageError not an image of a format we read
            ├── BrokenImageError      such an image, but damaged
            ├── TooManyPixelsError    refused before its pixels were decoded
            ├── ImageTooSmallError    a side too short to hold a digit
            ├── NoInkError            nothing is drawn on it
            └── TooComplexError       more is drawn on it than can be read

Nothing here knows of HTTP. Each error that a caller of the service can provoke has a stable
``code``; ``digit_classifier.web.errors`` maps the classes to statuses in one place.
"""

from collections.abc import Iterable
from typing import ClassVar, Self


class DigitClassifierError(Exception):
    """Base of all errors raised on purpose; its text is one clear sentence for a person."""

    # clients test this code: messages are for people and may change
    code: ClassVar[str] = "internal_error"


class SettingsError(DigitClassifierError):
    """Settings are missing, contradictory or of the wrong type."""

    code = "bad_settings"


class DatasetError(DigitClassifierError):
    """Base of the errors about MNIST's files."""

    code = "dataset_error"


class DatasetMissingError(DatasetError):
    """A file of MNIST is not where it was looked for."""

    code = "dataset_missing"


class DatasetCorruptError(DatasetError):
    """A file of MNIST is truncated, altered, or another file under its name."""

    code = "dataset_corrupt"


class DownloadError(DatasetError):
    """No mirror gave the file."""

    code = "download_failed"


class ModelError(DigitClassifierError):
    """Base of the errors about trained models."""

    code = "model_error"


class UnknownClassifierError(ModelError):
    """There is no kind of classifier of that name."""

    code = "unknown_classifier"


class ModelNotFoundError(ModelError):
    """There is no such model.

    Parameters
    ----------
    message : str
    known : iterable of str
        Names of the existing models.
    """

    code = "model_not_found"

    def __init__(self, message: str, known: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.known = tuple(sorted(known))

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> Self:
        """Name the requested model, and those that exist."""
        names = ", ".join(sorted(known)) or "none"
        return cls(f"There is no model {name!r}; there are: {names}.", known)


class ModelCorruptError(ModelError):
    """A model file is damaged, altered, of another version, or no model at all."""

    code = "model_corrupt"


class OverloadedError(DigitClassifierError):
    """More is asked for than can be answered."""

    code = "overloaded"


class UnsoundError(DigitClassifierError):
    """Interpreter, libraries and rights of this process are not as they should be."""

    code = "unsound"


class SelfTestError(DigitClassifierError):
    """The loaded model does not read the self-test's digit right."""

    code = "self_test_failed"


class BaselineError(DigitClassifierError):
    """The recorded figures of an evaluation cannot be read, or are of something else."""

    code = "bad_baseline"


class CheckpointError(DigitClassifierError):
    """A training run cannot be resumed: no checkpoint, or one of another run."""

    code = "checkpoint_error"


class TrainingDivergedError(DigitClassifierError):
    """The loss of a training is not finite any more."""

    code = "training_diverged"


class MissingPackageError(DigitClassifierError):
    """A package that only an optional part needs is not installed."""

    code = "missing_package"


class BulkError(DigitClassifierError):
    """A bulk run cannot begin, go on or be resumed."""

    code = "bulk_error"


class InputError(DigitClassifierError):
    """Base of the errors about what a caller sent."""

    code = "bad_input"


class NoFileError(InputError):
    """The request carries no file where one is needed."""

    code = "no_file"


class EmptyFileError(InputError):
    """The file has no content."""

    code = "empty_file"


class FileTooLargeError(InputError):
    """The file has more bytes than are accepted."""

    code = "file_too_large"

    @classmethod
    def of(cls, n_bytes: int, max_bytes: int) -> Self:
        """State both sizes, in bytes."""
        return cls(f"The file has {n_bytes:,} bytes; at most {max_bytes:,} are accepted.")


class BadFormError(InputError):
    """The multipart form is malformed: no boundary, no end, or other line breaks than CR LF."""

    code = "bad_form"


class BadBatchError(InputError):
    """A batch holds no images, too many, or cannot be split into images."""

    code = "bad_batch"


class OutOfTimeError(InputError):
    """The images of a batch before this one took too long, or have too many pixels with it."""

    code = "out_of_time"


class BadPurposeError(InputError):
    """The purpose of the reading is not known."""

    code = "bad_purpose"


class BadIndexError(InputError):
    """An index of MNIST's test set is not a whole number."""

    code = "bad_index"


class IndexPastEndError(InputError):
    """MNIST's test set has no digit of that index."""

    code = "index_past_end"


class PixelsError(InputError):
    """Gray levels written as text are too few, too many, or not numbers from 0 to 255."""

    code = "bad_pixels"


class TensorError(InputError):
    """Framed digits sent as numbers have another shape, type or range than the model takes."""

    code = "bad_tensor"


class ImageError(InputError):
    """Base of the errors about the image itself."""

    code = "bad_image"


class UnsupportedImageError(ImageError):
    """The bytes are not an image of a format that is read here."""

    code = "unsupported_image"


class BrokenImageError(ImageError):
    """The bytes begin like an image but cannot be decoded."""

    code = "broken_image"


class TooManyPixelsError(ImageError):
    """The image declares more pixels than are accepted; none was decoded."""

    code = "too_many_pixels"


class ImageTooSmallError(ImageError):
    """A side of the image is too short to hold a digit."""

    code = "image_too_small"


class NoInkError(ImageError):
    """Nothing on the image stands out from its background."""

    code = "no_ink"


class TooComplexError(ImageError):
    """The image has far more marks than a picture of numbers: a page of text, a pattern, noise."""

    code = "too_complex"
