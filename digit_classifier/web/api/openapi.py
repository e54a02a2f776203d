"""The OpenAPI document, made from the routes, the views' types and docstrings, and the errors."""

import inspect
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from apispec import APISpec
from flask import Flask, Response, current_app
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import ClientDisconnected, TooManyRequests
from werkzeug.routing import Rule

from digit_classifier import __version__
from digit_classifier.errors import DigitClassifierError
from digit_classifier.web.access.api_keys import (
    HEADER,
    OPEN_ENDPOINTS,
    ApiKeyMissing,
    ApiKeyWrong,
    PageExpired,
)
from digit_classifier.web.apache_config import STATUSES as APACHE_STATUSES
from digit_classifier.web.apache_config import error_of
from digit_classifier.web.api.docs import Description, description_of
from digit_classifier.web.api.inference_v2 import V2Error
from digit_classifier.web.classifier import default_classifier
from digit_classifier.web.errors import MEDIA_TYPE, STATUSES, ProblemDocument, to_problem

_OLDER = "Older clients"
#: The documented blueprints, and what they are called.
TAGS = {
    "api_v1": "Version 1",
    "inference_v2": "Open Inference Protocol v2",
    "curl_api": _OLDER,
    "mnist_classify": _OLDER,
    "linear_softmax": _OLDER,
    "softmax_cnn": _OLDER,
    "mnist_rest": _OLDER,
    "health": "Health",
}
_DESCRIPTION = """\
Send a picture to `POST /api/v1/classify` for one digit, or to `POST /api/v1/read` for all digits
of a number, a date or a table: as a file of a form, as the body, or as a data URL. `POST
/api/v1/classify/batch` takes up to 256 pictures. PNG, JPEG, GIF, BMP, TIFF, WebP and AVIF are
read, dark on light or light on dark.

An answer has the digit, its calibrated `confidence`, and `accepted`, which is false for what is
probably no digit; `warnings` say what makes it less sure. Errors are problem documents (RFC
9457), with a stable `code` for programs and a `detail` for people. The paths below `/v2` are the
Open Inference Protocol's, for those who have framed digits as numbers; those of older clients are
kept as they were.
"""
#: Answers of the service to the requests of tests/web/openapi_examples.py, which writes them.
EXAMPLES = Path(__file__).with_name("openapi_examples.json")

#: OpenAPI 3.1 would rather have contentMediaType, but Swagger UI shows a choice of files for this.
_BINARY = {"type": "string", "format": "binary"}
#: The index of MNIST's test set in examples.
_TEST_DIGIT = "42"
_REFERENCE = "#/components/schemas/{name}"


@cache
def openapi_json(app: Flask) -> str:
    """Describe the current application's API, which does not change while it runs."""
    spec = APISpec(
        title="digit-classifier",
        version=__version__,
        openapi_version="3.1.0",
        info={
            "summary": "Reads handwritten digits and numbers from any image.",
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        tags=[{"name": tag} for tag in dict.fromkeys(TAGS.values())],
        servers=[{"url": "/", "description": "This service."}],
    )
    if app.config["API_KEYS_WANTED"]:
        spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
        header = {"type": "apiKey", "in": "header", "name": HEADER}
        spec.components.security_scheme("header", header)
    schemas, n_paths = _Schemas(), Counter[str]()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        tag = TAGS.get(rule.endpoint.partition(".")[0])
        # older clients' blueprints also have pages, which are not for programs
        if tag is None or (tag == _OLDER and description_of(view) is None):
            continue
        operation = _operation(rule, view, schemas)
        # names must differ, and a view may have several paths with the same parameters
        name = operation["operationId"]
        n_paths[name] += 1
        if n_paths[name] > 1:
            operation["operationId"] = f"{name}.{n_paths[name]}"
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        operations = {method.lower(): operation for method in sorted(methods)}
        # Flask's <int:name> is {name} in OpenAPI
        spec.path(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), operations=operations)
    codes = schemas.components["ProblemDocument"]["properties"]["code"]
    codes["enum"] = sorted(statuses())
    for name, schema in schemas.components.items():
        spec.components.schema(name, schema)
    return json.dumps(spec.to_dict(), ensure_ascii=False)


