import os
import subprocess
import sys
from pathlib import Path

import pytest

from digit_classifier.environment import checks
from digit_classifier.environment.checks import check_blas, check_interpreter, check_read_only
from digit_classifier.errors import UnsoundError
from digit_classifier.models.store import PRETRAINED

MODEL = PRETRAINED / "mlp" / "model.safetensors"


def run(code, **variables):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_this_interpreter_is_sound():
    assert check_interpreter() == f"{sys.version.split()[0]} at {sys.prefix}"


def test_a_foreign_standard_library_is_found(monkeypatch):
    monkeypatch.setattr(sys, "base_prefix", "/nowhere")

    with pytest.raises(UnsoundError, match=r"standard library .* is not that of /nowhere"):
        check_interpreter()


def test_a_python_that_is_too_old_is_found(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))

    with pytest.raises(UnsoundError, match=r"3\.10\.4 is older than 3\.11"):
        check_interpreter()


def environment_of(folder, version):
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    return folder


def test_an_environment_of_another_python_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(environment_of(tmp_path, "3.99.1")))

    with pytest.raises(UnsoundError, match=r"was made for Python 3\.99\.1, this is 3\."):
        check_interpreter()


def test_packages_of_another_environment_are_found(tmp_path, monkeypatch):
    version = "{}.{}.99".format(*sys.version_info)  # a security update is no other Python
    monkeypatch.setattr(sys, "prefix", str(environment_of(tmp_path, version)))

    with pytest.raises(UnsoundError, match=r"NumPy .* is not that of"):
        check_interpreter()


def test_a_folder_that_is_no_environment_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    with pytest.raises(UnsoundError, match="is not a virtual environment"):
        check_interpreter()


@pytest.mark.parametrize(("threads", "message"), [("1", "one thread"), ("2", "openblas 2")])
def test_threads_of_the_linear_algebra_are_counted(threads, message):
    code = (
        "import numpy\n"
        "from digit_classifier.errors import UnsoundError\n"
        "from digit_classifier.environment.checks import check_blas\n"
        "try:\n    print(check_blas())\nexcept UnsoundError as exc:\n    print(exc)"
    )

    assert message in run(code, OPENBLAS_NUM_THREADS=threads)


def test_the_test_suite_itself_has_one_thread():
    assert check_blas() == "one thread"


def test_what_can_be_written_is_found(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) == MODEL.parent)

    with pytest.raises(UnsoundError, match=f"can write {MODEL.parent};"):
        check_read_only(MODEL)


@pytest.mark.parametrize("path", [Path(sys.prefix), Path(checks.__file__), MODEL])
def test_code_environment_and_model_are_looked_at(monkeypatch, path):
    asked = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append((Path(path), mode)))

    assert check_read_only(MODEL) == "neither code nor model can be written"
    assert (path, os.W_OK) in asked
