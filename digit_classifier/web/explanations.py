"""Explanations as JSON documents, whose pictures are ``data:`` URLs that the page shows."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from digit_classifier.activations import NetworkPictures
from digit_classifier.explanation import Explanation, PictureWithBoxes

#: The title of each step of preprocessing, and what the step is good for, in the steps' order;
#: alternatives come last.
STEPS = {
    "decode": ("Decoded, in gray", "as the file has it"),
    "shrink": ("Reduced", "fewer pixels are quicker to search"),
    "crop_frames": ("Frame cut off", "a border is not ink"),
    "remove_specks": ("Specks removed", "dust and grain"),
    "level_bands": ("Bands levelled", "paper of two shades"),
    "remove_background": ("Background removed", "shadows, and the paper's colour"),
    "remove_lines": ("Ruled lines removed", "the paper's, not the pen's"),
    "select_ink": ("Ink chosen", "what belongs to the digit"),
    "unstretch": ("Proportions put right", "it was squeezed or stretched"),
    "crop_to_ink": ("Cropped to the ink", "wherever it was written"),
    "even_strokes": ("Strokes evened", "a thin pen made wider"),
    "fit_box": ("Fitted to 20 pixels", "however large it was"),
    "center_of_mass": ("Centred by its mass", "as in the training digits"),
    "center": ("Middle of the picture", "since no ink stood out"),
    "stretch_levels": ("Contrast stretched", "all of a small scan may be ink"),
    "square_up": ("Sheet found and squared up", "what lies around it is no ink"),
    "level_light": ("Light levelled", "shadows, and the lamp"),
    "select_parts": ("Parts of the ink chosen", "without rules, rings and what the edge cuts"),
}

# in the document itself: uploads are not kept, so that no second request could get the picture
_Picture = Annotated[str, Meta(description="A PNG in a `data:` address.")]


class StepDocument(TypedDict):
    """What one step of preprocessing made of the image."""

    name: str
    title: str
    about: Annotated[str, Meta(description="What the step is good for.")]
    width: int
    height: int
    changed: Annotated[bool, Meta(description="Whether it did anything.")]
    picture: _Picture


class LayerDocument(TypedDict):
    """The output of a hidden layer; for softmax regression, its filters."""

    title: str
    width: int
    height: int
    picture: _Picture


class InsideDocument(TypedDict):
    """The network at work on the image."""

    input: Annotated[_Picture, Meta(description="What goes into the network, as a PNG.")]
    layers: list[LayerDocument]
    contributions: Annotated[
        list[_Picture],
        Meta(description="For each digit, the pixels that spoke for it and against it."),
    ]


class ExplanationDocument(TypedDict):
    """Why the image was read as it was."""

    framed: Annotated[_Picture, Meta(description="The framed digit, as a PNG.")]
    saliency: Annotated[
        tuple[tuple[float, ...], ...] | None,
        Meta(description="What each of its pixels added to the answer's log-odds, row by row."),
    ]
    overlay: Annotated[_Picture | None, Meta(description="The same in colours.")]
    steps: NotRequired[list[StepDocument]]
    inside: NotRequired[InsideDocument]


class BoxesDocument(TypedDict):
    """A picture with a box around each digit, and the size that the boxes refer to."""

    picture: Annotated[
        str, Meta(description="A PNG in a `data:` address, reduced where the image is large.")
    ]
    width: Annotated[int, Meta(description="Of the image as shown, in pixels.")]
    height: int


def explanation_document(
    explanation: Explanation, *, with_steps: bool, inside: NetworkPictures | None = None
) -> ExplanationDocument:
    """Write an explanation in JSON's types.

    Parameters
    ----------
    explanation : Explanation
    with_steps : bool
        With a picture of each step of preprocessing; these make most of the document's size.
    inside : NetworkPictures, optional
        The network at work.
    """
    overlay = explanation.overlay_png
    document: ExplanationDocument = {
        "framed": _address(explanation.framed_png),
        "saliency": explanation.saliency,
        "overlay": None if overlay is None else _address(overlay),
    }
    if with_steps:
        document["steps"] = [
            {
                "name": step.name,
                "title": STEPS[step.name][0],
                "about": STEPS[step.name][1],
                "width": step.width,
                "height": step.height,
                "changed": step.changed,
                "picture": _address(step.png),
            }
            for step in explanation.steps
        ]
    if inside is not None:
        document["inside"] = {
            "input": _address(inside.seen),
            "layers": [
                {
                    "title": name_layer(layer.kind, layer.n, layer.shape),
                    "width": layer.width,
                    "height": layer.height,
                    "picture": _address(layer.png),
                }
                for layer in inside.layers
            ],
            "contributions": [*map(_address, inside.contributions)],
        }
    return document


def boxes_document(picture: PictureWithBoxes) -> BoxesDocument:
    """Write a picture with boxes in JSON's types."""
    return {
        "picture": _address(picture.png),
        "width": picture.width,
        "height": picture.height,
    }


def name_layer(kind: str, n: int, shape: Sequence[int]) -> str:
    """Name a layer of a network by what it has.

    >>> name_layer("units", 1024, ()), name_layer("maps", 24, (14, 14))
    ('1,024 units', '24 maps of 14 × 14')
    """
    size = f" of {' × '.join(map(str, shape))}" if shape else ""
    return f"{n:,} {kind}{size}"


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"
