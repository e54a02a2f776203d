"""Derivatives by central differences, to hold the analytical ones against."""

import numpy as np


def numerical_gradient(function, x, step=1e-6):
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
