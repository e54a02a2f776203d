import pytest


@pytest.fixture
def app(shared_app):
    """An application that no test of this folder changes."""
    return shared_app
