"""Typed settings: defaults < configuration file < ``DIGIT_CLASSIFIER_*`` environment.

The file is TOML with one table, ``[digit_classifier]``, whose keys are the fields of
:class:`Settings`. ``DIGIT_CLASSIFIER_CONFIG`` names it; without that, ``instance/settings.toml``
in the working folder is read where it exists. A variable such as ``DIGIT_CLASSIFIER_PORT`` wins
over the file. Relative paths are taken from the file's own folder where they stand in it, and from
the working folder otherwise.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typed_settings as ts

from digit_classifier.errors import SettingsError

TABLE = "digit_classifier"
ENV_PREFIX = "DIGIT_CLASSIFIER_"
CONFIG_VARIABLE = f"{ENV_PREFIX}CONFIG"
DEFAULT_CONFIG = Path("instance/settings.toml")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator may set.

    Parameters
    ----------
    host, port
        Where ``digit-classifier serve`` listens.
    data_dir
        Folder of the four MNIST files, read by training and evaluation.
    models_dir
        Folder of the models trained here; one of them hides a shipped model of its name.
    model
        Name of the model that answers.
    framing
        ``"auto"`` finds the ink; ``"center"`` only crops the central square.
    max_upload_bytes
        Largest upload accepted, in bytes; the command line reads larger files from disk.
    max_image_pixels
        Largest image accepted, in pixels (width × height). Bounds the memory of a request.
    max_batch_bytes
        Largest request to the batch endpoint, in bytes.
    max_queue_ms
        How long a request may have waited for a free thread, in milliseconds, before it is refused;
        known under Apache alone.
    requests_at_once
        How many threads each of Apache's processes has to read pictures; other requests wait.
    max_memory_bytes
        What such a process may take for these, beside what it has when it starts.
    environment
        ``"production"``, ``"development"`` (debugger, templates read anew) or ``"testing"`` (errors
        reach the test, forms need no token).
    read_only
        The service is not well if it can write its own code or model: set by the deployment, whose
        files are root's.
    cors_origins
        Origins, such as ``"https://app.example"``, whose pages may call the API from browsers.
    api_keys
        Who may call the API: ``"NAME SHA256"`` or ``"NAME SHA256 LIMIT"`` each, the digest being
        that of the key, the limit such as ``"1000/hour"``. Without any, everybody may.
    rate_limit
        How often one key, or one address, may call the API, such as ``"60/minute"``.
    rate_limit_storage
        Where the calls are counted: ``"memory://"`` of each process, or ``"redis://HOST:PORT"``.
    secret_key
        Signs the session cookie that carries the form's CSRF token. In production the web
        application does not start without it; there is no default.
    """

    host: str = "127.0.0.1"
    port: int = 5000
    data_dir: Path = Path("data")
    models_dir: Path = Path("models")
    model: str = "mlp"
    framing: Literal["auto", "center"] = "auto"
    max_upload_bytes: int = 1024 * 1024
    max_image_pixels: int = 40_000_000
    max_batch_bytes: int = 32 * 1024 * 1024
    max_queue_ms: int = 1000
    requests_at_once: int = 1
    max_memory_bytes: int = 1024 * 1024 * 1024
    environment: Literal["production", "development", "testing"] = "production"
    read_only: bool = False
    cors_origins: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = ()
    rate_limit: str = ""
    rate_limit_storage: str = "memory://"
    secret_key: ts.SecretStr | None = None


def load_settings() -> Settings:
    """Read the settings from the file and the environment.

    Returns
    -------
    Settings

    Raises
    ------
    SettingsError
        The file is missing, is not TOML, has an unknown key, or a value has the wrong type.
    """
    try:
        return ts.load_settings(
            Settings,
            loaders=[
                ts.FileLoader(files=[_config_file()], formats={"*": ts.TomlFormat(TABLE)}),
                ts.EnvLoader(prefix=ENV_PREFIX),
            ],
            converter=_converter(),
            base_dir=Path.cwd(),
        )
    except ts.exceptions.InvalidSettingsError as exc:
        raise SettingsError("; ".join(str(error) for error in exc.exceptions)) from exc
    except (ts.exceptions.TsError, OSError) as exc:
        raise SettingsError(f"The settings cannot be read from {_config_path()}: {exc}") from exc


def _converter() -> ts.converters.TSConverter:
    """Convert as usual, but lists in variables at commas: addresses have colons."""
    return ts.converters.TSConverter(strlist_sep=",")


def _config_path() -> Path:
    return Path(os.environ.get(CONFIG_VARIABLE, DEFAULT_CONFIG))


def _config_file() -> str:
    """Name the file to typed-settings, with its mark "!" where the file must exist."""
    mark = "!" if CONFIG_VARIABLE in os.environ else ""
    return f"{mark}{_config_path()}"
