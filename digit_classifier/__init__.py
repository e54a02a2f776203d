"""Read handwritten digits and numbers from any image: a NumPy network behind a web service.

>>> from pathlib import Path
>>> from digit_classifier import DigitClassifier
>>> DigitClassifier.load().predict(Path("seven.png").read_bytes()).digit  # doctest: +SKIP
7
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digit_classifier.inference import DigitClassifier

__all__ = ["DigitClassifier", "__version__"]

__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    # only when it is asked for: the command line starts without NumPy
    if name == "DigitClassifier":
        return import_module("digit_classifier.inference").DigitClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
