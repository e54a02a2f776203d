import pytest

from tests.web.pictures import as_file, drawn
from tests.web.serving import alter_model, make_app, send, status_words


def test_production_is_the_default_and_shows_nothing_of_its_inside(app):
    assert (app.debug, app.testing) == (False, False)
    assert app.config["WTF_CSRF_ENABLED"]


def test_development_debugs_and_needs_no_secret(tmp_path):
    apps = [make_app(tmp_path, environment="development", secret_key=None) for _ in range(2)]
    assert all(app.debug and not app.testing for app in apps)
    assert len({app.config["SECRET_KEY"] for app in apps}) == 2
    assert all(len(app.config["SECRET_KEY"]) > 30 for app in apps)


def test_testing_lets_errors_reach_the_test_and_needs_no_token(tmp_path):
    app = make_app(tmp_path, environment="testing", secret_key=None)
    client = app.test_client()
    assert status_words(send(client, myfile=as_file(drawn(5))).text)[0] == "5"
    alter_model(app, class_labels=())
    with pytest.raises(IndexError):
        send(client, "/curl-api", myfile=as_file(drawn(5)))
