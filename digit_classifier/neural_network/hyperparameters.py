"""Checks of the estimators' hyperparameters, each with a sentence that says what is allowed."""

from collections.abc import Container, Iterable
from math import isfinite
from numbers import Integral, Real
from typing import Any


def check_whole(name: str, value: Any) -> None:
    """Reject what is not a whole number above 0.

    Raises
    ------
    ValueError
    """
    # in Python, True is a whole number, and so are NumPy's integers
    if type(value) is bool or not isinstance(value, Integral) or int(value) < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}.")


def check_number(
    name: str, value: Any, below: float = float("inf"), *, positive: bool = False
) -> None:
    """Reject what is not a finite number from 0, or above it, to below `below`.

    Raises
    ------
    ValueError
    """
    is_number = type(value) is not bool and isinstance(value, Real) and isfinite(value)
    if not is_number or not 0 <= value < below or (positive and value <= 0):
        at_least = "above 0" if positive else "of at least 0"
        limit = "" if below == float("inf") else f" and below {below:g}"
        raise ValueError(f"{name} must be a number {at_least}{limit}, not {value!r}.")


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Reject what is not one of some words.

    Raises
    ------
    ValueError
    """
    known: Container[str] = sorted(choices)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {known}, not {value!r}.")


def check_sizes(name: str, value: Any) -> None:
    """Reject what is not a sequence of whole numbers above 0, which may be empty.

    Raises
    ------
    ValueError
    """
    # a word is a sequence, too
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ValueError(  # noqa: TRY004, scikit-learn's kind for all hyperparameters
            f"{name} must be a sequence of whole numbers, not {value!r}."
        )
    for size in value:
        check_whole(f"each of {name}", size)


def check_stages(name: str, value: Any) -> None:
    """Reject what is not a sequence of sequences, none of them empty, of whole numbers above 0.

    Raises
    ------
    ValueError
    """
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ValueError(  # noqa: TRY004, scikit-learn's kind for all hyperparameters
            f"{name} must be a sequence of numbers for each stage, not {value!r}."
        )
    for stage in value:
        check_sizes(name, stage)
        if not [*stage]:
            raise ValueError(f"Each stage of {name} needs a convolution.")
