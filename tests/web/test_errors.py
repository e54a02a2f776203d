import logging

import pytest

from digit_classifier.errors import ImageError, InputError, ModelCorruptError
from digit_classifier.web.errors import MEDIA_TYPE, STATUSES, to_problem
from tests.web.pictures import as_file, drawn
from tests.web.serving import alter_model, send

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def problem(response, status, code):
    """Check a problem document and return its detail."""
    assert response.status_code == status
    assert response.mimetype == MEDIA_TYPE
    document = response.get_json(force=True)
    assert (document["type"], document["status"]) == ("about:blank", status)
    assert document["title"]
    assert document["code"] == code
    return document["detail"]


def subclasses(cls):
    return {cls}.union(*(subclasses(sub) for sub in cls.__subclasses__()))


def test_every_error_of_the_caller_has_a_status_of_the_4xx():
    for error in subclasses(InputError):
        assert 400 <= to_problem(error("A sentence.")).status < 500, error


def test_every_leaf_of_the_input_errors_has_its_own_status():
    assert subclasses(InputError) - {ImageError} <= STATUSES.keys()


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", MEDIA_TYPE])
def test_unknown_path_is_a_problem_for_programs(client, accept):
    headers = {"Accept": accept} if accept else {}
    problem(client.get("/no/such/path", headers=headers), 404, "not_found")


def test_unknown_path_is_a_page_for_browsers(client):
    response = client.get("/<script>alert(1)</script>", headers=BROWSER)
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "<h1>Not Found</h1>" in response.text
    assert "alert(1)" not in response.text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/curl-api"), ("PUT", "/"), ("POST", "/livez")]
)
def test_wrong_method_is_a_problem_that_names_the_right_ones(client, method, path):
    response = client.open(path, method=method, headers=BROWSER)
    problem(response, 405, "method_not_allowed")
    assert method not in response.allow
    assert response.allow


def test_truncated_multipart_body_is_a_problem(client):
    body = b'--b\r\nContent-Disposition: form-data; name="myfile"; filename="a"\r\n\r\n'
    response = client.post("/curl-api", data=body, content_type="multipart/form-data; boundary=b")
    problem(response, 400, "bad_form")


def test_unexpected_error_is_a_problem_without_details_and_is_logged(app, client, caplog):
    alter_model(app, class_labels=())  # so that no answer can be given
    with caplog.at_level(logging.INFO):
        response = send(client, "/curl-api", myfile=as_file(drawn(7), "file-name.png"))
    detail = problem(response, 500, "internal_error")
    assert "index" not in detail
    assert "Traceback" in caplog.text
    assert "IndexError" in caplog.text
    assert "file-name" not in caplog.text


def test_error_that_is_not_the_callers_has_no_details(app, client):
    def view():
        raise ModelCorruptError("/a/path/on/the/server was altered.")

    app.add_url_rule("/broken", view_func=view)
    assert "/a/path" not in problem(client.get("/broken"), 500, "internal_error")


def test_redirects_are_no_errors(app, client):
    app.add_url_rule("/folder/", view_func=lambda: "here")
    response = client.get("/folder")
    assert response.status_code == 308
    assert response.location.endswith("/folder/")
