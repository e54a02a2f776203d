import pytest


@pytest.fixture
def digits(drawn_digits):
    return drawn_digits[0][:60]
