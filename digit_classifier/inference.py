"""From the bytes of an image to a prediction: the whole flow; its first half is `framed_images`."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import InputError, NoInkError, SelfTestError
from digit_classifier.framed_images import FramedImage, frame_image, frame_images, ms_since
from digit_classifier.model_store import Model, list_models, load_model
from digit_classifier.neural_network.inspection import summarize_layers
from digit_classifier.neural_network.layers import Array
from digit_classifier.neural_network.losses import softmax
from digit_classifier.prediction import Prediction, Stages
from digit_classifier.preprocessing.box import resize
from digit_classifier.preprocessing.decode import FORMATS, DecodeLimits
from digit_classifier.preprocessing.framing import Framed, Framing, frame
from digit_classifier.preprocessing.pixels import parse_pixels
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.settings import Settings
from digit_classifier.tensors import Tensor, framed_digits

__all__ = ["FORMATS", "DigitClassifier", "Prediction", "load_classifiers"]

#: Told of every image that was read or refused, in the thread that asked for it.
Observer = Callable[[bytes, Prediction | InputError], None]

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
        self.observe: Observer = _observe_nothing

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Load the model that the settings name.

        Raises
        ------
        ModelNotFoundError, ModelCorruptError
        """
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
            Tell what happened inside the network as well.

        Raises
        ------
        InputError
            The file is no image that can be read; see :mod:`digit_classifier.errors`.
        """
        return self._observed(content, lambda: self._predict(content, inspect=inspect))

    def predict_pixels(self, text: str, *, inspect: bool = False) -> Prediction:
        """Read the digit of gray levels written as text, as many as the model's images have.

        They are framed as a file is; where no ink can be found, they are read as they are.

        Raises
        ------
        PixelsError
            They are too many, too few, or no gray levels.
        """
        return self._observed(text.encode(), lambda: self._predict_pixels(text, inspect))

    def predict_batch(
        self, contents: Iterable[bytes], *, time_limit: float | None = None
    ) -> list[Prediction | InputError]:
        """Read the digits of many image files, all in one matrix product.

        Parameters
        ----------
        contents : iterable of bytes
        time_limit : float, optional
            Seconds after which no further image is begun: each is an `OutOfTimeError`.

        Returns
        -------
        list of Prediction or InputError
            One a file, in their order: the error of a file that cannot be read spoils no other.
        """
        contents = list(contents)
        items = frame_images(contents, self.limits, self.framing, time_limit)
        predictions = iter(self._read([item for item in items if isinstance(item, FramedImage)]))
        answers = [next(predictions) if isinstance(item, FramedImage) else item for item in items]
        for content, answer in zip(contents, answers, strict=True):
            self.observe(content, answer)
        return answers

    def predict_framed(self, tensor: Tensor) -> dict[str, Tensor]:
        """Read digits that are framed already, light on black, as MNIST's own are.

        Parameters
        ----------
        tensor : Tensor
            As :func:`digit_classifier.tensors.framed_digits` reads it.

        Returns
        -------
        dict of Tensor
            ``probabilities``, FP32 of shape (n, 10), and ``digits``, INT64 of shape (n,).

        Raises
        ------
        TensorError
        """
        metadata = self.model.metadata
        probabilities = self.predict_proba(framed_digits(tensor, metadata.image_shape))
        digits = np.array(metadata.class_labels)[probabilities.argmax(axis=1)]
        return {
            "probabilities": Tensor.of(probabilities, "FP32"),
            "digits": Tensor.of(digits, "INT64"),
        }

    def predict_proba(self, framed: NDArray[np.uint8] | NDArray[np.float32]) -> Array:
        """Calibrated probabilities of framed digits.

        Parameters
        ----------
        framed : ndarray of shape (n_samples, height, width), uint8 or float32
            Of the model's image shape, from 0 to 255.

        Returns
        -------
        ndarray of shape (n_samples, 10), float32
        """
        metadata = self.model.metadata
        vectors = vectorize(framed, metadata.input_scaling)
        return softmax(self.model.classifier.predict_logits(vectors), metadata.temperature)

    def self_test(self) -> None:
        """Read the digit picture that ships with the package.

        Raises
        ------
        SelfTestError
            It was not read as the 7 that it is.
        """
        prediction = self._predict(_SELF_TEST.read_bytes())
        if prediction.digit != int(_SELF_TEST.stem):
            raise SelfTestError(
                f"The model {self.model.name!r} reads the self-test's {_SELF_TEST.stem} "
                f"as {prediction.digit}."
            )

    def _observed(self, content: bytes, read: Callable[[], Prediction]) -> Prediction:
        try:
            prediction = read()
        except InputError as exc:
            self.observe(content, exc)
            raise
        self.observe(content, prediction)
        return prediction

    def _predict(self, content: bytes, *, inspect: bool = False) -> Prediction:
        return self._read_one(frame_image(content, self.limits, self.framing), inspect)

    def _predict_pixels(self, text: str, inspect: bool) -> Prediction:
        started = time.perf_counter()
        gray = parse_pixels(text, self.model.metadata.image_shape)
        decode_ms, started = ms_since(started), time.perf_counter()
        try:
            framed = frame(gray, self.framing)
        except NoInkError:
            framed = Framed(gray, ("ink_unclear",))
        return self._read_one(FramedImage(framed, None, decode_ms, ms_since(started)), inspect)

    def _fit(self, items: Sequence[FramedImage]) -> NDArray[np.uint8]:
        """Bring framed digits to the shape that the model takes, (n_samples, height, width)."""
        shape = self.model.metadata.image_shape
        return np.stack([resize(item.framed.image, *shape) for item in items])

    def _read_one(self, item: FramedImage, inspect: bool) -> Prediction:
        (prediction,) = self._read([item])
        if not inspect:
            return prediction
        (vector,) = vectorize(self._fit([item]), self.model.metadata.input_scaling)
        layers = tuple(summarize_layers(self.model.classifier, vector))
        return replace(prediction, layers=layers)

    def _read(self, items: Sequence[FramedImage]) -> list[Prediction]:
        """Read framed digits in one matrix product; each has an equal share of the time."""
        if not items:
            return []
        started = time.perf_counter()
        probabilities = self.predict_proba(self._fit(items))
        network_ms = ms_since(started) / len(items)
        metadata = self.model.metadata
        return [
            Prediction(
                digit=metadata.class_labels[best],
                confidence=of_classes[best],
                probabilities=tuple(of_classes),
                accepted=of_classes[best] >= metadata.min_confidence,
                warnings=item.framed.warnings,
                model_name=self.model.name,
                model_version=self.model.version,
                classifier=metadata.classifier,
                elapsed_ms=item.decode_ms + item.frame_ms + network_ms,
                stages=Stages(item.decode_ms, item.frame_ms, network_ms),
                image=item.image,
            )
            for item, of_classes, best in zip(
                items, probabilities.tolist(), probabilities.argmax(axis=1).tolist(), strict=True
            )
        ]


def _observe_nothing(_content: bytes, _answer: Prediction | InputError) -> None:
    pass


def load_classifiers(settings: Settings) -> dict[str, DigitClassifier]:
    """Load the model that the settings name, and beside it every other that there is.

    Returns
    -------
    dict of str to DigitClassifier
        By the model's name; the settings' comes first.

    Raises
    ------
    ModelNotFoundError, ModelCorruptError
    """
    first = DigitClassifier.from_settings(settings)
    names = [name for name in list_models(settings.models_dir) if name != first.model.name]
    others = (DigitClassifier.from_settings(replace(settings, model=name)) for name in names)
    return {classifier.model.name: classifier for classifier in (first, *others)}
