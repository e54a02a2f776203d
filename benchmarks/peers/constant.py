"""The least that a route of Flask can do under mod_wsgi: take the body, and answer a constant.

It stands in place of the service's own ``digit_classifier.wsgi``.
"""

from flask import Flask, request

application = Flask(__name__)
ANSWER = {"prediction": 7, "confidence": 1.0, "probabilities": [0.0] * 7 + [1.0] + [0.0] * 2}


@application.get("/livez")
def live() -> str:
    """Answer that it serves."""
    return "ok"


@application.post("/classify")
def classify() -> dict[str, object]:
    """Take the body and answer."""
    request.files["image"].read() if request.files else request.get_data()
    return ANSWER
