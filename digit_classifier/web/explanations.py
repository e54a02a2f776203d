"""Explanations as documents, whose pictures are ``data:`` addresses that the page shows."""

from base64 import b64encode
from typing import Any

from digit_classifier.explanation import Explanation, Step
from digit_classifier.web.wording import STEPS


def explanation_document(explanation: Explanation, *, with_steps: bool) -> dict[str, Any]:
    """Write an explanation in JSON's types.

    Parameters
    ----------
    explanation : Explanation
    with_steps : bool
        With a picture of each step of preprocessing, which are most of its size.
    """
    overlay = explanation.overlay_png
    document = {
        "framed": _address(explanation.framed_png),
        "saliency": explanation.saliency,
        "overlay": None if overlay is None else _address(overlay),
    }
    return document | ({"steps": [*map(_step, explanation.steps)]} if with_steps else {})


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "title": STEPS[step.name],
        "width": step.width,
        "height": step.height,
        "changed": step.changed,
        "picture": _address(step.png),
    }


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"
