"""The preprocessing steps as scikit-learn transformers, to be looked at alone or in a Pipeline.

Examples
--------
>>> from sklearn.pipeline import make_pipeline
>>> pipeline = make_pipeline(Decoder(), Framer(), Vectorizer())
>>> vectors = pipeline.transform([content])  # bytes of an image file  # doctest: +SKIP

One step of framing, and all of them but one:

>>> (without_grain,) = FramingStep("remove_specks").transform([gray])  # doctest: +SKIP
>>> framing = framing_pipeline().set_params(remove_lines="passthrough")
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline

from digit_classifier.preprocessing.decode import DecodeLimits, decode
from digit_classifier.preprocessing.framing import STEPS, Framing, frame
from digit_classifier.preprocessing.vectorize import InputScaling, vectorize


class _Stateless(TransformerMixin, BaseEstimator):
    """Base of transformers that learn nothing; usable without ``fit``."""

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, scikit-learn's signature
        """Return the transformer; there is nothing to learn."""
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class Decoder(_Stateless):
    """Image files to grayscale arrays; see :func:`.decode.decode`.

    Parameters
    ----------
    max_bytes, max_pixels, min_side : int
        See :class:`.decode.DecodeLimits`.
    """

    def __init__(
        self, max_bytes: int = 1024 * 1024, max_pixels: int = 40_000_000, min_side: int = 8
    ) -> None:
        self.max_bytes = max_bytes
        self.max_pixels = max_pixels
        self.min_side = min_side

    def transform(self, X: Sequence[bytes]) -> list[NDArray[np.uint8]]:
        """Return one array of shape (height, width) a file."""
        limits = DecodeLimits(**self.get_params())
        return [decode(content, limits) for content in X]


class Framer(_Stateless):
    """Grayscale arrays of any sizes to framed digits; see :func:`.framing.frame`.

    Parameters
    ----------
    framing : {"auto", "center"}
    """

    def __init__(self, framing: Framing = "auto") -> None:
        self.framing = framing

    def transform(self, X: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Return an array of shape (n_samples, 28, 28)."""
        return np.stack([frame(gray, self.framing).image for gray in X])


class FramingStep(_Stateless):
    """One step of the framing ``auto``, on arrays of any sizes; see :mod:`.framing`.

    Parameters
    ----------
    step : str
        A name in :data:`.framing.STEPS`.
    """

    def __init__(self, step: str = "shrink") -> None:
        self.step = step

    def transform(self, X: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Return what the step makes of each array."""
        return [STEPS[self.step](image) for image in X]


def framing_pipeline() -> Pipeline:
    """Return all steps of the framing ``auto`` in their order, each under its name.

    It is what ``Framer`` does where ink is found; where not, the errors of :mod:`.ink` pass.
    """
    return Pipeline([(name, FramingStep(name)) for name in STEPS])


class Vectorizer(_Stateless):
    """Framed digits to float32 vectors; see :func:`.vectorize.vectorize`.

    Parameters
    ----------
    scale, offset : float
    on_black, upright : bool
        See :class:`.vectorize.InputScaling`.
    """

    def __init__(
        self,
        scale: float = 1 / 127.5,
        offset: float = -1.0,
        on_black: bool = False,
        upright: bool = False,
    ) -> None:
        self.scale = scale
        self.offset = offset
        self.on_black = on_black
        self.upright = upright

    def transform(self, X: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return an array of shape (n_samples, 784)."""
        return vectorize(X, InputScaling(**self.get_params()))
