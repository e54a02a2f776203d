"""The upload form. It only asks that a file is there; its bytes are judged by the classifier."""

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired

from digit_classifier.inference import FORMATS


class UploadForm(FlaskForm):
    """One picture of one digit."""

    class Meta(FlaskForm.Meta):
        """Takes forms alone: FlaskForm would take JSON for one, whatever it holds."""

        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            """Return what was sent; nothing where that is JSON."""
            return None if request.is_json else super().wrap_formdata(form, formdata)

    myfile = FileField(
        "Choose a picture",
        validators=[FileRequired("Please choose a picture first.")],
        render_kw={"accept": ", ".join(f"image/{name.lower()}" for name in FORMATS)},
    )
