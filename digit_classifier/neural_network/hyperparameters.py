"""Checks of the estimators' hyperparameters, each with a sentence that says what is allowed."""

from collections.abc import Container, Iterable
from math import isfinite
from numbers import Integral, Real
from typing import Any


def check_whole(name: str, value: Any, least: int = 1) -> None:
    """Reject what is not a whole number of at least `least`.

    Raises
    ------
    ValueError
    """
    if type(value) is bool or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}.")


def check_number(
    name: str,
    value: Any,
    least: float = 0.0,
    below: float = float("inf"),
    *,
    positive: bool = False,
) -> None:
    """Reject what is not a finite number from `least` to below `below`.

    Raises
    ------
    ValueError
    """
    is_number = type(value) is not bool and isinstance(value, Real) and isfinite(value)
    if not is_number or not least <= value < below or (positive and value <= 0):
        at_least = "above 0" if positive else f"of at least {least:g}"
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
