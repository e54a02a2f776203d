"""What the page says: names, captions and messages."""

from collections.abc import Sequence

#: A name for each shipped model, and a line on it.
MODELS = {
    "mlp": ("Perceptron", "Each neuron sees the whole digit: the default."),
    "cnn": ("Convolutional", "Looks for small shapes first, wherever they are."),
    "softmax": ("Templates", "A template for each digit: quick, often wrong."),
}

#: The pictures that the page offers to read, and what they are.
READY = {
    "digit.png": "a drawn digit",
    "photo.jpg": "a photo",
    "hard.jpg": "a hard one",
    "number.png": "a number",
    "letter.png": "a letter",
}

#: Messages that need no answer of the network.
MESSAGES = {
    "nothing": "Nothing drawn yet.",
    "offline": "You are offline. Draw all the same: it is read when there is a connection again.",
    "because": "Strokes that made it so",
    "not_read": "The picture was not read",
    "heic": "This browser cannot open an iPhone's HEIC photos. On the iPhone, choose Settings, "
    "Camera, Formats, Most Compatible, or share the photo as JPEG.",
    "unreachable": "The service cannot be reached",
    "unreachable_detail": "You may be offline. Nothing is lost: it is tried again as soon as there "
    "is a connection.",
    "failed": "That did not work",
    "failed_detail": "Something went wrong on the server's side. Please try again.",
    "summary": "{read} of {all} pictures read.",
    "summary_so_far": "{read} of {all} pictures done …",
}


def name_model(name: str) -> tuple[str, str]:
    """Return a name for people and a line on the model; its own name where it is not shipped."""
    return MODELS.get(name, (name, "A model that was trained here."))


def file_size(n_bytes: int) -> str:
    """Write a number of bytes in the largest unit that divides it.

    >>> file_size(1024 * 1024), file_size(500 * 1024), file_size(999)
    ('1 MiB', '500 KiB', '999 bytes')
    """
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if n_bytes % unit == 0:
            return f"{n_bytes // unit} {name}"
    return f"{n_bytes:,} bytes"


def enumerate_words(words: Sequence[str], conjunction: str) -> str:
    """Join words as a sentence does.

    >>> enumerate_words(("PNG", "GIF", "BMP"), "or")
    'PNG, GIF or BMP'
    """
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
