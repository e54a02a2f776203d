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
from digit_classifier.environment.checks import find_model_files
from digit_classifier.errors import SettingsError
from digit_classifier.inference import load_classifiers
from digit_classifier.settings import Settings, load_settings
from digit_classifier.web import classifier, compat, errors, lifecycle, pages, uploads
from digit_classifier.web.access import api_keys, headers
from digit_classifier.web.api import docs, inference_v2, v1
from digit_classifier.web.monitoring import health, logs, metrics

#: For programs. They need no CSRF token: no cookie of theirs could be abused by a foreign page.
_API_BLUEPRINTS = (
    v1.blueprint,
    compat.curl_api,
    inference_v2.blueprint,
    compat.linear_softmax,
    compat.mnist_classify,
    compat.mnist_rest,
    compat.softmax_cnn,
)
_SITE_BLUEPRINTS = (
    docs.blueprint,
    health.blueprint,
    metrics.blueprint,
    pages.blueprint,
    pages.about,
    pages.samples,
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
        """Write answers by msgspec, which is quick; in debug mode by Flask, which indents them."""
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
        A model of the settings cannot be loaded.
    """
    settings = settings or load_settings()
    if not settings.secret_key and settings.environment == "production":
        raise SettingsError(
            "There is no secret key: `bash deployment_scripts/build_all_local.sh` generates one, "
            "or set DIGIT_CLASSIFIER_SECRET_KEY to a long random text."
        )
    app = Flask(__name__, static_url_path=pages.static_path())
    app.config.update(
        # without one, a restart costs the open forms their tokens, no more
        SECRET_KEY=settings.secret_key or secrets.token_urlsafe(),
        # Browsers share cookies between the ports of a host, and "session" is every Flask's name.
        SESSION_COOKIE_NAME="digit_classifier_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=pages.MAX_AGE,
        WTF_CSRF_CHECK_DEFAULT=False,  # `pages` checks the token of its form, and has the only one
        # the Content-Security-Policy allows no other host's files, and a closed network has none
        BOOTSTRAP_SERVE_LOCAL=True,
        # Flask answers 413 before it reads a body whose length says that it is too large. A file
        # of exactly `max_upload_bytes` passes; the classifier measures the file itself.
        MAX_CONTENT_LENGTH=settings.max_upload_bytes + uploads.FRAMING_BYTES,
        MAX_BATCH_BYTES=settings.max_batch_bytes,
        REQUESTS_AT_ONCE=settings.requests_at_once,
        MAX_MEMORY_BYTES=settings.max_memory_bytes,
    )
    app.config.update(_CONFIGURATIONS[settings.environment])
    # /readyz fails if the process can write one of these
    app.config["READ_ONLY_MODELS"] = find_model_files(settings) if settings.read_only else []
    app.json = _JSON(app)
    classifiers = load_classifiers(settings)
    counts = metrics.init_app(app, classifiers)
    logs.init_log(log_file, counts.log_lines_dropped.inc)
    # Flask calls what handles a request in the order of registration, and what handles its answer
    # in the reverse one. So this comes first: it starts the clock before all others, and counts
    # and logs an answer to which these have added their headers.
    lifecycle.init_app(app, settings.max_queue_ms, counts.in_flight, counts.count, logs.log_request)
    headers.init_app(app, settings.cors_origins)
    errors.init_app(app)
    inference_v2.init_app(app)
    classifier.init_app(app, classifiers, settings.numbers_model)
    health.init_app(app, settings)
    pages.init_app(app, settings.source_url, MnistTestSet(settings.data_dir))
    for_programs = frozenset(blueprint.name for blueprint in _API_BLUEPRINTS)
    keys = api_keys.parse_keys(settings.api_keys)
    # before the keys are checked, so that requests with wrong ones are limited as well
    if settings.rate_limit or any(key.rate_limit for key in keys):
        # here, since Flask-Limiter would take a tenth of the start of those that do without
        from digit_classifier.web.access import rate_limits

        rate_limits.init_app(
            app, settings.rate_limit, keys, settings.rate_limit_storage, for_programs
        )
    api_keys.init_app(app, keys, for_programs)
    Bootstrap5().init_app(app)
    CSRFProtect(app)
    app.url_map.strict_slashes = False  # a client's slash at the end of a path is not an error
    for blueprint in _API_BLUEPRINTS:
        app.register_blueprint(blueprint)
    # Apache keeps /metrics and /status from foreign networks, by these very paths
    app.url_map.strict_slashes = True
    for blueprint in _SITE_BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app
