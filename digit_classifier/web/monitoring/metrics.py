"""Metrics for Prometheus: counters and histograms, summed over all processes of the server.

The processes count in files of a common folder, on a disk that may be full. prometheus_client maps
sparse files into memory: on a full disk, the first write to a new page ends the process (SIGBUS).
Here each page is reserved before it is written to.
"""

import mmap
import os
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, partial
from http import HTTPMethod
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    mmap_dict,
    values,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from digit_classifier.environment import METRICS_VARIABLE, is_alive, own_identity
from digit_classifier.inference import DigitClassifier
from digit_classifier.prediction import Prediction
from digit_classifier.web.lifecycle import Observation
from digit_classifier.web.monitoring.logs import warn_server

blueprint = Blueprint("metrics", __name__)

_KEY = "digit_classifier_metrics"
_NAMESPACE = "digit_classifier"
_METHODS = frozenset(HTTPMethod)
_LIVE_GAUGE = re.compile(r"gauge_live\w*_(\d+-\d+)\.db")

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_STAGE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1)
#: Histograms cannot change their buckets without a break in every graph, so they reach further than
#: the default limits.
_BYTES = tuple(4**n for n in range(4, 14))  # 256 bytes to 64 MiB
_PIXELS = tuple(4**n for n in range(4, 14))  # 16×16 to 8192×8192

_MmapedDict: Any = mmap_dict.MmapedDict  # which has no types


