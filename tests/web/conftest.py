"""An application and its client."""

import pytest

from tests.web.serving import make_app


@pytest.fixture
def app(tmp_path):
    return make_app(tmp_path)


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory):
    """An application for tests that change nothing of it; to make one takes 50 ms."""
    return make_app(tmp_path_factory.mktemp("none"))


@pytest.fixture
def client_with_test_set(tmp_path, trusted_drawn_mnist):
    """A client of a service whose MNIST is a hundred drawn digits."""
    return make_app(tmp_path, data_dir=trusted_drawn_mnist).test_client()


@pytest.fixture
def client(app):
    return app.test_client()
