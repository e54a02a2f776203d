"""What machines and operators ask: is it alive, is it ready, what is it."""

import platform
from importlib.metadata import version

from flask import Blueprint, current_app

from digit_classifier import __version__
from digit_classifier.errors import ModelNotFoundError, SelfTestError, UnsoundError
from digit_classifier.soundness import check_blas, check_interpreter, check_read_only
from digit_classifier.web.classifier import all_classifiers, current_classifier, default_classifier
from digit_classifier.web.described import described
from digit_classifier.web.questions import ModelQuery

blueprint = Blueprint("health", __name__)

_LIBRARIES = ("flask", "numpy", "pillow")


@blueprint.get("/livez")
def livez() -> dict[str, str]:
    """Answer, which is the proof."""
    return {"status": "alive"}


@blueprint.get("/readyz")
@described(raises=(UnsoundError, SelfTestError))
def readyz() -> dict[str, str]:
    """Check the process, and read the self-test's digit; what fails becomes a 503."""
    try:
        check_interpreter()
        check_blas()
        if current_app.config["READ_ONLY_MODEL"]:
            check_read_only(current_app.config["READ_ONLY_MODEL"])
    except UnsoundError as exc:
        current_app.logger.error("Not ready: %s", exc)  # noqa: TRY400, it tells all there is
        raise
    default_classifier().self_test()
    return {"status": "ready"}


@blueprint.get("/status")
@described(query=ModelQuery, raises=(ModelNotFoundError,))
def status() -> dict[str, object]:
    """Tell the model, its layers and figures, the other models, and the versions."""
    model = current_classifier().model
    return {
        "status": "ok",
        "model": {
            "name": model.name,
            "version": model.version,
            "classifier": model.metadata.classifier,
            "layers": model.classifier.architecture,
            "figures": model.metadata.figures,
        },
        "models": {name: other.model.version for name, other in all_classifiers().items()},
        "versions": {
            "digit_classifier": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _LIBRARIES},
        },
    }
