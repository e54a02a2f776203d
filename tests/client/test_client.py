import io
import itertools
import subprocess
import sys
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_classifier import __version__
from digit_classifier.client import (
    UNREADABLE_FILE,
    Answer,
    Client,
    ModelId,
    NoAnswerError,
    ProblemError,
    Reading,
    Refusal,
    UnexpectedAnswerError,
    batches_of,
    named_content,
)
from tests.client.conftest import answering
from tests.ports import free_port
from tests.strokes import draw_digit
from tests.web.pictures import REFUSED, dots, drawn, drawn_number


@pytest.fixture
def seven(tmp_path):
    path = tmp_path / "seven.png"
    path.write_bytes(drawn(7))
    return path


def test_bytes_a_path_and_an_open_file_are_read_alike(client, seven):
    with seven.open("rb") as file:
        answers = [client.classify(image) for image in (drawn(7), seven, str(seven), file)]
    for answer in answers:
        assert answer.prediction == 7
        assert answer.confidence == max(answer.probabilities)
        assert answer.probabilities == answers[0].probabilities
        assert (answer.accepted, answer.warnings, answer.model.name) == (True, (), "mlp")
        assert answer.elapsed_ms > 0
    assert len({answer.request_id for answer in answers}) == 4


def test_all_digits_of_an_image_are_read(client, tmp_path):
    number = tmp_path / "number.png"
    number.write_bytes(drawn_number("407\n21"))
    for reading in (client.read(number), client.read(number.read_bytes(), model="cnn")):
        assert isinstance(reading, Reading)
        assert (reading.text, reading.accepted) == ("407\n21", True)
        first, second = reading.rows
        assert [digit.digit for digit in first.digits] == [4, 0, 7]
        assert "".join(second.groups) == second.text == "21"
        assert all(digit.confidence > digit.runner_up_confidence for digit in first.digits)
        left, top, width, height = second.digits[1].box
        assert (left // 60, top // 60) == (1, 1)
        assert 0 < width < 60 > height
        assert reading.elapsed_ms > 0
        assert reading.request_id
    assert reading.model.name == "cnn"


def test_picture_of_too_many_marks_is_a_problem(client):
    with pytest.raises(ProblemError) as refused:
        client.read(dots())
    assert (refused.value.status, refused.value.code) == (422, "too_complex")


def test_model_is_chosen(client):
    assert client.classify(drawn(7), model="cnn").model.name == "cnn"
    (answer,) = client.classify_many([drawn(7)], model="softmax")
    assert answer.model.name == "softmax"


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "empty"])
def test_refusal_is_raised_with_status_and_code(client, name):
    content, status, code = REFUSED[name]
    with pytest.raises(ProblemError) as refused:
        client.classify(content)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.detail in str(refused.value)


def test_unknown_model_is_a_problem(client):
    with pytest.raises(ProblemError, match=r"there are: cnn, mlp, softmax\. \(HTTP 404, model_"):
        client.classify(drawn(7), model="forest")


def test_many_are_answered_in_their_order_with_their_names(client, seven):
    images = [drawn(3), seven, b"no picture", io.BytesIO(drawn(1)), b""]
    three, named, refused, one, empty = client.classify_many(images, batch_size=2)
    assert [(answer.prediction, answer.name) for answer in (three, named, one)] == [
        (3, None),
        (7, "seven.png"),
        (1, None),
    ]
    assert refused == Refusal(
        status=415, code="unsupported_image", detail=refused.detail, name=None
    )
    assert empty.code == "empty_file"


def test_many_are_fetched_a_batch_at_a_time(client):
    fetched = []

    def endless():
        for number in itertools.count():
            fetched.append(number)
            yield drawn(number % 10)

    answers = client.classify_many(endless(), batch_size=5)
    assert fetched == []
    assert [next(answers).prediction for _ in range(7)] == [0, 1, 2, 3, 4, 5, 6]
    assert len(fetched) <= 11  # two batches, and the image that showed that the second was full


def test_a_batch_is_bounded_by_its_bytes_too(monkeypatch):
    monkeypatch.setattr("digit_classifier.client.MAX_BYTES", 9)
    images = [(None, bytes(size)) for size in (4, 4, 4, 20, 1)]
    sizes = [[len(content) for _, content in batch] for batch in batches_of(images, 3)]
    assert sizes == [[4, 4], [4], [20], [1]]


def test_a_batch_of_none_is_refused(client):
    with pytest.raises(ValueError, match="one image at least"):
        next(client.classify_many([drawn(7)], batch_size=0))


def test_a_batch_that_the_service_refuses_raises(client):
    with pytest.raises(ProblemError, match="at most 256"):
        next(client.classify_many([b"x"] * 257, batch_size=300))


def test_models_are_listed_with_the_default_first(client):
    first, *others = client.models()
    assert (first.name, first.classifier, first.default) == ("mlp", "mlp", True)
    assert first.second_opinion == "cnn"
    assert [model.name for model in others if model.reads_numbers] == ["cnn"]
    assert {model.name for model in others if not model.default} == {"cnn", "softmax"}
    assert first.version == client.classify(drawn(7)).model.version
    assert first.n_parameters > 100_000
    assert first.figures


def test_status_and_readiness_are_returned(client):
    assert client.status()["status"] == "ok"
    assert client.ready() is True


def test_service_that_is_not_well_is_not_ready_and_is_asked_once():
    with answering((503, {}, b"")) as (address, requests):
        assert Client(address).ready() is False
        assert [path for _, path, _ in requests] == ["/readyz"]


def test_service_that_is_not_there_raises():
    client = Client("http://127.0.0.1:9", retries=0)  # the port of "discard": nobody listens
    for call in (client.ready, client.models, lambda: client.classify(b"x")):
        with pytest.raises(NoAnswerError, match="no connection"):
            call()


def test_client_is_shared_by_threads(client):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(client.classify, [drawn(digit % 10) for digit in range(40)]))
    assert [answer.prediction for answer in answers] == [digit % 10 for digit in range(40)]


def test_answers_are_values():
    fields = {
        "prediction": 7,
        "confidence": 0.9,
        "probabilities": (0.1,) * 10,
        "accepted": True,
        "warnings": (),
        "model": ModelId("mlp", "x"),
        "elapsed_ms": 1.0,
    }
    assert Answer(**fields) == Answer(**fields)
    assert len({Answer(**fields), Answer(**fields | {"prediction": 1})}) == 2


def test_api_key_is_sent_with_every_request():
    with answering((200, {}, b"[]")) as (address, requests):
        Client(f"{address}/", api_key="secret").models()
    ((method, path, headers),) = requests
    assert (method, path) == ("GET", "/api/v1/models")
    assert headers["Authorization"] == "Bearer secret"


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
    **{
        f"Pillow {mode}": PICTURE.convert("RGBA" if mode == "RGBa" else "RGB").convert(mode)
        for mode in (
            "1",
            "L",
            "LA",
            "P",
            "RGB",
            "RGBA",
            "CMYK",
            "HSV",
            "YCbCr",
            "RGBX",
            "RGBa",
            "F",
        )
    },
    "Pillow I": PICTURE.convert("I"),
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
