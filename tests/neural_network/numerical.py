"""Derivatives by central differences, to hold the analytical ones against."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def numerical_gradient(
    function: Callable[[], float], x: NDArray[np.float64], step: float = 1e-6
) -> NDArray[np.float64]:
    """Gradient of `function` with respect to `x`, an array that it reads at each call."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + step
        above = function()
        x[index] = kept - step
        below = function()
        x[index] = kept
        gradient[index] = (above - below) / (2 * step)
    return gradient
