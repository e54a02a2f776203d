"""From the bytes of an image to a prediction: the whole flow, and the only place its steps meet."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from digit_classifier.errors import NoInkError, SelfTestError
from digit_classifier.model_store import Model, load_model
from digit_classifier.neural_network.layers import Array
from digit_classifier.preprocessing.decode import FORMATS, DecodeLimits, decode
from digit_classifier.preprocessing.explanation import side_by_side
from digit_classifier.preprocessing.framing import (
    Framed,
    Framing,
    frame,
    frame_center,
    run_steps,
)
from digit_classifier.preprocessing.ink import InkNotFoundError
from digit_classifier.preprocessing.vectorize import vectorize
from digit_classifier.settings import Settings

__all__ = ["FORMATS", "DigitClassifier", "Prediction"]

_SELF_TEST = Path(__file__).with_name("selftest") / "7.png"


@dataclass(frozen=True)
class Prediction:
    """The answer about one image.

    Attributes
    ----------
    digit : int
        The most probable one.
    confidence : float
        Its probability, calibrated on validation data.
    probabilities : tuple of 10 floats
        One a digit, from 0 to 9.
    accepted : bool
        False where the confidence is below the model's threshold: probably no digit.
    warnings : tuple of str
        Stable codes of what makes the answer less sure.
    model_name, model_version : str
    elapsed_ms : float
        From the bytes to the answer.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    accepted: bool
    warnings: tuple[str, ...]
    model_name: str
    model_version: str
    elapsed_ms: float

    def as_json(self) -> dict[str, Any]:
        """Return the answer in JSON's types, as the command line and the web give it."""
        return {
            "prediction": self.digit,
            "confidence": self.confidence,
            "probabilities": list(self.probabilities),
            "accepted": self.accepted,
            "warnings": list(self.warnings),
            "model": {"name": self.model_name, "version": self.model_version},
        }


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

    def predict(self, content: bytes) -> Prediction:
        """Read the digit of one image file.

        Parameters
        ----------
        content : bytes

        Raises
        ------
        InputError
            The file is no image that can be read; see :mod:`digit_classifier.errors`.
        """
        started = time.perf_counter()
        framed = frame(decode(content, self.limits), self.framing)
        probabilities = self.predict_proba(framed.image[np.newaxis])[0]
        elapsed_ms = (time.perf_counter() - started) * 1000
        return self._prediction(probabilities, framed, elapsed_ms)

    def explain(self, content: bytes) -> bytes:
        """Show what each step of preprocessing makes of one image file.

        Returns
        -------
        bytes
            A PNG with the steps side by side, from the decoded picture to the framed digit; where
            no ink is found, up to the step that found none.

        Raises
        ------
        InputError
            The file is no image that can be decoded.
        """
        gray = decode(content, self.limits)
        steps = {"decode": gray}
        if self.framing == "center":
            steps["center"] = frame_center(gray)
        else:
            try:
                steps.update(run_steps(gray))
            except InkNotFoundError:
                steps["center"] = frame_center(gray)
            except NoInkError:
                pass  # `predict` tells; the steps before the one that found none are there by now
        png = BytesIO()
        side_by_side(steps).save(png, "PNG", optimize=True)
        return png.getvalue()

    def predict_proba(self, framed: NDArray[np.uint8]) -> Array:
        """Calibrated probabilities of framed digits.

        Parameters
        ----------
        framed : ndarray of shape (n_samples, 28, 28), uint8

        Returns
        -------
        ndarray of shape (n_samples, 10), float32
        """
        metadata = self.model.metadata
        vectors = vectorize(framed, metadata.input_scaling)
        return self.model.network.predict_proba(vectors, metadata.temperature)

    def self_test(self) -> None:
        """Read the digit picture that ships with the package.

        Raises
        ------
        SelfTestError
            It was not read as the 7 that it is.
        """
        prediction = self.predict(_SELF_TEST.read_bytes())
        if prediction.digit != int(_SELF_TEST.stem):
            raise SelfTestError(
                f"The model {self.model.name!r} reads the self-test's {_SELF_TEST.stem} "
                f"as {prediction.digit}."
            )

    def _prediction(
        self, probabilities: Sequence[float] | Array, framed: Framed, elapsed_ms: float
    ) -> Prediction:
        metadata = self.model.metadata
        best = int(np.argmax(probabilities))
        confidence = float(probabilities[best])
        return Prediction(
            digit=metadata.class_labels[best],
            confidence=confidence,
            probabilities=tuple(float(p) for p in probabilities),
            accepted=confidence >= metadata.min_confidence,
            warnings=framed.warnings,
            model_name=self.model.name,
            model_version=self.model.version,
            elapsed_ms=elapsed_ms,
        )
