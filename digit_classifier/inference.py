"""From the bytes of an image to its digit or its number: decode, normalize, predict."""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import InputError, NoInkError, SelfTestError, SettingsError
from digit_classifier.framed_images import (
    FramedImage,
    frame_images,
    frame_or_keep,
    frame_pixels,
    ms_since,
)
from digit_classifier.framing_choice import choose_framings
from digit_classifier.models.model import Model
from digit_classifier.models.store import SUFFIX, list_models, load_model
from digit_classifier.neural_network.inspection import summarize_layers
from digit_classifier.neural_network.layers import Array
from digit_classifier.numbers import MIN_DECODED_SIDE, read_rows
from digit_classifier.numbers.sheets import find_sheet
from digit_classifier.prediction import ImageFacts, Prediction, ReadDigit, Reading, Row, Stages
from digit_classifier.preprocessing.decode import FORMATS, DecodeLimits, decode_image
from digit_classifier.preprocessing.doubts import SEVERAL_DIGITS
from digit_classifier.preprocessing.framing import Framing
from digit_classifier.preprocessing.measures import Box, Gray
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.settings import Settings
from digit_classifier.tensors import Tensor, framed_digits

# FORMATS for the web, which does not import preprocessing
__all__ = ["FORMATS", "DigitClassifier", "Prediction", "load_classifiers"]

#: Least probability that a text is right for it to be accepted.
MIN_TEXT_CONFIDENCE = 0.5

#: Images of a batch that are in memory at the same time, at most.
N_IN_MEMORY = 64

_SELF_TEST = Path(__file__).with_name("selftest") / "7.png"


