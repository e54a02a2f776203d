import io
import tempfile

import pytest

from tests.web.pictures import as_file, drawn, padded
from tests.web.serving import MIB, post_form, send


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
