"""An application and its client."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.serving import make_app


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return make_app(tmp_path)


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application for tests that change nothing of it; to make one takes 50 ms."""
    return make_app(tmp_path_factory.mktemp("none"))


@pytest.fixture
def client_with_test_set(tmp_path: Path, trusted_drawn_mnist: Path) -> FlaskClient:
    """A client of a service whose MNIST is a hundred drawn digits."""
    return make_app(tmp_path, data_dir=trusted_drawn_mnist).test_client()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
