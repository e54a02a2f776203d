from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from digit_classifier.cli import main

Run = Callable[..., Result]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder, with no settings but the defaults."""
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", "DATA_DIR", "MODELS_DIR", "MODEL", "SECRET_KEY"):
        monkeypatch.delenv(f"DIGIT_CLASSIFIER_{name}", raising=False)
    return tmp_path


@pytest.fixture
def run(place):
    """Run ``digit-classifier`` with these arguments in the empty working folder."""

    def run(*arguments):
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
