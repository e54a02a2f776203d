"""Preview of the training data: one image with many digits."""

from typing import Literal

import numpy as np
from PIL import Image

from digit_classifier.datasets import Mnist
from digit_classifier.training.augmentation import Augmentation
from digit_classifier.training.synthesis.number_rows import make_pieces

ROWS, COLUMNS = 12, 20
_ZOOM = 2


def draw_preview(
    data: Mnist, what: Literal["digits", "augmented", "pieces"], *, seed: int
) -> Image.Image:
    """Draw random training images in rows and columns.

    Parameters
    ----------
    data : Mnist
    what : {"digits", "augmented", "pieces"}
        MNIST's own digits, the same with the default augmentation, or pieces of number rows: the
        upper half digits, the lower half no digits.
    seed : int

    Returns
    -------
    PIL.Image.Image
        Mode "L".
    """
    rng, n = np.random.default_rng(seed), ROWS * COLUMNS
    if what == "pieces":
        images, _ = make_pieces(n // 2, n - n // 2, data.X_train, data.y_train, rng)
    else:
        chosen = rng.choice(len(data.X_train), n, replace=len(data.X_train) < n)
        images = data.X_train[chosen]
    if what == "augmented":
        images = Augmentation()(images, data.y_train[chosen], rng).round().astype(np.uint8)
    height, width = images.shape[1:]
    grid = images.reshape(ROWS, COLUMNS, height, width).swapaxes(1, 2)
    sheet = Image.fromarray(grid.reshape(ROWS * height, COLUMNS * width))
    return sheet.resize((sheet.width * _ZOOM, sheet.height * _ZOOM), Image.Resampling.NEAREST)
