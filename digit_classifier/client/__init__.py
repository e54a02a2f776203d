"""A Python client of the service, which needs nothing of it but its address.

>>> from digit_classifier.client import Client
>>> client = Client("http://127.0.0.1:5000")

docs/client.md has examples.
"""

from digit_classifier.client.answers import (
    Answer,
    Explained,
    Explanation,
    Model,
    ModelId,
    ReadDigit,
    Reading,
    Refusal,
    Row,
    Step,
)
from digit_classifier.client.client import UNREADABLE_FILE, Client, Image
from digit_classifier.client.transport import (
    ClientError,
    NoAnswerError,
    ProblemError,
    UnexpectedAnswerError,
)

__all__ = [
    "UNREADABLE_FILE",
    "Answer",
    "Client",
    "ClientError",
    "Explained",
    "Explanation",
    "Image",
    "Model",
    "ModelId",
    "NoAnswerError",
    "ProblemError",
    "ReadDigit",
    "Reading",
    "Refusal",
    "Row",
    "Step",
    "UnexpectedAnswerError",
]
