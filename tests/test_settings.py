import dataclasses
import os
from pathlib import Path

import pytest

from digit_classifier.errors import SettingsError
from digit_classifier.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    """No settings from the machine that runs the tests."""
    for name in [name for name in os.environ if name.startswith("DIGIT_CLASSIFIER_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def config(tmp_path):
    """Write the settings file of the working folder."""

    def write(text, name="instance/settings.toml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"[digit_classifier]\n{text}\n")
        return path

    return write


def test_defaults_without_file_and_environment():
    settings = load_settings()
    assert settings == Settings(data_dir=Path.cwd() / "data", models_dir=Path.cwd() / "models")
    assert (settings.host, settings.port) == ("127.0.0.1", 5000)
    assert settings.max_upload_bytes == 1_048_576
    assert settings.secret_key is None


def test_file_in_the_working_folder_is_read(config):
    config('port = 8080\nmodel = "other"\nsecret_key = "in the file"')
    settings = load_settings()
    assert (settings.port, settings.model, settings.secret_key) == (8080, "other", "in the file")
    assert settings.host == "127.0.0.1"


def test_environment_wins_over_the_file(config, monkeypatch):
    config('port = 8080\nframing = "center"')
    monkeypatch.setenv("DIGIT_CLASSIFIER_PORT", "9090")
    settings = load_settings()
    assert (settings.port, settings.framing) == (9090, "center")


def test_named_file_is_read_instead_of_the_default_one(config, monkeypatch):
    config("port = 8080")
    named = config("max_upload_bytes = 99", "elsewhere.toml")
    monkeypatch.setenv("DIGIT_CLASSIFIER_CONFIG", str(named))
    settings = load_settings()
    assert (settings.port, settings.max_upload_bytes) == (5000, 99)


def test_every_field_can_be_set_by_the_environment(monkeypatch):
    values = {
        "host": "0.0.0.0",
        "port": 1,
        "data_dir": Path("/data"),
        "models_dir": Path("/models"),
        "model": "cnn",
        "numbers_model": "softmax",
        "framing": "center",
        "max_upload_bytes": 2,
        "max_image_pixels": 3,
        "max_batch_bytes": 4,
        "max_queue_ms": 5,
        "requests_at_once": 5,
        "max_memory_bytes": 6,
        "environment": "testing",
        "read_only": True,
        "cors_origins": ("https://a.example",),
        "api_keys": ("a b", "c d"),
        "rate_limit": "1/second",
        "rate_limit_storage": "redis://somewhere",
        "source_url": "https://code.example",
        "secret_key": "hush",
    }
    assert set(values) >= {field.name for field in dataclasses.fields(Settings)}
    for name, value in values.items():
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        monkeypatch.setenv(f"DIGIT_CLASSIFIER_{name.upper()}", text)
    assert load_settings() == Settings(**values)


def test_relative_paths_start_at_their_file_or_at_the_working_folder(config, monkeypatch, tmp_path):
    config('data_dir = "from/file"')
    monkeypatch.setenv("DIGIT_CLASSIFIER_MODELS_DIR", "from/environment")
    settings = load_settings()
    assert settings.data_dir == tmp_path / "instance/from/file"
    assert settings.models_dir == tmp_path / "from/environment"


def test_named_file_that_does_not_exist_is_an_error(monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "named"),
    [("prot = 8080", "prot"), ('port = "many"', "port"), ("port = [", "settings.toml")],
    ids=["unknown key", "wrong type", "not TOML"],
)
def test_faulty_file_is_refused_and_the_fault_named(config, text, named):
    config(text)
    with pytest.raises(SettingsError, match=named):
        load_settings()


def test_environment_value_of_the_wrong_type_is_refused_and_named(monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_PORT", "five thousand")
    with pytest.raises(SettingsError, match="port"):
        load_settings()


def test_folder_in_place_of_the_file_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("DIGIT_CLASSIFIER_CONFIG", str(tmp_path))
    with pytest.raises(SettingsError):
        load_settings()


def test_secret_key_is_not_in_the_representation(monkeypatch):
    monkeypatch.setenv("DIGIT_CLASSIFIER_SECRET_KEY", "hush-hush")
    settings = load_settings()
    assert settings.secret_key == "hush-hush"
    assert "hush" not in repr(settings)


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_settings().port = 1


def test_lists_stand_in_the_file_or_between_commas_in_the_environment(config, monkeypatch):
    config('cors_origins = ["https://a.example", "http://localhost:3000"]')
    assert load_settings().cors_origins == ("https://a.example", "http://localhost:3000")
    monkeypatch.setenv("DIGIT_CLASSIFIER_CORS_ORIGINS", "https://b.example,http://localhost:1")
    assert load_settings().cors_origins == ("https://b.example", "http://localhost:1")
