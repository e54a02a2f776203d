"""Convert between pixels 0-255 and values 0-1, the unit of the corruptions' parameters."""

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Values = NDArray[np.float32]

WHITE = 255


def to_values(images: Images) -> Values:
    """Scale pixels to 0-1."""
    return images.astype(np.float32) / np.float32(WHITE)


def to_pixels(values: Values) -> Images:
    """Clip to 0-1, scale to 0-255 and round; `values` is overwritten."""
    np.clip(values, 0, 1, out=values)
    values *= WHITE
    return values.round(out=values).astype(np.uint8)
