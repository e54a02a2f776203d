"""The API's own description: the OpenAPI document, and a page to read it and try it with."""

from importlib.metadata import version
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, current_app, render_template

#: Swagger UI's files come from its package, below an address that changes with its release.
blueprint = Blueprint(
    "api_docs",
    __name__,
    url_prefix="/api/v1",
    static_folder=Path(flask_swagger_ui.__file__).with_name("dist"),
    static_url_path=f"/docs/{version('flask-swagger-ui')}",
)


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """Give the OpenAPI document."""
    from digit_classifier.web.api.openapi import openapi_json  # what serves digits does without it

    document = openapi_json(current_app._get_current_object())  # type: ignore[attr-defined]
    return Response(document, mimetype="application/json")


@blueprint.get("/docs")
def docs() -> str:
    """Show the document."""
    return render_template("api_docs.html")
