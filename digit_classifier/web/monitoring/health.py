"""Health checks for machines, and the status for operators: model, versions, settings, counts."""

import platform
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from flask import Blueprint, Flask, current_app, render_template
from flask.typing import ResponseReturnValue
from prometheus_client import Metric

from digit_classifier import __version__
from digit_classifier.environment.checks import check_blas, check_interpreter, check_read_only
from digit_classifier.errors import ModelNotFoundError, SelfTestError, UnsoundError
from digit_classifier.settings import Settings
from digit_classifier.web.api.docs import described
from digit_classifier.web.api.schemas import ModelQuery
from digit_classifier.web.classifier import (
    all_classifiers,
    current_classifier,
    default_classifier,
    default_numbers_classifier,
)
from digit_classifier.web.errors import prefers_html
from digit_classifier.web.monitoring.metrics import current_metrics

blueprint = Blueprint("health", __name__)

_KEY = "digit_classifier_shown_settings"
_LIBRARIES = ("flask", "numpy", "pillow")

#: The settings that `/status` shows: neither the secret nor paths.
_SHOWN = (
    "environment",
    "numbers_model",
    "framing",
    "read_only",
    "max_upload_bytes",
    "max_image_pixels",
    "max_batch_bytes",
    "max_queue_ms",
)


def init_app(app: Flask, settings: Settings) -> None:
    """Keep the settings that `/status` shows."""
    app.extensions[_KEY] = {name: getattr(settings, name) for name in _SHOWN}


@blueprint.get("/livez")
def livez() -> dict[str, str]:
    """Answer, which is the proof."""
    # nothing more: a process that fails this check is restarted, which cannot mend faults that
    # /readyz finds
    return {"status": "alive"}


@blueprint.get("/readyz")
@described(raises=(UnsoundError, SelfTestError))
def readyz() -> dict[str, str]:
    """Check the process, and let the default models read a digit; what fails becomes a 503."""
    try:
        # cheap, and first: with a wrong library, the digit may be read all the same
        check_interpreter()
        check_blas()
        if current_app.config["READ_ONLY_MODELS"]:
            check_read_only(*current_app.config["READ_ONLY_MODELS"])
    except UnsoundError as exc:
        current_app.logger.error("Not ready: %s", exc)  # noqa: TRY400, the message is complete
        raise
    for classifier in {default_classifier(), default_numbers_classifier()}:
        classifier.self_test()
    return {"status": "ready"}


@blueprint.get("/status")
@described(query=ModelQuery, gives=dict[str, object], raises=(ModelNotFoundError,))
def status() -> ResponseReturnValue:
    """Show the service's state: a page for a browser, JSON for a program."""
    model = current_classifier().model
    metrics = current_metrics().collect()  # of all processes
    # 0 where the disk had no room for it
    started = _value(metrics, "start_time_seconds") or time.time()
    state = {
        "status": "ok",
        "model": {
            "name": model.name,
            "version": model.version,
            "classifier": model.metadata.classifier,
            "layers": model.classifier.architecture,
            "figures": model.metadata.figures,
        },
        "models": {name: other.model.version for name, other in all_classifiers().items()},
        "service": {
            "since": datetime.fromtimestamp(int(started), UTC).isoformat(),
            "uptime": str(timedelta(seconds=int(time.time() - started))),
            "processes": int(_value(metrics, "processes")),
            "requests_in_flight": int(_value(metrics, "requests_in_flight")),
            "requests": _counts(metrics, "requests", "status"),
            "predictions": _counts(metrics, "predictions", "digit"),
            "abstentions": _counts(metrics, "abstentions", "model"),
            "readings": _counts(metrics, "readings", "model"),
            "reading_abstentions": _counts(metrics, "reading_abstentions", "model"),
            "page_predictions": _counts(metrics, "page_predictions", "purpose"),
            "refusals": _counts(metrics, "refusals", "code"),
        },
        "settings": current_app.extensions[_KEY],
        "versions": {
            "digit_classifier": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
    }
    if prefers_html("application/json"):
        # flat, since the page shows them as rows: "test: accuracy"
        parts = model.metadata.figures
        figures = {f"{part}: {name}": parts[part][name] for part in parts for name in parts[part]}
        return render_template("status.html", status=state, figures=figures)
    return state


def _value(metrics: Mapping[str, Metric], name: str) -> float:
    """Return the value of a metric, or 0 where the disk had no room for it."""
    metric = metrics.get(f"digit_classifier_{name}")
    return metric.samples[0].value if metric else 0.0


def _counts(metrics: Mapping[str, Metric], name: str, label: str) -> dict[str, int]:
    """Sum a counter up by one of its labels; a counter without counts may be missing."""
    counts: Counter[str] = Counter()
    metric = metrics.get(f"digit_classifier_{name}")
    for sample in metric.samples if metric else ():
        counts[sample.labels[label]] += int(sample.value)
    return dict(sorted(counts.items()))
