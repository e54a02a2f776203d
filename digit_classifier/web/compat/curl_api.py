"""The Apache/WTForms digit service: ``curl -F 'myfile=@picture.png' http://…/curl-api``.

Its form, with the same field, is the page itself.
"""

from flask import Blueprint

from digit_classifier.web.api.described import IMAGE_ERRORS, described
from digit_classifier.web.api.schemas import Answer, ModelQuery, MyFileForm, answer_of
from digit_classifier.web.classifier import current_classifier
from digit_classifier.web.uploads import uploaded_file

blueprint = Blueprint("curl_api", __name__)


@blueprint.post("/curl-api")
@described(query=ModelQuery, takes={"multipart/form-data": MyFileForm}, raises=IMAGE_ERRORS)
def classify() -> Answer:
    """Read the digit of the multipart file ``myfile``."""
    return answer_of(current_classifier().predict(uploaded_file("myfile")))
