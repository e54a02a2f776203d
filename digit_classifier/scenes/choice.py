"""Choose between several ways to frame a picture by what the network makes of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Log-probability of the framing as a whole where it is not clear that it is right.
OF_WHOLE = -0.5
#: Difference of the logarithms within which another digit is as good an answer.
AMBIGUOUS = 0.5


def choose(
    probabilities: NDArray[np.floating], plausibilities: Sequence[float]
) -> tuple[int, bool]:
    """Return the most digit-like proposal, and whether another digit is as good an answer.

    Parameters
    ----------
    probabilities : ndarray of shape (n_proposals, n_classes)
        Calibrated.
    plausibilities : sequence of n_proposals floats
        Logarithms of how probable each proposal is, whatever it looks like.

    Returns
    -------
    index : int
    is_ambiguous : bool
    """
    scores = np.log(probabilities.max(axis=1)) + np.asarray(plausibilities)
    digits = probabilities.argmax(axis=1)
    best = int(scores.argmax())
    others = scores[digits != digits[best]]
    is_ambiguous = others.size > 0 and float(scores[best] - others.max()) < AMBIGUOUS
    return best, is_ambiguous
