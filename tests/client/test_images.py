"""Pictures in the forms that programs have them, and the errors of other objects."""

import io
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_classifier import __version__
from digit_classifier.client import (
    UNREADABLE_FILE,
    Answer,
    Client,
    NoAnswerError,
    ProblemError,
    Refusal,
    UnexpectedAnswerError,
)
from digit_classifier.client.images import named_content
from tests.client.conftest import answering
from tests.ports import free_port
from tests.strokes import draw_digit
from tests.web.pictures import drawn

CLIENT = Path(__file__).parents[2] / "digit_classifier" / "client"
PICTURE = draw_digit(7, size=(96, 96))
FORMS = {
    "bytes": drawn(7),
    "bytearray": bytearray(drawn(7)),
    "memoryview": memoryview(drawn(7)),
    "BytesIO": io.BytesIO(drawn(7)),
    "gray array": np.asarray(PICTURE),
    "colour array": np.asarray(PICTURE.convert("RGB")),
    "RGBA array": np.asarray(PICTURE.convert("RGBA")),
    "view of an array": np.asarray(PICTURE.resize((192, 192)))[::2, ::2],
    **{f"Pillow {mode}": PICTURE.convert(mode) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK")},
    "Pillow from a file": Image.open(io.BytesIO(drawn(7, "JPEG"))),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_picture_is_read(client, form):
    assert client.classify(FORMS[form]).prediction == 7


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (None, "not NoneType"),
        (7, "not int"),
        (io.StringIO("text"), "open for text"),
        (np.zeros((8, 8)), "type uint8"),
        (np.zeros((8, 8), bool), "type uint8"),
        (np.zeros((2, 8, 8), np.uint8), "height, width"),
    ],
)
def test_what_is_no_picture_is_named(image, words):
    with pytest.raises(TypeError, match=words):
        named_content(image)


def test_file_that_cannot_be_read_spoils_no_other(client, tmp_path):
    (tmp_path / "7.png").write_bytes(drawn(7))
    images = ["gone.png", tmp_path / "7.png", tmp_path, PICTURE, tmp_path / "gone.png"]
    first, seven, folder, other, last = client.classify_many(images, batch_size=2)
    assert (seven.prediction, other.prediction) == (7, 7)
    for refusal, name in ((first, "gone.png"), (folder, str(tmp_path)), (last, images[-1])):
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code, refusal.name) == (None, UNREADABLE_FILE, str(name))
        assert "cannot be read" in refusal.detail


def test_batch_of_unreadable_files_asks_nothing():
    with answering((500, {}, b"")) as (url, requests):
        results = [*Client(url).classify_many(["gone", "gone too"])]
    assert [result.code for result in results if isinstance(result, Refusal)] == [
        UNREADABLE_FILE
    ] * 2
    assert requests == []


def test_file_that_is_too_large_for_any_request_spoils_no_other(client):
    huge = bytes(33 * 1024 * 1024)
    small, large, last = client.classify_many([drawn(7), huge, drawn(3)])
    assert isinstance(large, Refusal)
    assert (large.status, large.code) == (413, "file_too_large")
    assert [answer.prediction for answer in (small, last) if isinstance(answer, Answer)] == [7, 3]


def test_explanation_comes_with_the_answer(client):
    explained = client.explain(drawn(7), model="cnn")
    assert (explained.prediction, explained.model.name) == (7, "cnn")
    explanation = explained.explanation
    assert explanation.framed.startswith("data:image/png;base64,")
    assert explanation.saliency is not None
    assert (len(explanation.saliency), len(explanation.saliency[0])) == (28, 28)
    assert explanation.steps == ()
    steps = client.explain(drawn(7), steps=True).explanation.steps
    assert len(steps) > 2
    assert all(step.picture.startswith("data:image/png;base64,") for step in steps)


def test_errors_name_the_address(client, service):
    with pytest.raises(ProblemError, match=f"{service}/api/v1/classify") as refused:
        client.classify(b"no picture")
    assert refused.value.url == f"{service}/api/v1/classify"
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NoAnswerError, match=f"{url}/api/v1/read: no connection"):
        Client(url, retries=0).read(drawn(7))
    with (
        answering((200, {}, b"<html>")) as (url, _),
        pytest.raises(UnexpectedAnswerError, match=url),
    ):
        Client(url).classify(drawn(7))


def test_client_is_a_package_of_its_own(tmp_path):
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    copied = tmp_path / "client"
    copied.mkdir()
    for file in (*CLIENT.glob("*.py"), CLIENT / "pyproject.toml"):
        (copied / file.name).write_bytes(file.read_bytes())
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--wheel-dir", tmp_path, copied),
        ],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['flask', 'numpy', 'cv2', 'PIL', 'click']));"
        "import digit_classifier.client as c; print(c.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "installed", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(tmp_path) in done.stdout
