"""A Python client of the service, which needs nothing of it but its address.

>>> from digit_classifier.client import Client
>>> client = Client("http://127.0.0.1:5000")

docs/client.md has examples.
"""

from digit_classifier.client.answers import (
    Answer,
    Model,
    ModelId,
    ReadDigit,
    Reading,
    Refusal,
    Row,
)
from digit_classifier.client.client import Client, Image
from digit_classifier.client.errors import (
    ClientError,
    NoAnswerError,
    ProblemError,
    UnexpectedAnswerError,
)

__all__ = [
    "Answer",
    "Client",
    "ClientError",
    "Image",
    "Model",
    "ModelId",
    "NoAnswerError",
    "ProblemError",
    "ReadDigit",
    "Reading",
    "Refusal",
    "Row",
    "UnexpectedAnswerError",
]
