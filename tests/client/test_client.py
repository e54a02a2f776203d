import io
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from digit_classifier.client import (
    Answer,
    Client,
    ModelId,
    NoAnswerError,
    ProblemError,
    Reading,
    Refusal,
)
from digit_classifier.client.images import batches_of
from tests.client.conftest import answering
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
    monkeypatch.setattr("digit_classifier.client.images.MAX_BYTES", 9)
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
