"""The API's documentation: descriptions of views, and the addresses of the OpenAPI document.

:mod:`digit_classifier.web.api.openapi` makes that document: a view's path and methods from its
route, the summary from its docstring, the answer's type from its return annotation, and the rest
from :func:`described`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import flask_swagger_ui
from flask import Blueprint, Response, current_app, render_template

from digit_classifier.errors import (
    BadFormError,
    BrokenImageError,
    DigitClassifierError,
    EmptyFileError,
    FileTooLargeError,
    ImageTooSmallError,
    ModelNotFoundError,
    NoFileError,
    NoInkError,
    TooManyPixelsError,
    UnsupportedImageError,
)

View = TypeVar("View", bound=Callable[..., Any])

#: The errors of a view that takes one image and the name of a model.
IMAGE_ERRORS = (
    NoFileError,
    BadFormError,
    EmptyFileError,
    FileTooLargeError,
    UnsupportedImageError,
    BrokenImageError,
    TooManyPixelsError,
    ImageTooSmallError,
    NoInkError,
    ModelNotFoundError,
)


@dataclass(frozen=True)
class Description:
    """What the OpenAPI document takes from neither the route nor the function of a view.

    Attributes
    ----------
    query : type, optional
        A TypedDict of the parameters.
    takes : mapping
        The types of the body, by media type.
    gives : type, optional
        The type of the answer, where the view returns a response of its own.
    raises : tuple of type
        Errors; one that has subclasses stands for those.
    gives_media, errors_media : str, optional
        Media types of the answer and of errors, where they are not JSON.
    redirects_to : str, optional
        Where the view redirects to, if it does nothing else.
    """

    query: Any = None
    takes: Mapping[str, Any] = field(default_factory=dict)
    gives: Any = None
    raises: tuple[type[DigitClassifierError], ...] = ()
    gives_media: str | None = None
    errors_media: str | None = None
    redirects_to: str | None = None


def described(**attributes: Any) -> Callable[[View], View]:
    """Describe a view; the arguments are those of :class:`Description`."""

    def describe(view: View) -> View:
        # on the function itself: a wrapper would be one more call a request
        vars(view)["description"] = Description(**attributes)
        return view

    return describe


def description_of(view: Callable[..., Any]) -> Description | None:
    """Return the description of a view, if it has one."""
    found: Description | None = vars(view).get("description")
    return found


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
    # here: most processes never need apispec
    from digit_classifier.web.api.openapi import openapi_json

    document = openapi_json(current_app._get_current_object())  # type: ignore[attr-defined]
    return Response(document, mimetype="application/json")


@blueprint.get("/docs")
def docs() -> str:
    """Show the document."""
    return render_template("api_docs.html")