class DigitClassifier:
    """A loaded model with its preprocessing; safe to share between threads.

    Parameters
    ----------
    model : Model
    framing : {"auto", "center"}
    limits : DecodeLimits
    """

    def __init__(
        self, model: Model, framing: Framing = "auto", limits: DecodeLimits | None = None
    ) -> None:
        self.model = model
        self.framing = framing
        self.limits = limits or DecodeLimits()

    @classmethod
    def load(cls, name: str = "mlp", models_dir: Path = Path("models")) -> Self:
        """Load a model by its name.

        Parameters
        ----------
        name : str, default="mlp"
            "mlp", "cnn" or "softmax", the name of a model trained here, or the path of a model
            file, which ends in ``.safetensors``.
        models_dir : Path, default="models"
            Directory of the models trained here.

        Raises
        ------
        ModelNotFoundError, ModelCorruptError
        """
        return cls(load_model(name, models_dir))

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Load the model that the settings name; raises the errors of `load`."""
        limits = DecodeLimits(
            max_bytes=settings.max_upload_bytes, max_pixels=settings.max_image_pixels
        )
        model = load_model(settings.model, settings.models_dir)
        return cls(model, settings.framing, limits)

    def predict(self, content: bytes, *, inspect: bool = False) -> Prediction:
        """Read the digit of one image file.

        Parameters
        ----------
        content : bytes
        inspect : bool, default=False
            Summarize the output of each of the network's layers as well.

        Raises
        ------
        InputError
            The file is not an image that can be read; see :mod:`digit_classifier.errors`.
        """
        return self.predict_with_image(content, inspect=inspect)[0]

    def predict_with_image(
        self, content: bytes, *, inspect: bool = False
    ) -> tuple[Prediction, FramedImage]:
        """Read the digit of one image file, and return the framed image, which explains it.

        Raises
        ------
        InputError
        """
        image = frame_or_keep(content, self.limits, self.framing)
        return self._predict_one(image, inspect=inspect)

    def read(self, content: bytes) -> Reading:
        """Read all digits of one image file; a single digit is read as by :meth:`predict`.

        Raises
        ------
        InputError
            The file is not an image that can be read, nothing is drawn on it (`NoInkError`), or
            there are far more marks on it than on a picture of numbers (`TooComplexError`).
        """
        started = time.perf_counter()
        decoded = decode_image(content, self.limits, min_side=MIN_DECODED_SIDE)
        decode_ms, started = ms_since(started), time.perf_counter()
        rows, confidence = self._read_picture(decoded.gray, decoded.shown_shape)
        is_accepted = confidence >= MIN_TEXT_CONFIDENCE
        is_single = _n_digits(rows) == 1
        try:
            single = self._predict_single(content) if is_single else None
        except NoInkError:
            single, is_accepted = None, False  # both have to accept a single digit
        if single is not None:
            rows = (_row_of_single(single, self.model.metadata.class_labels, rows[0].box),)
            confidence = min(confidence, single.confidence)
            is_accepted = is_accepted and single.accepted
        read_ms = ms_since(started)
        return Reading(
            rows=rows,
            confidence=confidence,
            accepted=is_accepted,
            warnings=(),
            model_name=self.model.name,
            model_version=self.model.version,
            classifier=self.model.metadata.classifier,
            elapsed_ms=decode_ms + read_ms,
            stages=Stages(decode_ms, read_ms),
            image=ImageFacts(decoded.format, decoded.width, decoded.height, len(content)),
        )

    def predict_pixels(self, text: str, *, inspect: bool = False) -> Prediction:
        """Read the digit of gray levels written as text; see `.framed_images.frame_pixels`."""
        image = frame_pixels(text, self.model.metadata.image_shape, self.framing)
        return self._predict_one(image, inspect=inspect)[0]

    def predict_batch(
        self,
        contents: Iterable[bytes],
        *,
        time_limit: float | None = None,
        pixel_limit: int | None = None,
    ) -> list[Prediction | InputError]:
        """Read the digits of many image files, many in one matrix product.

        Parameters
        ----------
        contents : iterable of bytes
        time_limit, pixel_limit : optional
            The limits of `.framed_images.frame_images`.

        Returns
        -------
        list of Prediction or InputError
            One for each file, in their order; a file that cannot be read does not affect others.
        """
        latest = math.inf if time_limit is None else time.perf_counter() + time_limit
        items = frame_images(contents, self.limits, self.framing, time_limit, pixel_limit)
        results: list[Prediction | InputError] = []
        while some := list(islice(items, N_IN_MEMORY)):
            framed = [item for item in some if isinstance(item, FramedImage)]
            predictions = iter(self.predict_framed_images(framed, latest=latest))
            results += [
                next(predictions) if isinstance(item, FramedImage) else item for item in some
            ]
        return results

    def predict_framed_images(
        self, images: Sequence[FramedImage], *, latest: float = math.inf
    ) -> list[Prediction | NoInkError]:
        """Read framed digits in one matrix product, whose time is divided equally among them.

        Those that are not clear, or not accepted, are framed in other ways as well.

        Parameters
        ----------
        images : sequence of FramedImage
        latest : float, optional
            Value of `time.perf_counter` after which images are not framed in other ways, and
            rejected ones are not searched for several digits.

        Returns
        -------
        list of Prediction or NoInkError
            The error of an image in which no framing found a digit.
        """
        return [prediction for prediction, _ in self._predict_images(images, latest)]

    def predict_framed(self, tensor: Tensor) -> dict[str, Tensor]:
        """Read digits that are framed already, light on black, as MNIST's own are.

        Parameters
        ----------
        tensor : Tensor
            See :func:`digit_classifier.tensors.framed_digits`, also for its errors.

        Returns
        -------
        dict of Tensor
            ``probabilities``, FP32 of shape (n, 10), and ``digits``, INT64 of shape (n,).
        """
        metadata = self.model.metadata
        probabilities = self.predict_proba(framed_digits(tensor, metadata.image_shape))
        digits = np.array(metadata.class_labels)[probabilities.argmax(axis=1)]
        return {
            "probabilities": Tensor.of(probabilities, "FP32"),
            "digits": Tensor.of(digits, "INT64"),
        }

    def predict_proba(self, framed: NDArray[np.uint8] | NDArray[np.float32]) -> Array:
        """Return the calibrated probabilities of digits; see `.models.model.Model.predict_proba`.

        Parameters
        ----------
        framed : ndarray of shape (n_samples, height, width), uint8 or float32
            From 0 to 255.

        Returns
        -------
        ndarray of shape (n_samples, 10), float32
        """
        return self.model.predict_proba(framed)

    def self_test(self) -> None:
        """Read the digit picture that ships with the package.

        Raises
        ------
        SelfTestError
            It was not read as the 7 that it is.
        """
        # not by `predict`: the web records what that reads as an answer
        image = frame_or_keep(_SELF_TEST.read_bytes(), self.limits, self.framing)
        prediction, _ = self._predict_one(image, inspect=False)
        if prediction.digit != int(_SELF_TEST.stem):
            raise SelfTestError(
                f"The model {self.model.name!r} reads the self-test's {_SELF_TEST.stem} "
                f"as {prediction.digit}."
            )

    def _predict_one(self, image: FramedImage, *, inspect: bool) -> tuple[Prediction, FramedImage]:
        ((prediction, chosen),) = self._predict_images([image])
        if isinstance(prediction, NoInkError):
            raise prediction
        if not inspect:
            return prediction, chosen
        resized = self.model.resize([chosen.framed.image])
        (vector,) = vectorize(resized, self.model.metadata.input_scaling)
        layers = tuple(summarize_layers(self.model.classifier, vector))
        return replace(prediction, layers=layers), chosen

    def _predict_images(
        self, images: Sequence[FramedImage], latest: float = math.inf
    ) -> list[tuple[Prediction | NoInkError, FramedImage]]:
        """Predict, and return each image in its chosen framing."""
        if not images:
            return []
        started = time.perf_counter()
        choices = choose_framings(
            images,
            self.model.predict_proba,
            self._reads_as_number,
            min_confidence=self.model.metadata.min_confidence,
            latest=latest,
        )
        # making proposals is a part of framing, the search for a number is not
        network_ms = ms_since(started)
        for image, chosen in zip(images, choices, strict=True):
            network_ms -= chosen.image.frame_ms - image.frame_ms
        network_ms /= len(images)
        predicted: list[tuple[Prediction | NoInkError, FramedImage]] = []
        for chosen in choices:
            image = chosen.image
            probabilities = chosen.probabilities.tolist()
            best = int(chosen.probabilities.argmax())
            prediction = Prediction(
                digit=self.model.metadata.class_labels[best],
                confidence=probabilities[best],
                probabilities=tuple(probabilities),
                accepted=chosen.is_accepted,
                warnings=chosen.warnings,
                model_name=self.model.name,
                model_version=self.model.version,
                classifier=self.model.metadata.classifier,
                elapsed_ms=image.decode_ms + image.frame_ms + network_ms,
                stages=Stages(image.decode_ms, image.frame_ms, network_ms),
                image=image.image,
            )
            predicted.append((image.no_ink or prediction, image))
        return predicted

    def _reads_as_number(self, framed: Gray) -> bool:
        try:
            rows, confidence = self._read_rows(framed, framed.shape)
        except InputError:
            return False
        return _n_digits(rows) >= 2 and confidence >= MIN_TEXT_CONFIDENCE

    def _read_picture(
        self, gray: Gray, shown_shape: tuple[int, int]
    ) -> tuple[tuple[Row, ...], float]:
        """Read all of a picture, or only the sheet of paper on it where that shows more."""
        whole: tuple[Row, ...] = ()
        confidence, error = 0.0, None
        try:
            whole, confidence = self._read_rows(gray, shown_shape)
        except InputError as exc:
            error = exc
        sheet = find_sheet(gray, is_read=error is None)
        if sheet is not None:
            with suppress(InputError):  # then the whole counts
                rows, sheet_confidence = self._read_rows(sheet.gray, sheet.gray.shape)
                n_more = _n_digits(rows) - _n_digits(whole)
                # a sheet that cuts a number off shows fewer digits, with any confidence
                shows_more = n_more > 0 and sheet_confidence >= confidence
                if shows_more or confidence < MIN_TEXT_CONFIDENCE <= sheet_confidence:
                    return sheet.place(rows, gray.shape, shown_shape), sheet_confidence
        if error is not None:
            raise error
        return whole, confidence

    def _read_rows(self, gray: Gray, shown_shape: tuple[int, int]) -> tuple[tuple[Row, ...], float]:
        return read_rows(
            gray,
            lambda framed: self.model.predict_logits(self.model.resize(framed)),
            temperature=self.model.metadata.temperature,
            class_labels=self.model.metadata.class_labels,
            shown_shape=shown_shape,
        )

    def _predict_single(self, content: bytes) -> Prediction | None:
        """Read the digit of an image file, if it is the only one; raises NoInkError without one."""
        # not the setting: even with "center", a reading searches the picture for ink
        image = frame_or_keep(content, self.limits, "auto")
        ((prediction, _),) = self._predict_images([image])
        if isinstance(prediction, NoInkError):
            raise prediction
        return None if SEVERAL_DIGITS in prediction.warnings else prediction


def _n_digits(rows: Sequence[Row]) -> int:
    return sum(len(row.digits) for row in rows)


def _row_of_single(single: Prediction, class_labels: Sequence[int], box: Box) -> Row:
    runner_up_confidence, runner_up = max(
        (probability, digit)
        for probability, digit in zip(single.probabilities, class_labels, strict=True)
        if digit != single.digit
    )
    digit = ReadDigit(single.digit, single.confidence, runner_up, runner_up_confidence, box)
    return Row(((digit,),), box)


def load_classifiers(settings: Settings) -> dict[str, DigitClassifier]:
    """Load the models that the settings name, and all others that are installed.

    Returns
    -------
    dict of str to DigitClassifier
        By the model's name; that of the setting `model` comes first.

    Raises
    ------
    ModelNotFoundError, ModelCorruptError
    SettingsError
        `model` and `numbers_model` are different files of one name.
    """
    names = [settings.model, *list_models(settings.models_dir)]
    if settings.numbers_model.endswith(SUFFIX):  # a file's path, which is not in the list
        name = Path(settings.numbers_model).stem
        if name == Path(settings.model).stem and settings.numbers_model != settings.model:
            raise SettingsError(f"model and numbers_model are both called {name!r}: rename a file.")
        names.insert(1, settings.numbers_model)
    classifiers: dict[str, DigitClassifier] = {}
    for name in names:
        if Path(name).stem not in classifiers:
            classifier = DigitClassifier.from_settings(replace(settings, model=name))
            classifiers[classifier.model.name] = classifier
    return classifiers
