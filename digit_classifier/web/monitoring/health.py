"""What machines ask: is it alive, is it ready."""

from flask import Blueprint, current_app

from digit_classifier.environment.checks import check_blas, check_interpreter, check_read_only
from digit_classifier.errors import SelfTestError, UnsoundError
from digit_classifier.web.api.described import described
from digit_classifier.web.classifier import default_classifier

blueprint = Blueprint("health", __name__)


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
        current_app.logger.error("Not ready: %s", exc)  # noqa: TRY400, the message is complete
        raise
    default_classifier().self_test()
    return {"status": "ready"}
