"""The web application: a factory and one module per concern."""

import secrets
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from werkzeug.sansio.response import Response as AnyResponse

from digit_classifier.datasets.samples import MnistTestSet
from digit_classifier.errors import SettingsError
from digit_classifier.inference import load_classifiers
from digit_classifier.models.store import find_model
from digit_classifier.settings import Settings, load_settings
from digit_classifier.web import classifier, errors, uploads
from digit_classifier.web.access import api_keys, cors, rate_limits, security_headers
from digit_classifier.web.api import docs, inference_v2, v1
from digit_classifier.web.compat import curl_api, mnist, softmax_cnn
from digit_classifier.web.monitoring import health, logs, metrics, observation, status
from digit_classifier.web.process import load_shedding
from digit_classifier.web.site import about, assets, pages, samples

#: For programs, which have no cookie that a foreign page could abuse: they need no CSRF token.
_API_BLUEPRINTS = (
    v1.blueprint,
    curl_api.blueprint,
    inference_v2.blueprint,
    mnist.linear_softmax,
    mnist.mnist_classify,
    mnist.mnist_rest,
    softmax_cnn.blueprint,
)
_SITE_BLUEPRINTS = (
    about.blueprint,
    docs.blueprint,
    health.blueprint,
    metrics.blueprint,
    pages.blueprint,
    samples.blueprint,
)

#: Flask's configuration by the setting ``environment``.
_CONFIGURATIONS: dict[str, dict[str, object]] = {
    "production": {},
    # the debugger runs code for anyone who reaches it, so only on the developer's own machine
    "development": {
        "DEBUG": True,
        "SEND_FILE_MAX_AGE_DEFAULT": None,
        "TEMPLATES_AUTO_RELOAD": True,
    },
    "testing": {"TESTING": True, "WTF_CSRF_ENABLED": False},
}


class _JSON(DefaultJSONProvider):
    """Keeps the order of the keys, the answer before its details, and writes × as ×."""

    sort_keys = False
    ensure_ascii = False

    def response(self, *args: Any, **kwargs: Any) -> AnyResponse:
        """Write answers by msgspec, which is quicker; indented, where a person looks on."""
        if self._app.debug:
            return super().response(*args, **kwargs)
        content = msgspec.json.encode(self._prepare_response_obj(args, kwargs))
        return Response(content + b"\n", mimetype=self.mimetype)


def create_app(settings: Settings | None = None, log_file: Path | None = None) -> Flask:
    """Build the application and load its model.

    Parameters
    ----------
    settings : Settings, optional
        By default those of the configuration file and the environment.
    log_file : Path, optional
        Where to log; by default to standard error.

    Returns
    -------
    Flask

    Raises
    ------
    SettingsError
        The settings are wrong, or there is no secret key.
    ModelNotFoundError, ModelCorruptError
        The model that is to answer cannot be loaded.
    """
    settings = settings or load_settings()
    app = Flask(__name__, static_url_path=assets.static_path())
    app.config.update(
        SECRET_KEY=_secret_key(settings),
        # Browsers share cookies between the ports of a host, and "session" is every Flask's name.
        SESSION_COOKIE_NAME="digit_classifier_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=assets.MAX_AGE,
        BOOTSTRAP_SERVE_LOCAL=True,
        REQUESTS_AT_ONCE=settings.requests_at_once,
        MAX_MEMORY_BYTES=settings.max_memory_bytes,
    )
    app.config.update(_CONFIGURATIONS[settings.environment])
    # what readiness looks at: that the process cannot write it
    app.config["READ_ONLY_MODEL"] = (
        find_model(settings.model, settings.models_dir) if settings.read_only else None
    )
    app.json = _JSON(app)
    classifiers = load_classifiers(settings)
    # What is done last with an answer is registered first: the log has all that went before.
    counts = metrics.init_app(app, classifiers)
    logs.init_log(log_file, counts.log_lines_dropped.inc)
    observation.init_app(app, counts.count, logs.log_request)
    load_shedding.init_app(app, settings.max_queue_ms)
    uploads.init_app(app, settings.max_upload_bytes, settings.max_batch_bytes)
    security_headers.init_app(app)
    errors.init_app(app)
    inference_v2.init_app(app)
    classifier.init_app(app, classifiers)
    status.init_app(app, settings)
    about.init_app(app, settings.source_url)
    samples.init_app(app, MnistTestSet(settings.data_dir))
    _init_access_control(app, settings)
    Bootstrap5().init_app(app)
    csrf = CSRFProtect(app)
    app.url_map.strict_slashes = False  # a client's slash at the end of a path is not an error
    for blueprint in _API_BLUEPRINTS:
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    # Apache keeps /metrics and /status from foreign networks, by these very paths
    app.url_map.strict_slashes = True
    for blueprint in _SITE_BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def _init_access_control(app: Flask, settings: Settings) -> None:
    """Set up CORS, API keys and rate limits."""
    blueprints = frozenset(blueprint.name for blueprint in _API_BLUEPRINTS)
    keys = api_keys.parse_keys(settings.api_keys)
    cors.init_app(app, settings.cors_origins)
    # before the keys are checked, so that requests with wrong ones are limited as well
    rate_limits.init_app(app, settings.rate_limit, keys, settings.rate_limit_storage, blueprints)
    api_keys.init_app(app, keys, blueprints)


def _secret_key(settings: Settings) -> str:
    if not settings.secret_key and settings.environment != "production":
        return secrets.token_urlsafe()  # a restart costs the open forms their tokens, no more
    if not settings.secret_key:
        raise SettingsError(
            "There is no secret key: `bash deployment_scripts/build_all_local.sh` generates one, "
            "or set DIGIT_CLASSIFIER_SECRET_KEY to a long random text."
        )
    return settings.secret_key
