"""A classifier for the files of one's own disk."""

from dataclasses import replace
from typing import TYPE_CHECKING

from digit_classifier.settings import Settings

if TYPE_CHECKING:
    from digit_classifier.inference import DigitClassifier

#: At least this much is read, whatever the settings say: their limit is for uploads, and a file of
#: one's own may be a photo straight from the camera.
MAX_FILE_BYTES = 64 * 1024 * 1024


def local_classifier(settings: Settings) -> "DigitClassifier":
    """Load the model of the settings, with a limit on bytes that fits local files."""
    from digit_classifier.inference import DigitClassifier

    max_bytes = max(settings.max_upload_bytes, MAX_FILE_BYTES)
    return DigitClassifier.from_settings(replace(settings, max_upload_bytes=max_bytes))
