"""The requests and answers of the API, as types for mypy and for the OpenAPI document."""

from typing import Annotated, Any, NotRequired, TypedDict, cast

from msgspec import Meta

from digit_classifier.prediction import Prediction, PredictionJson, Reading, ReadingJson
from digit_classifier.web.errors import ProblemDocument
from digit_classifier.web.explanations import BoxesDocument, ExplanationDocument
from digit_classifier.web.lifecycle import Purpose
from digit_classifier.web.uploads import ImageText
from digit_classifier.web.words import NumberWords, PredictionWords

# TypedDicts, not classes: a view returns a plain dict, at no cost.

#: Bytes in a form, which JSON Schema has no type for.
File = Annotated[str, Meta(extra_json_schema={"format": "binary"})]
_NAME = Meta(description="The file's, or null where it has none.")
_ElapsedMs = Annotated[float, Meta(ge=0, description="From the bytes to the answer.")]
_RequestId = Annotated[str, Meta(description="By which the log knows the request.")]


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


class Answer(PredictionJson):
    """The answer about one image."""

    elapsed_ms: _ElapsedMs


class ImageAnswer(Answer):
    """The answer about one image, and what was asked for besides."""

    request_id: _RequestId
    words: NotRequired[Annotated[PredictionWords, Meta(description="With `?words=1`.")]]
    explanation: NotRequired[
        Annotated[ExplanationDocument, Meta(description="With `?explain=1` or `?explain=steps`.")]
    ]


class ReadAnswer(ReadingJson):
    """The answer about all digits of one image."""

    elapsed_ms: _ElapsedMs
    request_id: _RequestId
    words: NotRequired[Annotated[NumberWords, Meta(description="With `?words=1`.")]]
    explanation: NotRequired[Annotated[BoxesDocument, Meta(description="With `?explain=1`.")]]


class BatchAnswer(Answer):
    """The answer about one image of a batch."""

    name: Annotated[str | None, _NAME]


class BatchProblem(ProblemDocument):
    """Why one image of a batch was not read."""

    name: Annotated[str | None, _NAME]


class ModelAnswer(TypedDict):
    """A model that is loaded."""

    name: str
    version: Annotated[str, Meta(description="The first twelve digits of its content's SHA-256.")]
    classifier: Annotated[str, Meta(description="The kind, such as `mlp`.")]
    default: Annotated[
        bool, Meta(description="Whether it reads single digits where none is named.")
    ]
    reads_numbers: Annotated[
        bool, Meta(description="Whether it reads numbers where none is named.")
    ]
    second_opinion: Annotated[
        str | None, Meta(description="The model that it asks where it is unsure of a digit.")
    ]
    n_parameters: Annotated[int, Meta(ge=0, description="How many numbers were learned.")]
    figures: Annotated[
        dict[str, Any],
        Meta(description="Measured when it was trained, without a second opinion."),
    ]


# the time is added here: the prediction's own JSON is the same each time, as bulk runs need
def answer_of(prediction: Prediction) -> Answer:
    """Describe a prediction to a program."""
    return {**prediction.as_json(), "elapsed_ms": prediction.elapsed_ms}


def answer_of_reading(reading: Reading, request_id: str) -> ReadAnswer:
    """Describe a reading to a program."""
    own = {"elapsed_ms": reading.elapsed_ms, "request_id": request_id}
    return cast(ReadAnswer, {**reading.as_json(), **own})
