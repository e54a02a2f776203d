"""Typed settings: defaults < configuration file < ``DIGIT_CLASSIFIER_*`` environment.

The file is TOML with one table, ``[digit_classifier]``, whose keys are the fields of
:class:`Settings`. Its path is in ``DIGIT_CLASSIFIER_CONFIG``, or else ``instance/settings.toml`` in
the working directory, if that exists. A variable such as ``DIGIT_CLASSIFIER_PORT`` overrides the
file. Relative paths in the file are relative to its directory, those in variables to the working
directory.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import typed_settings as ts

from digit_classifier.errors import SettingsError

_TABLE = "digit_classifier"
_ENV_PREFIX = "DIGIT_CLASSIFIER_"
_CONFIG_VARIABLE = f"{_ENV_PREFIX}CONFIG"
_DEFAULT_CONFIG = Path("instance/settings.toml")


# frozen, since all threads of a process read it; an operator's change takes effect with a restart
@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of an operator.

    Parameters
    ----------
    host, port
        Address and port of ``digit-classifier serve``.
    data_dir
        Directory of the four MNIST files, for training and evaluation.
    models_dir
        Directory of the models trained here; they take precedence over shipped ones.
    model
        Name of the model that reads single digits where none is chosen, or the path of its file.
    numbers_model
        Name of the model that reads numbers where none is chosen, or the path of its file.
    framing
        ``"auto"`` locates the ink; ``"center"`` only crops the central square.
    max_upload_bytes
        Largest accepted upload, in bytes; the command line reads larger files from disk.
    max_image_pixels
        Largest accepted image, in pixels (width × height), of a gray one; a pixel in colour counts
        as three. It limits the memory of a request.
    max_batch_bytes
        Largest accepted request to the batch endpoint, in bytes.
    max_queue_ms
        Longest time that a request may wait for a free thread, in milliseconds; later ones are
        rejected. It only applies under Apache.
    requests_at_once
        Number of images that each of Apache's processes reads concurrently; other requests wait.
    max_memory_bytes
        Memory that such a process may use in addition to that at its start, in bytes.
    environment
        ``"production"``, ``"development"`` (debugger, templates are reloaded) or ``"testing"``
        (errors reach the test, forms need no token).
    read_only
        Report the service as unhealthy if it can write its own code or models. The deployment sets
        it, since its files belong to root.
    cors_origins
        Origins, such as ``"https://app.example"``, whose pages may call the API from browsers.
    api_keys
        Clients of the API: ``"NAME SHA256"`` or ``"NAME SHA256 LIMIT"`` each, with the digest of
        the key and a limit such as ``"1000/hour"``. If empty, everybody may call the API.
    rate_limit
        Limit per key, or per address, such as ``"60/minute"``.
    rate_limit_storage
        Storage of the rate limits: ``"memory://"`` in each process, or ``"redis://HOST:PORT"``.
    source_url
        Address of the source code, to which every page's footer then links.
    secret_key
        Signs the session cookie that carries the form's CSRF token. In production the web
        application does not start without it; there is no default.
    """

    # this machine alone: without TLS and limits, nobody else should reach Flask's own server
    host: str = "127.0.0.1"
    port: int = 5000
    data_dir: Path = Path("data")
    models_dir: Path = Path("models")
    model: str = "mlp"
    numbers_model: str = "cnn"
    framing: Literal["auto", "center"] = "auto"
    max_upload_bytes: int = 1024 * 1024
    max_image_pixels: int = 40_000_000  # 40 MB of a gray picture; docs/reliability.md has the costs
    max_batch_bytes: int = 32 * 1024 * 1024
    max_queue_ms: int = 1000
    requests_at_once: int = 1  # threads of one process wait for each other: docs/operations.md
    max_memory_bytes: int = 1024 * 1024 * 1024
    environment: Literal["production", "development", "testing"] = "production"
    read_only: bool = False
    cors_origins: tuple[str, ...] = ()
    api_keys: tuple[str, ...] = ()
    rate_limit: str = ""
    rate_limit_storage: str = "memory://"
    source_url: str = ""
    secret_key: ts.SecretStr | None = None  # a type that no log and no traceback shows


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
    path = Path(os.environ.get(_CONFIG_VARIABLE, _DEFAULT_CONFIG))
    # for typed-settings, "!" marks a file that must exist
    file = f"!{path}" if _CONFIG_VARIABLE in os.environ else f"{path}"
    try:
        return ts.load_settings(
            Settings,
            loaders=[
                ts.FileLoader(files=[file], formats={"*": ts.TomlFormat(_TABLE)}),
                ts.EnvLoader(prefix=_ENV_PREFIX),
            ],
            # lists in variables are separated by commas, since addresses contain colons
            converter=ts.converters.TSConverter(strlist_sep=","),
            base_dir=Path.cwd(),
        )
    except ts.exceptions.InvalidSettingsError as exc:
        raise SettingsError("; ".join(str(error) for error in exc.exceptions)) from exc
    except (ts.exceptions.TsError, OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"The settings cannot be read from {path}: {exc}") from exc
