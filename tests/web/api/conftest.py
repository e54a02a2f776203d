import pytest
from flask import Flask


@pytest.fixture
def app(shared_app: Flask) -> Flask:
    """An application that no test of this folder changes."""
    return shared_app
