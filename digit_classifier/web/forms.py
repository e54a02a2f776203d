"""The upload form. It only asks that a file is there; its bytes are judged by the classifier."""

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired

from digit_classifier.inference import FORMATS


class UploadForm(FlaskForm):
    """One picture of one digit."""

    myfile = FileField(
        "Choose a picture of a digit",
        validators=[FileRequired("Please choose a picture first.")],
        render_kw={"accept": ", ".join(f"image/{name.lower()}" for name in FORMATS)},
    )
