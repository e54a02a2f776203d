from pathlib import Path

import pytest
import typed_settings as ts

import digit_classifier.web
from digit_classifier.errors import ModelNotFoundError, SettingsError
from digit_classifier.settings import Settings
from digit_classifier.web import create_app
from tests.web.serving import make_app


@pytest.mark.parametrize("secret_key", [None, ts.SecretStr("")])
def test_start_fails_without_a_secret_key_and_says_how_to_get_one(secret_key):
    with pytest.raises(SettingsError, match=r"build_all_local.sh.*DIGIT_CLASSIFIER_SECRET_KEY"):
        create_app(Settings(secret_key=secret_key))


@pytest.mark.parametrize("setting", ["model", "numbers_model"])
def test_start_fails_without_its_models(setting, tmp_path):
    settings = Settings(
        secret_key=ts.SecretStr("k" * 32), models_dir=tmp_path, **{setting: "nowhere"}
    )
    with pytest.raises(ModelNotFoundError, match="nowhere"):
        create_app(settings)


def test_settings_are_read_from_the_environment_by_default(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIGIT_CLASSIFIER_CONFIG", raising=False)
    monkeypatch.setenv("DIGIT_CLASSIFIER_SECRET_KEY", "from the environment")
    assert create_app().config["SECRET_KEY"] == "from the environment"


def test_each_call_makes_another_application(tmp_path):
    assert make_app(tmp_path) is not make_app(tmp_path)
    assert not hasattr(digit_classifier.web, "app")


def test_secret_key_is_not_shown_with_the_configuration(app):
    assert "k" * 32 not in repr(app.config)


def test_templates_and_static_files_are_those_of_the_package(app):
    package = Path(digit_classifier.web.__file__).parent
    assert Path(app.static_folder) == package / "static"
    assert (package / app.template_folder / "index.html").is_file()
