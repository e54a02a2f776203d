"""What is tried: the way from a file to a framed digit, and the whole application.

Each trial has a number, and a seed and a number make the same input again.
"""

import random
import tempfile
from pathlib import Path
from typing import Protocol

from digit_classifier.errors import InputError
from digit_classifier.framed_images import frame_image
from digit_classifier.inference import DigitClassifier
from digit_classifier.preprocessing.decode import DecodeLimits
from digit_classifier.settings import Settings
from tests.fuzz.corpus import corpus
from tests.fuzz.hostile_requests import hostile_request
from tests.fuzz.mutation import mutate
from tests.web.serving import make_app


class UnexpectedAnswerError(Exception):
    """The application answered in a way that it never should."""


class Target(Protocol):
    """Something to try hostile input on."""

    def input(self, number):
        """Make the input of a trial, as bytes to keep."""

    def run(self, number):
        """Try it, and name the outcome; what it raises is a fault."""


class Pictures:
    """Damaged image files, decoded and framed."""

    def __init__(self, seed):
        self._seed, self._corpus, self._limits = seed, corpus(), DecodeLimits()

    def input(self, number):
        return mutate(random.Random(f"{self._seed}-{number}"), self._corpus)

    def run(self, number):
        return read(self.input(number), self._limits)


def read(content, limits):
    """Decode and frame a file; only an InputError may be raised."""
    try:
        framed = frame_image(content, limits, "auto").framed
    except InputError as exc:
        return exc.code
    if framed.image.shape != (28, 28):
        raise UnexpectedAnswerError(f"framed to {framed.image.shape}")
    return "framed"


class Numbers:
    """Damaged image files, read for all their digits."""

    def __init__(self, seed):
        self._seed, self._corpus = seed, corpus()
        self._classifier = DigitClassifier.from_settings(Settings())

    def input(self, number):
        return mutate(random.Random(f"{self._seed}-{number}"), self._corpus)

    def run(self, number):
        try:
            reading = self._classifier.read(self.input(number))
        except InputError as exc:
            return exc.code
        if not reading.text.replace("\n", "").isdecimal():
            raise UnexpectedAnswerError(f"read as {reading.text!r}")
        return "read"


class Requests:
    """Hostile requests to the whole application."""

    def __init__(self, seed, app=None):
        self._seed, self._corpus = seed, corpus()
        self._app = app or make_app(Path(tempfile.mkdtemp()), max_upload_bytes=256 * 1024)
        self._app.config["WTF_CSRF_ENABLED"] = False  # or the page would never come to the picture
        self._client = self._app.test_client(use_cookies=False)

    def request(self, number):
        rng = random.Random(f"{self._seed}-{number}")
        return hostile_request(rng, self._corpus, self._app.url_map)

    def input(self, number):
        return repr(self.request(number)).encode()

    def run(self, number):
        request = self.request(number)
        length = {} if request.length is None else {"CONTENT_LENGTH": request.length}
        with self._client.open(
            request.path,
            method=request.method,
            query_string=request.query,
            content_type=request.content_type,
            headers=request.headers,
            data=request.body,
            environ_overrides=length,
        ) as response:
            return judge(request.method, response)


def judge(method, response):
    """Name the answer by its status and code; it must be none of ours gone wrong, and have one."""
    status = response.status_code
    if status >= 500:
        raise UnexpectedAnswerError(f"{status}: {response.text[:500]}")
    if status < 400:
        return str(status)
    if response.mimetype == "text/html":
        if method != "HEAD" and "</html>" not in response.text:
            raise UnexpectedAnswerError(f"{status} without a page: {response.text[:500]}")
        return f"{status} page"
    if response.mimetype == "application/json" and (method == "HEAD" or "error" in response.json):
        return f"{status} error"  # as the Open Inference Protocol has it
    if response.mimetype != "application/problem+json":
        raise UnexpectedAnswerError(f"{status} {response.mimetype}: {response.text[:500]}")
    return str(status) if method == "HEAD" else f"{status} {response.json['code']}"
