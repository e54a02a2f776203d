"""Preview of the training data: one image with many digits."""

import numpy as np
from PIL import Image

from digit_classifier.datasets import Mnist
from digit_classifier.training.augmentation import Augmentation

ROWS, COLUMNS = 12, 20
_ZOOM = 2


def draw_preview(data: Mnist, *, augmented: bool, seed: int) -> Image.Image:
    """Draw random training digits in rows and columns.

    Parameters
    ----------
    data : Mnist
    augmented : bool
        Apply the default augmentation.
    seed : int

    Returns
    -------
    PIL.Image.Image
        Mode "L".
    """
    rng = np.random.default_rng(seed)
    chosen = rng.choice(
        len(data.X_train), ROWS * COLUMNS, replace=len(data.X_train) < ROWS * COLUMNS
    )
    images = data.X_train[chosen]
    if augmented:
        images = Augmentation()(images, data.y_train[chosen], rng).round().astype(np.uint8)
    height, width = images.shape[1:]
    grid = images.reshape(ROWS, COLUMNS, height, width).swapaxes(1, 2)
    sheet = Image.fromarray(grid.reshape(ROWS * height, COLUMNS * width))
    return sheet.resize((sheet.width * _ZOOM, sheet.height * _ZOOM), Image.Resampling.NEAREST)
