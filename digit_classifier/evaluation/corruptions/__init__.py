"""The fifteen corruptions of MNIST-C, to evaluate a network on unfamiliar digits.

Mu & Gilmer 2019, "MNIST-C: A Robustness Benchmark for Computer Vision", arXiv:1906.02337, at the
severities of the published benchmark. They are implemented from the descriptions, with NumPy and
SciPy, and do not reproduce the published files bit for bit.

A corruption takes ``images : ndarray of shape (n, 28, 28), uint8``, light ink on black, and a
Generator; it returns as many images of the same type and does not change its argument.
Deterministic corruptions ignore the Generator.
"""

from collections.abc import Callable

import numpy as np

from digit_classifier.evaluation.corruptions.camera import (
    brightness,
    fog,
    glass_blur,
    impulse_noise,
    motion_blur,
    shot_noise,
    stripe,
)
from digit_classifier.evaluation.corruptions.pixels import Images
from digit_classifier.evaluation.corruptions.shape import (
    canny_edges,
    dotted_line,
    rotate,
    scale,
    shear,
    spatter,
    translate,
    zigzag,
)

__all__ = ["CORRUPTIONS", "Corruption"]

Corruption = Callable[[Images, np.random.Generator], Images]

#: By the paper's names, in the paper's order.
CORRUPTIONS: dict[str, Corruption] = {
    corruption.__name__: corruption
    for corruption in (
        shot_noise,
        impulse_noise,
        glass_blur,
        motion_blur,
        shear,
        scale,
        rotate,
        brightness,
        translate,
        stripe,
        fog,
        spatter,
        dotted_line,
        zigzag,
        canny_edges,
    )
}
