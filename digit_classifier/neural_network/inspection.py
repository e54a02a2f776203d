"""Summaries of the activations inside a network for one image."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from digit_classifier.classifier import Array, Classifier

N_TOP_UNITS = 5


@dataclass(frozen=True)
class LayerSummary:
    """The output of one layer for one image.

    Attributes
    ----------
    layer : str
        Type of the layer.
    shape : tuple of int
        Shape of the output: units, or height, width and channels.
    min, max, mean, std : float
    zero_share : float
        Share of the outputs that are exactly zero, such as inactive units after a rectifier.
    top_units : tuple of dict
        The most active units: their index in the output, and their activation.
    """

    layer: str
    shape: tuple[int, ...]
    min: float
    max: float
    mean: float
    std: float
    zero_share: float
    top_units: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the summary in JSON's types."""
        return asdict(self)


def summarize_layers(classifier: Classifier, vector: Array) -> Iterator[LayerSummary]:
    """Summarize the output of each layer for one image.

    Parameters
    ----------
    classifier : Classifier
    vector : ndarray of shape (n_features,)
    """
    for layer, (output,) in classifier.activations(vector[np.newaxis]):
        top = np.argsort(-output, axis=None, kind="stable")[:N_TOP_UNITS]
        yield LayerSummary(
            layer=layer,
            shape=output.shape,
            min=float(output.min()),
            max=float(output.max()),
            mean=float(output.mean()),
            std=float(output.std()),
            zero_share=float((output == 0).mean()),
            top_units=tuple(
                {
                    "unit": [int(i) for i in np.unravel_index(index, output.shape)],
                    "activation": float(output.flat[index]),
                }
                for index in top
            ),
        )
