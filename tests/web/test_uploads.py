import io
import tempfile

import pytest

from digit_classifier.web import create_app
from tests.web.pictures import as_file, drawn, padded, photo
from tests.web.serving import MIB, post_form, send, status_words


@pytest.fixture
def app(shared_app):
    """An application that no test of this module changes."""
    return shared_app


@pytest.fixture
def roomy_client(monkeypatch, tmp_path):
    """A client of a service that its environment lets read photos."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIGIT_CLASSIFIER_CONFIG", raising=False)
    monkeypatch.setenv("DIGIT_CLASSIFIER_SECRET_KEY", "k" * 32)
    monkeypatch.setenv("DIGIT_CLASSIFIER_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("DIGIT_CLASSIFIER_MAX_UPLOAD_BYTES", str(16 * MIB))
    return create_app().test_client()


@pytest.fixture
def no_temporary_files(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not-there"))
    with pytest.raises(FileNotFoundError), tempfile.TemporaryFile():
        pass


@pytest.mark.usefixtures("no_temporary_files")
def test_large_upload_stays_in_memory(client):
    response = send(client, "/curl-api", myfile=as_file(padded(drawn(3), MIB - 1)))
    assert response.json["prediction"] == 3


@pytest.mark.usefixtures("no_temporary_files")
def test_large_upload_by_the_page_stays_in_memory(client):
    assert post_form(client, myfile=as_file(padded(drawn(3), MIB - 1))).status_code == 200


def test_file_of_exactly_the_limit_is_read(client):
    response = send(client, "/curl-api", myfile=as_file(padded(drawn(5), MIB)))
    assert response.status_code == 200
    assert response.json["prediction"] == 5


def test_file_of_exactly_the_limit_is_read_by_the_page(client):
    assert post_form(client, myfile=as_file(padded(drawn(5), MIB))).status_code == 200


def test_body_far_over_the_limit_is_refused_before_it_is_read(client):
    body = io.BytesIO(b"x" * 100)
    response = client.post(
        "/curl-api",
        input_stream=body,
        content_type="multipart/form-data; boundary=b",
        environ_overrides={"CONTENT_LENGTH": str(100 * MIB)},
    )
    assert response.status_code == 413
    assert body.tell() == 0


def test_photo_is_read_where_the_settings_allow_it(roomy_client):
    response = send(roomy_client, "/curl-api", myfile=as_file(photo(), "photo.jpg"))
    assert response.status_code == 200
    assert response.json["prediction"] == 6


def test_photo_is_read_by_the_page_where_the_settings_allow_it(roomy_client):
    assert "16 MiB or less" in roomy_client.get("/").text
    response = post_form(roomy_client, myfile=as_file(photo(), "photo.jpg"))
    assert response.status_code == 200
    assert status_words(response.text)[0] == "6"


@pytest.mark.usefixtures("no_temporary_files")
def test_photo_stays_in_memory(roomy_client):
    assert send(roomy_client, "/curl-api", myfile=as_file(photo())).status_code == 200


def test_photo_is_refused_by_default(client):
    assert send(client, "/curl-api", myfile=as_file(photo())).status_code == 413
    assert post_form(client, myfile=as_file(photo())).status_code == 413