class _ReservedFile(_MmapedDict):  # type: ignore[misc]
    """Values in a file whose space is reserved; without room, a value is not counted."""

    def __init__(self, filename: str) -> None:
        self._fname = filename
        self._f = None
        self._positions: dict[str, int] = {}
        self._is_full = False

    def read_value(self, key: str) -> tuple[float, float]:
        """Return a value and its time, which are 0 where there is no room for the value."""
        try:
            value, timestamp = super().read_value(key)
        except OSError as exc:
            self._report_full(exc)
            return 0.0, 0.0
        return value, timestamp

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Write a value, if there is room for it."""
        try:
            super().write_value(key, value, timestamp)
        except OSError as exc:
            self._report_full(exc)
        else:
            self._is_full = False

    def _init_value(self, key: str) -> None:
        if self._f is None:  # opened by the first value, when there may be room again
            self._reserve(mmap.PAGESIZE)
            super().__init__(self._fname)
        longest = len(key.encode()) + 32  # its length, up to 8 bytes of padding, and two numbers
        if self._used + longest > self._capacity:
            self._reserve(2 * self._capacity)
        super()._init_value(key)

    def _reserve(self, n_bytes: int) -> None:
        # "ab" creates the file, and never cuts it
        with Path(self._fname).open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, n_bytes)

    def _report_full(self, exc: OSError) -> None:
        if not self._is_full:
            self._is_full = True
            # not into the log: to count a line that it drops would need the lock that is held here
            warn_server(f"There is no room for metrics, which are incomplete until there is: {exc}")


disable_created_metrics()  # a time of creation beside every counter, which nobody reads
if METRICS_VARIABLE in os.environ:
    # before the first metric is made, which looks at both
    values.__dict__["MmapedDict"] = _ReservedFile  # prometheus_client has no setting for it
    values.ValueClass = values.MultiProcessValue(own_identity)  # system numbers are reused


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        # prometheus_client looks up labels behind a lock each time
        self._counter_of, self._histogram_of = cache(Counter.labels), cache(Histogram.labels)
        counter = partial(Counter, namespace=_NAMESPACE, registry=self._own)
        histogram = partial(Histogram, namespace=_NAMESPACE, registry=self._own)
        gauge = partial(Gauge, namespace=_NAMESPACE, registry=self._own)
        self.requests = counter("requests", "Requests answered", ["method", "route", "status"])
        self.seconds = histogram(
            "request_duration_seconds",
            "From a request to its answer",
            ["route"],
            buckets=_REQUEST_SECONDS,
        )
        self.queue_seconds = histogram(
            "queue_duration_seconds", "From Apache to a free thread", buckets=_REQUEST_SECONDS
        )
        stage_seconds = histogram(
            "stage_duration_seconds",
            "Decoding, framing, network",
            ["stage"],
            buckets=_STAGE_SECONDS,
        )
        self.decode_seconds = stage_seconds.labels("decode")
        self.frame_seconds = stage_seconds.labels("frame")
        self.network_seconds = stage_seconds.labels("network")
        self.predictions = counter("predictions", "Digits read", ["digit", "model"])
        self.page_predictions = counter(
            "page_predictions", "Read for the page besides its answers", ["purpose", "model"]
        )
        self.abstentions = counter("abstentions", "Answers with accepted false", ["model"])
        self.readings = counter("readings", "Pictures read for all their digits", ["model"])
        self.reading_digits = counter("reading_digits", "Digits found in these", ["model"])
        self.reading_abstentions = counter(
            "reading_abstentions", "Readings with accepted false", ["model"]
        )
        self.refusals = counter("refusals", "Requests and images refused", ["code"])
        self.images = counter("images", "Images read", ["format"])
        self.bytes = histogram("image_bytes", "Size of the images read", buckets=_BYTES)
        self.pixels = histogram("image_pixels", "Pixels of the images read", buckets=_PIXELS)
        # the mode: how the gauges of several processes become one
        self.in_flight = gauge(
            "requests_in_flight", "Being answered now", multiprocess_mode="livesum"
        )
        self.rate_limit_storage_failures = counter(
            "rate_limit_storage_failures", "Times that the storage of the rate limits failed"
        )
        self.log_lines_dropped = counter(
            "log_lines_dropped", "Lines of the log that could not be written"
        )
        self.processes = gauge("processes", "Processes that serve", multiprocess_mode="livesum")
        self.started = gauge(
            "start_time_seconds", "When the server started", multiprocess_mode="min"
        )
        self.model = gauge(
            "model_info",
            "The models that are loaded",
            ["name", "version", "classifier"],
            multiprocess_mode="livemax",
        )

    def begin(self, classifiers: Mapping[str, DigitClassifier]) -> None:
        """Report this process and its models, and start the models' counters at 0."""
        self.processes.set(1)
        self.started.set(time.time())
        for name, classifier in classifiers.items():
            model = classifier.model
            self.model.labels(name, model.version, model.metadata.classifier).set(1)
            # a counter that appears with its first event has no increase that an alert could see
            for counter in (self.abstentions, self.readings, self.reading_abstentions):
                counter.labels(name)

    def registry(self) -> CollectorRegistry:
        """Return this process's metrics, or the sum over the processes that share a folder."""
        folder = os.environ.get(METRICS_VARIABLE)
        if folder is None:
            return self._own
        for file in Path(folder).iterdir():  # killed processes have nothing in flight any more
            if (found := _LIVE_GAUGE.fullmatch(file.name)) and not is_alive(found[1]):
                file.unlink(missing_ok=True)
        # made for each answer: the processes that write into the folder come and go
        registry = CollectorRegistry()
        registry.register(_SharedMetrics(Path(folder)))
        return registry

    def collect(self) -> dict[str, Metric]:
        """Return all metrics by name, without the suffix of counters, ``_total``."""
        return {metric.name: metric for metric in self.registry().collect()}

    def count(self, observation: Observation, status: int) -> None:
        """Count a request, which is answered with that status."""
        # clients make up methods, and each label would be a time series for ever
        method = observation.method if observation.method in _METHODS else "other"
        self._counter_of(self.requests, method, observation.route, str(status)).inc()
        self._histogram_of(self.seconds, observation.route).observe(observation.seconds)
        if observation.waited_ms is not None:
            self.queue_seconds.observe(observation.waited_ms / 1000)
        for code in observation.codes:
            self._counter_of(self.refusals, code).inc()
        purpose = observation.purpose
        for answer in observation.answers:
            model = answer.model_name
            if purpose is not None:
                self._counter_of(self.page_predictions, purpose, model).inc()
            elif isinstance(answer, Prediction):
                self._counter_of(self.predictions, str(answer.digit), model).inc()
                if not answer.accepted:
                    self._counter_of(self.abstentions, model).inc()
            else:
                self._counter_of(self.readings, model).inc()
                self._counter_of(self.reading_digits, model).inc(answer.n_digits)
                if not answer.accepted:
                    self._counter_of(self.reading_abstentions, model).inc()
            self.decode_seconds.observe(answer.stages.decode_ms / 1000)
            self.frame_seconds.observe(answer.stages.frame_ms / 1000)
            self.network_seconds.observe(answer.stages.network_ms / 1000)
            if image := answer.image:
                self._counter_of(self.images, image.format).inc()
                self.bytes.observe(image.n_bytes)
                self.pixels.observe(image.width * image.height)


class _SharedMetrics(Collector):
    """The sums over a folder, whose path MultiProcessCollector itself would take for a pattern."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of all processes, summed."""
        files = []
        for file in self._folder.glob("*.db"):
            with suppress(FileNotFoundError):  # another process has just removed it
                if file.stat().st_size > 0:  # a new file, or one without room, is empty
                    files.append(str(file))
        return MultiProcessCollector.merge(files, accumulate=True)


def init_app(app: Flask, classifiers: Mapping[str, DigitClassifier]) -> Metrics:
    """Give the application its metrics, and return them."""
    metrics = app.extensions[_KEY] = Metrics()
    metrics.begin(classifiers)
    return metrics


def current_metrics() -> Metrics:
    """Return the metrics of the application that handles the current request."""
    return cast(Metrics, current_app.extensions[_KEY])


@blueprint.get("/metrics")
def show_metrics() -> Response:
    """Return all metrics, in the one of Prometheus's formats that the caller prefers."""
    # OpenMetrics for newer servers of Prometheus, the plain text format for a person's browser
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(current_metrics().registry()), content_type=content_type)
