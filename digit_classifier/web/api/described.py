"""What the OpenAPI document says of a view besides what its code says already.

Path and methods are those of its route, the summary is its docstring, the answer's type is its
return annotation; :mod:`digit_classifier.web.api.openapi` puts them together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

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

#: What may be wrong with one image, and with the choice of the model.
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
    """What is said of a view.

    Attributes
    ----------
    query : type, optional
        A TypedDict of the parameters.
    takes : mapping
        The types of the body, by media type.
    gives : type, optional
        The type of the answer, where the view returns a response that it has made itself.
    raises : tuple of type
        Errors; one that has subclasses stands for those.
    gives_media, errors_media : str, optional
        Media types of the answer and of errors, where they are not JSON.
    redirects_to : str, optional
        Where the view leads, if it does nothing else.
    """

    query: Any = None
    takes: Mapping[str, Any] = field(default_factory=dict)
    gives: Any = None
    raises: tuple[type[DigitClassifierError], ...] = ()
    gives_media: str | None = None
    errors_media: str | None = None
    redirects_to: str | None = None


def described(**said: Any) -> Callable[[View], View]:
    """Say something of a view; the arguments are those of :class:`Description`."""

    def say(view: View) -> View:
        vars(view)["description"] = Description(**said)
        return view

    return say


def is_described(view: Callable[..., Any]) -> bool:
    """Return whether something was said of a view."""
    return "description" in vars(view)


def description_of(view: Callable[..., Any]) -> Description:
    """Return what was said of a view."""
    found = vars(view).get("description")
    return found if isinstance(found, Description) else Description()
