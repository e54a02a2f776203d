"""The naive pipeline: what the usual project that serves an MNIST network does with a picture.

Grayscale, the central square, 28×28, gray levels to -0.5..0.5, and a small perceptron with tanh
units, trained on MNIST with half of the digits inverted. No ink is looked for, no box fitted, no
training digit distorted.
"""

from collections.abc import Iterable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import accuracy_score

from benchmarks.pictures import Picture
from digit_classifier.datasets import Mnist
from digit_classifier.neural_network.estimators import MLPClassifier

SIDE = 28
HIDDEN_LAYER_SIZES = (100, 40)
EPOCHS, BATCH_SIZE = 10, 128


class NaivePipeline:
    """Train on construction; a seed gives the same network every time.

    Attributes
    ----------
    mnist_accuracy : dict of str to float
        On MNIST's test digits in either polarity.
    """

    def __init__(self, data: Mnist, seed: int = 0) -> None:
        inverted = np.random.default_rng(seed).random(len(data.X_train)) < 0.5
        images = np.where(inverted[:, None, None], 255 - data.X_train, data.X_train)
        self._network = MLPClassifier(
            HIDDEN_LAYER_SIZES,
            activation="tanh",
            epochs=EPOCHS,
            batch_size=BATCH_SIZE,
            random_state=seed,
        ).fit(_vectors(images), data.y_train)
        self.mnist_accuracy = {
            view: float(accuracy_score(data.y_test, self._network.predict(_vectors(shown))))
            for view, shown in (
                ("white on black", data.X_test),
                ("black on white", 255 - data.X_test),
            )
        }

    def read(self, pictures: Iterable[Picture]) -> NDArray[np.int64]:
        """Return the digit of each picture, -1 where Pillow cannot open it."""
        images = [_image(picture.content) for picture in pictures]
        digits = np.full(len(images), -1, np.int64)
        opened = [image is not None for image in images]
        shown = np.stack([image for image in images if image is not None])
        digits[opened] = self._network.predict(_vectors(shown))
        return digits


def _image(content: bytes) -> NDArray[np.uint8] | None:
    try:
        with Image.open(BytesIO(content)) as image:
            gray = image.convert("L")
    except OSError:
        return None
    width, height = gray.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    square = gray.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((SIDE, SIDE)))


def _vectors(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    vectors = images.reshape(len(images), -1).astype(np.float32)
    vectors /= 255
    vectors -= 0.5
    return vectors
