"""Checks of the installation: ``digit-classifier doctor`` runs all of them, ``/readyz`` some.

A server with the interpreter of one Python build and the standard library or packages of another
still answers most requests, so that the fault may stay unnoticed.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import numpy as np
import threadpoolctl

import digit_classifier
from digit_classifier.datasets import load_mnist
from digit_classifier.errors import (
    DatasetMissingError,
    DigitClassifierError,
    SettingsError,
    UnsoundError,
)
from digit_classifier.inference import DigitClassifier
from digit_classifier.models.store import find_model
from digit_classifier.settings import Settings, load_settings

_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check."""

    check: str
    detail: str
    failed: bool = False


def diagnose() -> Iterator[CheckResult]:
    """Run all checks; invalid settings end them, since the others need settings."""
    yield _run_check("Python", check_interpreter)
    yield _run_check("packages", _check_packages)
    try:
        settings = load_settings()
    except SettingsError as exc:
        yield CheckResult("settings", str(exc), failed=True)
        return
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    yield CheckResult("settings", f"serving on http://{host}:{settings.port}/")
    how = (
        "not set; deployment_scripts/build_all_local.sh generates one, or set "
        "DIGIT_CLASSIFIER_SECRET_KEY."
    )
    yield CheckResult("secret key", "set" if settings.secret_key else how, not settings.secret_key)
    yield _run_check("model", lambda: _check_model(settings))
    yield _run_check("linear algebra", check_blas)
    if settings.read_only:
        yield _run_check("rights", lambda: check_read_only(*find_model_files(settings)))
    yield _run_check("MNIST", lambda: _check_mnist(settings))


def _run_check(check: str, run: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(check, run())
    except DigitClassifierError as exc:
        return CheckResult(check, str(exc), failed=True)


def _check_packages() -> str:
    """Check that every requirement of the package is installed in a valid version."""
    # imported here, since a server, which does not run this check, needs the memory
    from packaging.requirements import Requirement

    try:
        requirements = [Requirement(line) for line in requires("digit-classifier") or []]
    except PackageNotFoundError as exc:
        raise UnsoundError("digit-classifier is not installed in this environment.") from exc
    # with an empty extra, so that the requirements of extras do not count
    needed = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = []
    for requirement in needed:
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
        else:
            if found not in requirement.specifier:
                wrong.append(f"{requirement} is needed, {found} is installed")
    if wrong:
        raise UnsoundError("; ".join(wrong))
    return "all required packages are installed"


def _check_model(settings: Settings) -> str:
    found = []
    for name in dict.fromkeys((settings.model, settings.numbers_model)):
        classifier = DigitClassifier.from_settings(replace(settings, model=name))
        classifier.self_test()
        found.append(f"{classifier.model.name} {classifier.model.version}")
    return f"{' and '.join(found)} read the self-test's digit"


def find_model_files(settings: Settings) -> list[Path]:
    """Return the files of the default models, or raise ModelNotFoundError."""
    names = dict.fromkeys((settings.model, settings.numbers_model))
    return [find_model(name, settings.models_dir) for name in names]


def _check_mnist(settings: Settings) -> str:
    """Check MNIST. Serving does not need it, so missing files are not a failure."""
    try:
        load_mnist(settings.data_dir)
    except DatasetMissingError as exc:
        return f"absent, needed for training and evaluation alone. {exc}"
    return f"all four files in {settings.data_dir} are intact"


def check_interpreter() -> str:
    """Raise UnsoundError if interpreter, standard library and environment do not belong together.

    Returns
    -------
    str
        Version and prefix of the interpreter.
    """
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        raise UnsoundError(f"{found} is older than {'.'.join(map(str, _OLDEST_PYTHON))}.")
    # mod_wsgi has its own interpreter, for which python-home may name another Python's library
    _check_inside(Path(os.__file__), Path(sys.base_prefix), "the standard library")
    if sys.prefix != sys.base_prefix:  # in a virtual environment
        prefix = Path(sys.prefix)
        try:
            lines = (prefix / "pyvenv.cfg").read_text("utf-8").splitlines()
        except OSError as exc:
            raise UnsoundError(f"{prefix} is not a virtual environment: {exc.strerror}.") from exc
        # venv names it "version", virtualenv "version_info"
        entries = dict(line.split(" = ", 1) for line in lines if " = " in line)
        made_for = entries.get("version") or entries.get("version_info", "unknown")
        # a security update changes the third number
        if made_for.split(".")[:2] != found.split(".")[:2]:
            raise UnsoundError(
                f"the environment {sys.prefix} was made for Python {made_for}, this is {found}."
            )
        _check_inside(Path(np.__file__), Path(sys.prefix), "NumPy")
    return f"{found} at {sys.prefix}"


def check_blas() -> str:
    """Raise UnsoundError if linear algebra in this process uses more than one thread."""
    libraries = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    if many := [pool for pool in libraries if pool["num_threads"] != 1]:
        counts = ", ".join(f"{pool['internal_api']} {pool['num_threads']}" for pool in many)
        raise UnsoundError(
            f"the linear algebra has more than one thread ({counts}): many requests would wait for "
            "one another. Set OPENBLAS_NUM_THREADS=1 before NumPy is imported."
        )
    return "one thread"


def check_read_only(*model_files: Path) -> str:
    """Raise UnsoundError if this process can write its code or its models."""
    package = Path(digit_classifier.__file__).parent
    # a sample of the code, since the deployment gives all of it to root at once
    code = (Path(sys.prefix), package.parent, package, Path(__file__))
    # in a writable directory, a file can be replaced
    models = [path for file in model_files for path in (*file.parents[:2], file)]
    for path in (*code, *models):
        if os.access(path, os.W_OK):
            raise UnsoundError(
                f"this process can write {path}; an attacker who controls it could, too."
            )
    return "neither code nor model can be written"


def _check_inside(path: Path, folder: Path, what: str) -> None:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UnsoundError(f"{what} {path.parent} is not that of {folder}.")
