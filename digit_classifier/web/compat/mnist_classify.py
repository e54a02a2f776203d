"""``POST /mnist/classify``: three clients' contracts on one path, distinguished by the request."""

from flask import Blueprint, request

from digit_classifier.web.api.described import described
from digit_classifier.web.api.requests import FileForm, PixelsForm
from digit_classifier.web.compat import linear_softmax, mnist_rest, png_upload
from digit_classifier.web.compat.mnist_answer import MnistAnswer, MnistQuery
from digit_classifier.web.uploads import is_urlencoded_form

blueprint = Blueprint("mnist_classify", __name__)


@blueprint.post("/mnist/classify")
@described(
    query=MnistQuery,
    takes={
        "multipart/form-data": FileForm,
        "application/x-www-form-urlencoded": PixelsForm,
        "application/octet-stream": bytes,
    },
)
def classify() -> MnistAnswer:
    """Answer as the service for which such a request was written."""
    if request.mimetype == "multipart/form-data":
        with png_upload.refusing_with_404():  # reading the form may already fail
            has_pixels = linear_softmax.FIELD in request.form
        return linear_softmax.classify() if has_pixels else png_upload.classify()
    return linear_softmax.classify() if is_urlencoded_form() else mnist_rest.classify_body()
