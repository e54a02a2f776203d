"""What the peers do with a picture before and after the network, as their users commonly do."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 28


def vector_of(content: bytes) -> NDArray[np.float32]:
    """Decode a picture to gray levels from 0 to 1, light on black, of shape (1, 784)."""
    with Image.open(BytesIO(content)) as image:
        gray = image.convert("L")
    if gray.size != (SIDE, SIDE):
        gray = gray.resize((SIDE, SIDE))
    pixels = np.asarray(gray, np.float32) / 255
    if pixels.mean() > 0.5:
        pixels = 1 - pixels
    return pixels.reshape(1, SIDE * SIDE)


def answer_of(probabilities: Sequence[float]) -> dict[str, object]:
    """Put ten probabilities in the words of an answer."""
    confidence = max(probabilities)
    return {
        "prediction": probabilities.index(confidence),
        "confidence": confidence,
        "probabilities": probabilities,
    }
