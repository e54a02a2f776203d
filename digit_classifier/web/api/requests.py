"""Request schemas of the API, as types for the OpenAPI document."""

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from digit_classifier.web.api.purposes import Purpose
from digit_classifier.web.uploads.image_texts import ImageText

File = Annotated[str, Meta(extra_json_schema={"format": "binary"})]


class ModelQuery(TypedDict, total=False):
    """Which model is to answer."""

    model: Annotated[str, Meta(description="Its name; by default the service's own choice.")]


class AnswerQuery(ModelQuery, total=False):
    """What is wanted besides the answer, whatever is read."""

    words: Annotated[str, Meta(description="`1`: the answer in words.")]
    purpose: Annotated[
        Purpose,
        Meta(
            description="What the reading is for, where it does not count as an answer: `live`, a "
            "drawing that is not finished; `again`, a picture that has its answer already."
        ),
    ]


class ClassifyQuery(AnswerQuery, total=False):
    """What is wanted besides the digit."""

    explain: Annotated[
        str,
        Meta(
            description="`1`: why it is the answer; `steps`: and each step of preprocessing; "
            "`inside`: and the network's layers. Several are separated by commas."
        ),
    ]


class ReadQuery(AnswerQuery, total=False):
    """What is wanted besides the digits."""

    explain: Annotated[str, Meta(description="`1`: the picture with a box around each digit.")]


class ImageForm(TypedDict):
    """An image as a file, or as text: a data URL, or base64."""

    image: File


class ImageTextForm(TypedDict):
    """An image as text."""

    image: ImageText


class MyFileForm(TypedDict):
    """An image as a file."""

    myfile: File


class FileForm(TypedDict):
    """An image as a file."""

    file: File


class PixelsForm(TypedDict):
    """Gray levels as text."""

    img: Annotated[
        str, Meta(description="784 levels from 0 to 255, row after row, separated by commas.")
    ]


class ImagesForm(TypedDict):
    """Images as files."""

    images: list[File]


class NamedImage(TypedDict):
    """An image as text, with a name."""

    name: NotRequired[str | None]
    data: ImageText


class ImagesJson(TypedDict):
    """Images as texts."""

    images: list[ImageText | NamedImage]