class _Schemas:
    """JSON schemas of types; those that have a name are kept as components."""

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}

    def of(self, kind: Any) -> dict[str, Any]:
        if get_origin(kind) is list and isinstance(get_args(kind)[0], UnionType):
            # msgspec has no schemas for a union of two kinds of objects
            kinds = [self.of(one) for one in get_args(get_args(kind)[0])]
            return {"type": "array", "items": {"anyOf": kinds}}
        schema, components = self._made(kind)
        for component in components.values():
            if "description" in component:  # without the sections of a docstring
                component["description"] = component["description"].partition("\n\n")[0]
        self.components |= components
        return schema

    def inline(self, kind: Any) -> dict[str, Any]:
        """Return the schema of a type with a name, without keeping it as a component."""
        return self._made(kind)[1][kind.__name__]

    @staticmethod
    def _made(kind: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        def of_anything(other: type) -> dict[str, Any]:
            if other is object:
                return {"description": "Anything."}
            raise NotImplementedError(f"There is no schema of {other}.")

        (schema,), components = msgspec.json.schema_components(
            [kind], schema_hook=of_anything, ref_template=_REFERENCE
        )
        return schema, components


def _operation(rule: Rule, view: Callable[..., Any], schemas: _Schemas) -> dict[str, Any]:
    said = description_of(view) or Description()
    blueprint = rule.endpoint.partition(".")[0]
    parameters: list[dict[str, Any]] = []
    for name in sorted(rule.arguments):  # a digit's index, or a model's name or version
        example = _TEST_DIGIT if name == "index" else getattr(default_classifier().model, name)
        place = {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        parameters.append(place | {"example": example})
    if said.query is not None:
        for name, schema in schemas.inline(said.query)["properties"].items():
            about = schema.pop("description")
            parameters.append({"name": name, "in": "query", "description": about, "schema": schema})
    operation = {
        "operationId": ".".join((rule.endpoint, *sorted(rule.arguments))),
        "tags": [TAGS[blueprint]],
        "summary": inspect.cleandoc(view.__doc__ or "").partition("\n")[0],
        "parameters": parameters,
        "responses": _answers(rule.endpoint, said, view, schemas)
        | _errors(blueprint, said, schemas),
    }
    if said.takes:
        content = {
            media: {"schema": _BINARY if kind is bytes else schemas.of(kind)}
            for media, kind in said.takes.items()
        }
        operation["requestBody"] = {"required": True, "content": content}
    # a monitor has no key, whatever it asks
    is_open = blueprint == "health" or rule.endpoint in OPEN_ENDPOINTS
    if current_app.config["API_KEYS_WANTED"] and not is_open:
        operation["security"] = [{"bearer": []}, {"header": []}]
    return operation


def _answers(
    endpoint: str, said: Description, view: Callable[..., Any], schemas: _Schemas
) -> dict[str, Any]:
    if said.redirects_to:
        return {"302": {"description": f"To {said.redirects_to}."}}
    answer: dict[str, Any] = {"description": "The answer."}
    # a view's annotation is the type of its answer, unless it returns a response of its own
    kind = said.gives or get_type_hints(view, include_extras=True)["return"]
    if said.gives_media:
        answer["content"] = {said.gives_media: {"schema": _BINARY}}
    elif kind is not Response:
        media = {"schema": schemas.of(kind)}
        if endpoint in _examples():
            media["example"] = _examples()[endpoint]
        answer["content"] = {"application/json": media}
    return {"200": answer}


def _errors(blueprint: str, said: Description, schemas: _Schemas) -> dict[str, dict[str, Any]]:
    if blueprint == "inference_v2":
        content = {"application/json": {"schema": schemas.of(V2Error)}}
        about = "An error, as the protocol writes it."
        return {"default": {"description": about, "content": content}}
    by_status = defaultdict(list)
    # only the leaves are raised: a base stands for all errors below it
    for error in (leaf for base in said.raises for leaf in leaves(base)):
        by_status[str(int(to_problem(error("")).status))].append(error)
    problems = {status: _problem(errors, schemas) for status, errors in sorted(by_status.items())}
    # any request may also be refused before the view, or by Apache
    problems["default"] = _problem([], schemas)
    if said.errors_media:
        for problem in problems.values():
            problem["content"][said.errors_media] = {"schema": {"type": "string"}}
    return problems


@cache
def _examples() -> dict[str, Any]:
    return json.loads(EXAMPLES.read_text("utf-8"))


def _problem(errors: list[type[DigitClassifierError]], schemas: _Schemas) -> dict[str, Any]:
    schema = schemas.of(ProblemDocument)
    if errors:
        schema["properties"] = {"code": {"enum": [error.code for error in errors]}}
    descriptions = [f"`{error.code}`: {inspect.cleandoc(error.__doc__ or '')}" for error in errors]
    lines = [line.partition("\n")[0] for line in descriptions] or ["Any other problem."]
    return {"description": "\n\n".join(lines), "content": {MEDIA_TYPE: {"schema": schema}}}


def leaves(error: type[DigitClassifierError]) -> list[type[DigitClassifierError]]:
    """Return the errors below this one that have no subclasses, or the error itself."""
    below = error.__subclasses__()
    return [leaf for sub in below for leaf in leaves(sub)] if below else [error]


def statuses() -> dict[str, set[int]]:
    """Map every stable code of a problem to the statuses that it comes with."""
    own = [error("") for error in leaves(DigitClassifierError) if issubclass(error, (*STATUSES,))]
    keys = (ApiKeyMissing(), ApiKeyWrong(), PageExpired())
    others = (CSRFError(), TooManyRequests(), ClientDisconnected(), MemoryError())
    apache = [error_of(status) for status in APACHE_STATUSES]
    found: defaultdict[str, set[int]] = defaultdict(set)
    for problem in map(to_problem, (*own, *keys, *others, *apache)):
        found[problem.code].add(int(problem.status))
    return found
