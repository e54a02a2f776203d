"""Learning-rate schedules, as pure functions of the step."""

import math


def warmup_cosine(step: int, n_steps: int, n_warmup_steps: int = 0) -> float:
    """Return the factor of the peak learning rate: a linear warm-up, then half a cosine to zero.

    Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5, one cycle without restarts.

    Parameters
    ----------
    step : int
        0-based, less than `n_steps`.
    n_steps, n_warmup_steps : int

    Returns
    -------
    float in (0, 1]
    """
    if step < n_warmup_steps:
        return (step + 1) / n_warmup_steps
    progress = (step - n_warmup_steps) / max(1, n_steps - n_warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * progress))
